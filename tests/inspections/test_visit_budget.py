from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.urls import reverse
from django.utils import timezone

from core.errors import DomainError
from inspections.enums import Cause, InspectionKind, InspectionState, TaskState
from inspections.models import JointInspection, Task
from inspections.services import launch
from inspections.services.visit_budget import give_reason, leave_out_spent, others, spent, take_over
from institutions.models import Institution
from ledger.models import Entry
from scenarios.models import ScenarioVersion
from tests.factories.departments import make_department
from tests.factories.inspections import clerk_of, make_inspection
from tests.factories.institutions import make_institution
from tests.factories.own_results import make_own_result
from tests.factories.scenarios import Row, make_version
from tests.factories.tasks import make_running_inspection, make_task, submit_task
from tests.inspections.test_launch_pages import filled, messages_of

pytestmark = pytest.mark.django_db

PAGE_QUERIES = 20


@pytest.fixture
def minzheng():
    return make_department("minzheng")


@pytest.fixture
def institution() -> Institution:
    return make_institution()


@pytest.fixture
def version() -> ScenarioVersion:
    """民政局 alone."""
    return make_version([Row("人员资质检查")])


def draft(institution: Institution, version: ScenarioVersion, **fields) -> JointInspection:
    drafted = make_inspection(InspectionState.DRAFT, institutions=[institution], version=version, **fields)
    JointInspection.objects.filter(pk=drafted.pk).update(overlap_reason="")
    drafted.refresh_from_db()
    return drafted


def visited(institution: Institution, version: ScenarioVersion, **fields) -> Task:
    """A visit of 民政局 still to be made."""
    return make_task(institution=institution, inspection=make_running_inspection(version, **fields))


def submit(drafted: JointInspection) -> JointInspection:
    return launch.submit_for_approval(drafted, actor=clerk_of(drafted.lead_department))


def counted(drafted: JointInspection) -> list[tuple[str, int, int]]:
    return [(row.department.code, row.visits, row.cap) for row in spent(drafted)]


# --- The cap --------------------------------------------------------------------------------


@pytest.mark.parametrize(("visits", "found"), [(1, []), (2, [("minzheng", 2, 2)]), (3, [("minzheng", 3, 2)])])
def test_a_department_is_spent_at_its_cap(institution, version, visits, found):
    for _ in range(visits):
        visited(institution, version)
    assert counted(draft(institution, version)) == found


@pytest.mark.parametrize(
    "fields",
    [{"kind": InspectionKind.FILED}, {"kind": InspectionKind.LISTED}, {"cause": Cause.SUPERIOR}],
)
def test_visits_that_do_not_count_spend_nothing(settings, institution, version, fields):
    settings.VISITS_A_YEAR = 1
    visited(institution, version, **fields)
    assert counted(draft(institution, version)) == []


def test_cancelled_visits_spend_nothing(settings, institution, version):
    settings.VISITS_A_YEAR = 1
    Task.objects.filter(pk=visited(institution, version).pk).update(state=TaskState.CANCELLED)
    assert counted(draft(institution, version)) == []


def test_visits_of_another_year_spend_nothing(settings, institution, version):
    settings.VISITS_A_YEAR = 1
    day = timezone.localdate() - timedelta(days=400)
    visited(institution, version, window_from=day, window_until=day)
    assert counted(draft(institution, version)) == []


def test_a_visit_counts_for_the_departments_on_its_form_only(settings, institution, version):
    settings.VISITS_A_YEAR = 1
    visited(institution, make_version([Row("食堂检查", "shichang")]))
    assert counted(draft(institution, version)) == []


def test_checks_of_own_platforms_count(settings, institution):
    settings.VISITS_A_YEAR = 1
    make_own_result(institution=institution)
    fire = make_version([Row("消防检查", "xiaofang")])
    assert counted(draft(institution, fire)) == [("xiaofang", 1, 1)]


def test_a_department_may_have_a_cap_of_its_own(settings, institution, version):
    settings.VISITS_A_YEAR_BY_DEPARTMENT = {"minzheng": 1}
    visited(institution, version)
    assert counted(draft(institution, version)) == [("minzheng", 1, 1)]


def test_beyond_the_cap_nothing_is_sent_for_approval(settings, institution, version):
    settings.VISITS_A_YEAR = 1
    visited(institution, version)
    drafted = draft(institution, version)
    give_reason(drafted, reason="仍需检查", actor=clerk_of(drafted.lead_department))
    with pytest.raises(DomainError, match="有 1 家机构本年检查已达上限"):
        submit(drafted)


@pytest.mark.parametrize(
    "fields",
    [
        {"kind": InspectionKind.CASE},
        {"kind": InspectionKind.SPECIAL, "cause": Cause.SUPERIOR},
        {"kind": InspectionKind.SPECIAL, "cause": Cause.COMPLAINT},
        {"kind": InspectionKind.FILED},
    ],
)
def test_complaints_clues_superiors_and_first_checks_go_beyond_it(settings, institution, version, fields):
    settings.VISITS_A_YEAR = 1
    visited(institution, version)
    assert submit(draft(institution, version, **fields)).state == InspectionState.AWAITING_APPROVAL


