from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.urls import reverse
from django.utils import timezone

from core.errors import DomainError
from departments.enums import Role
from departments.models import Notification, Sector
from inspections.enums import Event, SignerKind, TaskState
from inspections.models import OfficerSwap, Task
from inspections.services import signatures, swaps
from institutions.models import Recusal
from ledger.services import entries_of
from tests.factories.departments import make_department, make_officer, make_user
from tests.factories.inspections import clerk_of
from tests.factories.tasks import answer_all, make_task, png
from tests.inspections.test_launch_pages import messages_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def task():
    return make_task()


@pytest.fixture
def xiaofang():
    return make_department("xiaofang")


@pytest.fixture
def sent(task, xiaofang):
    return task.officers.filter(department=xiaofang).first()


@pytest.fixture
def another(xiaofang):
    return make_officer(xiaofang, name="郑接替")


@pytest.fixture
def clerk(xiaofang):
    return clerk_of(xiaofang)


def test_another_goes_and_the_reason_stays(task, sent, another, clerk):
    replaced = sent.officer
    made = swaps.swap(sent, replacement=another, reason="参加培训", actor=clerk)
    sent.refresh_from_db()
    assert sent.officer == another
    assert (made.replaced, made.replacement, made.reason) == (replaced, another, "参加培训")
    entry = entries_of(task.institution.subject).last()
    assert entry.kind == Event.OFFICER_SWAPPED
    assert (entry.payload["from"], entry.payload["to"]) == (replaced.pk, another.pk)
    assert "培训" not in str(entry.payload)
    told = Notification.objects.filter(subject=f"task:{task.pk}").values_list("recipient", flat=True)
    assert set(told) == {another.user_id, replaced.user_id}


def test_without_a_reason_nobody_is_replaced(sent, another, clerk):
    with pytest.raises(DomainError) as refusal:
        swaps.swap(sent, replacement=another, reason=" ", actor=clerk)
    assert refusal.value.fields == {"reason": "请填写更换理由。"}
    assert not OfficerSwap.objects.exists()


def expired(officer, task):
    officer.certified_until = timezone.localdate() - timedelta(days=1)
    officer.save()


def recused(officer, task):
    Recusal.objects.create(officer=officer, institution=task.institution, reason="亲属任职")


def of_another_sector(officer, task):
    officer.sectors.add(Sector.objects.create(name="燃气"))


def of_another_department(officer, task):
    officer.department = make_department("minzheng")
    officer.save()


def going_already(officer, task):
    task.officers.create(officer=officer, department=officer.department)


@pytest.mark.parametrize("why", [expired, recused, of_another_sector, of_another_department, going_already])
def test_who_may_not_be_drawn_may_not_replace(task, sent, another, clerk, why):
    why(another, task)
    with pytest.raises(DomainError, match="所选人员不能参加本次检查"):
        swaps.swap(sent, replacement=another, reason="参加培训", actor=clerk)


def test_who_has_signed_stays(task, sent, another, clerk):
    answer_all(task)
    signatures.sign(
        task,
        image=png(),
        kind=SignerKind.OFFICER,
        officer=sent.officer,
        actor=sent.officer.user,
    )
    with pytest.raises(DomainError, match="已在表单上签名"):
        swaps.swap(sent, replacement=another, reason="参加培训", actor=clerk)


def test_on_a_closed_form_nobody_is_replaced(task, sent, another, clerk):
    Task.objects.update(state=TaskState.CANCELLED)
    with pytest.raises(DomainError, match="不能再修改"):
        swaps.swap(sent, replacement=another, reason="参加培训", actor=clerk)


def test_only_the_department_replaces_its_own(sent, another):
    for account in (make_user(make_department("minzheng")), make_user(sent.department, Role.OFFICER)):
        with pytest.raises(PermissionDenied):
            swaps.swap(sent, replacement=another, reason="参加培训", actor=account)


# --- The page -------------------------------------------------------------------------------------


def page_of(task):
    return reverse("inspections:task_officers", args=[task.pk])


def test_the_page_offers_the_own_officers_only(client_as, task, clerk, another):
    page = client_as(clerk).get(page_of(task))
    assert [form.department.code for form in page.context["forms"]] == ["xiaofang"]
    assert "郑接替" in page.text
    assert page_of(task) in client_as(clerk).get(reverse("inspections:task_detail", args=[task.pk])).text


def test_replacing_on_the_page_says_who_goes(client_as, task, sent, clerk, another):
    values = {
        "department": "xiaofang",
        "xiaofang-sent": sent.pk,
        "xiaofang-replacement": another.pk,
        "xiaofang-reason": "参加培训",
    }
    page = client_as(clerk).post(page_of(task), values, follow=True)
    assert messages_of(page) == [f"已由郑接替接替{sent.officer.user.name}，双方均已收到通知。"]
    assert "参加培训" in page.text


def test_a_missing_reason_is_said_at_its_field(client_as, task, sent, clerk, another):
    values = {"department": "xiaofang", "xiaofang-sent": sent.pk, "xiaofang-replacement": another.pk}
    page = client_as(clerk).post(page_of(task), values)
    assert page.status_code == 422
    assert "请填写更换理由。" in page.text


def test_on_a_closed_form_the_page_says_so(client_as, task, clerk):
    Task.objects.update(state=TaskState.CANCELLED)
    page = client_as(clerk).post(page_of(task), {"department": "xiaofang"}, follow=True)
    assert messages_of(page) == ["表单已经提交或取消，不能更换执法人员。"]


@pytest.mark.parametrize("count", [1, 3])
def test_the_page_costs_the_same_for_one_and_three(
    client_as, task, sent, clerk, xiaofang, django_assert_num_queries, count
):
    for number in range(count):
        swaps.swap(sent, replacement=make_officer(xiaofang), reason=f"理由{number}", actor=clerk)
        sent.refresh_from_db()
    client = client_as(clerk)
    client.get(page_of(task))
    with django_assert_num_queries(15):
        assert client.get(page_of(task)).status_code == 200
