from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from departments.enums import Role
from inspections.enums import AnswerValue, InspectionState
from inspections.models import JointInspection, Rectification, Referral, Task
from inspections.services import progress
from tests.factories.departments import make_department, make_user
from tests.factories.inspections import clerk_of, make_inspection
from tests.factories.institutions import make_institution
from tests.factories.scenarios import make_version
from tests.factories.tasks import (
    answer_item,
    item_of,
    make_rectification,
    make_referral,
    make_running_inspection,
    make_task,
    submit_task,
)

pytestmark = pytest.mark.django_db

PROGRESS_QUERIES = 20


def url(inspection) -> str:
    return reverse("inspections:progress", args=[inspection.pk])


def yesterday():
    return timezone.localdate() - timedelta(days=1)


def inspection_of(task: Task) -> JointInspection:
    return JointInspection.objects.get(origins__task=task)


def late(inspection) -> list[tuple[str, str, int]]:
    return [(row.department, row.what, row.count) for row in progress.late(inspection)]


@pytest.fixture
def inspection() -> JointInspection:
    return make_running_inspection(make_version())


def test_totals_count_visits_by_where_they_stand(inspection):
    make_task(inspection=inspection)
    answer_item(item_of(make_task(inspection=inspection)), AnswerValue.COMPLIANT)
    submit_task(make_task(inspection=inspection))
    make_task()
    assert progress.totals(inspection) == {
        "visits": 3,
        "submitted": 1,
        "under_way": 1,
        "overdue": 0,
        "findings": 0,
        "rectifying": 0,
        "rectifying_late": 0,
    }


def test_visits_past_their_window_name_the_departments_that_left_items_open(inspection):
    task = make_task(inspection=inspection)
    for item in task.items.exclude(department__code="ziran"):
        answer_item(item, AnswerValue.COMPLIANT)
    Task.objects.update(window_from=yesterday(), window_until=yesterday())
    assert late(inspection) == [("市自然资源局", "超过检查期限未填写", 1)]


def test_visits_in_time_make_nobody_late(inspection):
    make_task(inspection=inspection)
    assert late(inspection) == []


def test_department_that_let_the_tick_deadline_pass_is_late():
    inspection = make_inspection(ticked=True)
    JointInspection.objects.update(tick_deadline=timezone.now())
    ziran = inspection.participations.get(department__code="ziran")
    type(ziran).objects.filter(pk=ziran.pk).update(state="INVITED")
    assert late(JointInspection.objects.get()) == [("市自然资源局", "超过勾选期限未答复", 1)]


def test_unanswered_department_before_the_deadline_is_not_late():
    assert late(make_inspection()) == []


def test_recheck_past_its_day_is_late():
    rectification = make_rectification()
    Rectification.objects.update(due_on=yesterday())
    inspection = inspection_of(rectification.finding.task)
    assert late(inspection) == [("市消防救援大队", "超过整改期限未复查", 1)]


def test_referral_nobody_took_up_in_time_is_late():
    referral = make_referral()
    Referral.objects.update(due_on=yesterday())
    inspection = inspection_of(referral.finding.task)
    assert late(inspection) == [(referral.to_department.short_name, "超过受理期限未接收", 1)]


def test_towns_stand_in_their_order_with_their_visits(inspection):
    first = make_institution()
    make_task(inspection=inspection, institution=first)
    submit_task(make_task(inspection=inspection, institution=make_institution(town=first.town)))
    assert progress.by_town(inspection) == [
        {
            "town": first.town_id,
            "name": first.town.name,
            "visits": 2,
            "submitted": 1,
            "under_way": 0,
            "waiting": 1,
            "findings": 0,
        }
    ]


def test_course_adds_up_day_by_day(inspection, monkeypatch):
    tasks = [make_task(inspection=inspection) for _ in range(3)]
    now = timezone.now()
    for task, days in zip(tasks, (0, 2, 2), strict=True):
        monkeypatch.setattr("django.utils.timezone.now", lambda days=days: now + timedelta(days=days))
        submit_task(task)
    course = progress.over_time(inspection)
    assert [(bar["value"], bar["note"]) for bar in course] == [(1, "（新增 1）"), (3, "（新增 2）")]


def test_long_window_is_drawn_by_weeks(inspection):
    JointInspection.objects.update(window_until=inspection.window_from + timedelta(days=60))
    inspection.refresh_from_db()
    submit_task(make_task(inspection=inspection))
    assert [bar["label"].endswith("起一周") for bar in progress.over_time(inspection)] == [True]


@pytest.mark.parametrize("count", [1, 3])
def test_page_costs_the_same_for_one_and_three_visits(
    client_as, django_assert_num_queries, inspection, count
):
    for _ in range(count):
        make_task(inspection=inspection, window_until=yesterday(), window_from=yesterday())
    client = client_as(clerk_of(inspection.lead_department))
    with django_assert_num_queries(PROGRESS_QUERIES):
        response = client.get(url(inspection))
    assert len(response.context["late"]) == 4


def test_page_says_what_will_appear_before_there_are_visits(client_as):
    inspection = make_inspection(InspectionState.TICKING)
    text = client_as(clerk_of(inspection.lead_department)).get(url(inspection)).content.decode()
    assert all(words in text for words in ("还没有检查任务", "还没有提交的表单", "没有逾期事项"))


def test_uninvolved_department_finds_nothing(client_as, inspection):
    stranger = make_user(make_department("renshe"), Role.HANDLER)
    assert client_as(stranger).get(url(inspection)).status_code == 404