def test_leaving_the_spent_out_keeps_the_others(settings, institution, version, minzheng):
    settings.VISITS_A_YEAR = 1
    visited(institution, version)
    other = make_institution()
    drafted = make_inspection(InspectionState.DRAFT, institutions=[institution, other], version=version)
    assert leave_out_spent(drafted, actor=clerk_of(minzheng)) == 1
    assert list(drafted.candidates.values_list("institution", flat=True)) == [other.pk]
    assert submit(drafted).state == InspectionState.AWAITING_APPROVAL


# --- What others do -----------------------------------------------------------------------------


def test_visits_of_others_in_the_window_are_found(institution, version):
    planned = visited(institution, version)
    done = submit_task(visited(institution, version))
    visited(make_institution(), version)
    assert set(others(draft(institution, version))) == {planned, done}


def test_visits_of_long_ago_or_after_the_window_are_not(settings, institution, version):
    settings.OVERLAP_DAYS = 10
    submit_task(visited(institution, version))
    later = timezone.localdate() + timedelta(days=40)
    visited(institution, version, window_from=later, window_until=later)
    drafted = draft(institution, version)
    JointInspection.objects.filter(pk=drafted.pk).update(window_from=later - timedelta(days=20))
    drafted.refresh_from_db()
    assert list(others(drafted)) == []


def test_an_overlap_needs_a_reason(institution, version, minzheng):
    visited(institution, version)
    drafted = draft(institution, version)
    with pytest.raises(DomainError, match="有 1 家机构近期已检查或已安排检查"):
        submit(drafted)
    with pytest.raises(DomainError, match="请填写再查的理由"):
        give_reason(drafted, reason=" ", actor=clerk_of(minzheng))
    give_reason(drafted, reason="事项不同", actor=clerk_of(minzheng))
    assert submit(drafted).overlap_reason == "事项不同"


def test_a_result_taken_over_spares_the_visit(institution, version, minzheng):
    task = submit_task(visited(institution, version))
    other = make_institution()
    drafted = make_inspection(InspectionState.DRAFT, institutions=[institution, other], version=version)
    taken = take_over(drafted, task, actor=clerk_of(minzheng))
    assert (taken.institution, taken.task) == (institution, task)
    assert list(drafted.candidates.values_list("institution", flat=True)) == [other.pk]
    entry = Entry.objects.get(kind="inspection.result_taken_over")
    assert entry.payload == {"institution": str(institution.key), "task": str(task.pk)}


def test_a_visit_still_open_has_no_result_to_take_over(institution, version, minzheng):
    task = visited(institution, version)
    with pytest.raises(DomainError, match="只能互认"):
        take_over(draft(institution, version), task, actor=clerk_of(minzheng))


def test_changing_the_draft_does_not_bring_it_back(client_as, institution, version, minzheng):
    task = submit_task(visited(institution, version))
    drafted = draft(institution, version)
    take_over(drafted, task, actor=clerk_of(minzheng))
    client_as(clerk_of(minzheng)).post(
        reverse("inspections:edit", args=[drafted.pk]), filled(minzheng, version, by_hand=[institution.pk])
    )
    assert drafted.candidates.count() == 0


def test_only_the_lead_decides_and_only_on_a_draft(institution, version, minzheng):
    drafted = draft(institution, version)
    with pytest.raises(PermissionDenied):
        give_reason(drafted, reason="再查", actor=clerk_of(make_department("shichang")))
    with pytest.raises(DomainError, match="检查范围不能再变更"):
        give_reason(submit(drafted), reason="再查", actor=clerk_of(minzheng))


# --- The page -------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [1, 3])
def test_page_costs_the_same_for_one_and_three(
    client_as, django_assert_num_queries, settings, institution, version, minzheng, count
):
    settings.VISITS_A_YEAR = 1
    for _ in range(count):
        visited(institution, version)
    client, drafted = client_as(clerk_of(minzheng)), draft(institution, version)
    with django_assert_num_queries(PAGE_QUERIES):
        response = client.get(reverse("inspections:visits", args=[drafted.pk]))
    assert response.context["listing"].page.paginator.count == count


def test_the_page_takes_over_gives_reasons_and_leaves_out(
    client_as, settings, institution, version, minzheng
):
    settings.VISITS_A_YEAR = 1
    task = submit_task(visited(institution, version))
    full = make_institution()
    visited(full, version)
    drafted = make_inspection(InspectionState.DRAFT, institutions=[institution, full], version=version)
    client = client_as(clerk_of(minzheng))
    said = [
        messages_of(client.post(reverse(f"inspections:{name}", args=[drafted.pk]), data, follow=True))
        for name, data in (
            ("visits_take_over", {"task": "x"}),
            ("visits_take_over", {"task": task.pk}),
            ("visits_leave_out", {}),
            ("visits_reason", {"reason": ""}),
            ("visits_reason", {"reason": "事项不同"}),
        )
    ]
    assert said == [
        ["只能互认检查范围内机构近期已提交的检查结果。"],
        [f"已互认“{institution.name}”的检查结果，本次不再上门。"],
        ["已移出 1 家本年检查已达上限的机构。"],
        ["请填写再查的理由。"],
        ["已记录再查的理由。"],
    ]
