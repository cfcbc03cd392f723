import pytest
from django.core.exceptions import PermissionDenied
from django.urls import reverse

from core.errors import DomainError
from inspections.enums import InspectionKind, TaskState
from inspections.models import Task
from inspections.services.filing import verify_filing
from inspections.services.submitting import obstacles, submit
from ledger.models import Entry
from tests.factories.departments import make_department
from tests.factories.inspections import clerk_of
from tests.factories.scenarios import Row, make_version
from tests.factories.tasks import answer_item, make_running_inspection, make_task, officer_of, sign_all

pytestmark = pytest.mark.django_db


def make_visit(kind: InspectionKind = InspectionKind.FILED) -> Task:
    """One item, answered."""
    version = make_version([Row("人员资质检查")])
    task = make_task(inspection=make_running_inspection(version, kind=kind))
    answer_item(task.items.get())
    return task


def officer(task: Task):
    return officer_of(task, "minzheng").user


def test_a_first_check_is_not_submitted_without_the_answer():
    assert obstacles(make_visit()) == ["备案信息核实还未填写"]


def test_other_checks_do_not_ask():
    task = make_visit(InspectionKind.DAILY)
    assert "备案信息核实还未填写" not in obstacles(task)
    with pytest.raises(DomainError, match="不要求核实备案信息"):
        verify_filing(task, agrees=True, actor=officer(task))


@pytest.mark.parametrize("agrees", [True, False])
def test_the_answer_is_submitted_and_stands_in_the_trail(agrees):
    task = make_visit()
    verify_filing(task, agrees=agrees, actor=officer(task))
    sign_all(task)
    submitted = submit(task, actor=officer(task))
    entry = Entry.objects.get(kind="task.submitted")
    assert (submitted.state, submitted.filing_agrees, entry.payload["filing_agrees"]) == (
        TaskState.SUBMITTED,
        agrees,
        agrees,
    )


def test_changing_the_answer_takes_the_signatures_away():
    task = make_visit()
    verify_filing(task, agrees=True, actor=officer(task))
    sign_all(task)
    verify_filing(task, agrees=True, actor=officer(task))
    kept = task.signatures.count()
    verify_filing(task, agrees=False, actor=officer(task))
    assert (kept, task.signatures.count()) == (3, 0)


def test_neither_yes_nor_no_is_refused():
    task = make_visit()
    with pytest.raises(DomainError, match="请选择备案信息与现场是否一致"):
        verify_filing(task, agrees=None, actor=officer(task))


def test_who_is_not_sent_cannot_answer():
    with pytest.raises(PermissionDenied):
        verify_filing(make_visit(), agrees=True, actor=clerk_of(make_department("minzheng")))


def test_the_officers_page_asks_and_takes_the_answer(client_as):
    task = make_visit()
    client = client_as(officer(task))
    page = reverse("inspections:task_sign", args=[task.pk])
    assert "首次检查须答复" in client.get(page).content.decode()
    response = client.post(reverse("inspections:task_filing", args=[task.pk]), {"agrees": "no"})
    task.refresh_from_db()
    assert (response.url, task.filing_agrees) == (page, False)
    assert "与现场不一致" in client.get(page).content.decode()
