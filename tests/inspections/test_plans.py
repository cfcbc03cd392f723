from datetime import date

import pytest
from django.core.exceptions import PermissionDenied
from django.urls import reverse
from django.utils import timezone

from core.errors import DomainError
from inspections.enums import InspectionKind, InspectionState, RoundState
from inspections.forms.launch import plan_of_round
from inspections.models import JointInspection, PlanRound
from inspections.services.plans import add_round, remove_round, with_progress
from ledger.models import Entry
from tests.factories.departments import make_department
from tests.factories.inspections import clerk_of, make_inspection
from tests.factories.institutions import make_institution
from tests.factories.plans import make_plan, make_round
from tests.factories.scenarios import make_version
from tests.inspections.test_launch_pages import filled

pytestmark = pytest.mark.django_db

PLAN_QUERIES = 12


@pytest.fixture
def minzheng():
    return make_department("minzheng")


@pytest.fixture
def lead(client_as, minzheng):
    return client_as(clerk_of(minzheng))


def url(plan) -> str:
    return reverse("inspections:plan", args=[plan.pk])


def filled_round(**changes) -> dict:
    values = {
        "name": "第二季度联合抽查",
        "month_from": 4,
        "month_until": 6,
        "kind": "DAILY",
        "scope": "全部在营机构",
        "rule": "40%",
    }
    return values | changes


def launched_for(planned: PlanRound, state: InspectionState) -> None:
    inspection = make_inspection()
    fields = {"cancelled_reason": "x"} if state == InspectionState.CANCELLED else {}
    JointInspection.objects.filter(pk=inspection.pk).update(plan_round=planned, state=state, **fields)


def state_of(planned: PlanRound) -> RoundState:
    return with_progress(PlanRound.objects.filter(pk=planned.pk))[0].state


def test_a_plan_is_made_and_rounds_are_added_from_the_page(lead, minzheng):
    data = {"lead_department": minzheng.pk, "year": timezone.localdate().year, "name": "年度计划"}
    response = lead.post(reverse("inspections:plan_create"), data)
    lead.post(response.url, filled_round())
    planned = PlanRound.objects.get()
    assert (planned.plan.name, planned.name, planned.kind) == (
        "年度计划",
        "第二季度联合抽查",
        InspectionKind.DAILY,
    )
    assert list(Entry.objects.filter(chain__subject=planned.plan.subject).values_list("kind", flat=True)) == [
        "plan.made",
        "plan.round_added",
    ]


def test_a_department_has_one_plan_a_year(lead, minzheng):
    plan = make_plan()
    data = {"lead_department": minzheng.pk, "year": plan.year, "name": "又一个"}
    response = lead.post(reverse("inspections:plan_create"), data)
    assert (response.status_code, list(response.context["form"].errors)) == (422, ["year"])


def test_months_out_of_order_are_said_beside_the_field(lead):
    response = lead.post(url(make_plan()), filled_round(month_from=6, month_until=4))
    assert response.status_code == 422
    assert response.context["form"].errors["month_until"] == ["结束月份早于开始月份。"]


def test_only_the_lead_changes_its_plan():
    with pytest.raises(PermissionDenied):
        add_round(make_plan(), actor=clerk_of(make_department("shichang")), **filled_round())
    with pytest.raises(PermissionDenied):
        remove_round(make_round(), actor=clerk_of(make_department("shichang")))


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        ([], RoundState.PLANNED),
        ([InspectionState.CANCELLED], RoundState.PLANNED),
        ([InspectionState.TICKING], RoundState.LAUNCHED),
        ([InspectionState.COMPLETED, InspectionState.TICKING], RoundState.LAUNCHED),
        ([InspectionState.COMPLETED, InspectionState.CANCELLED], RoundState.DONE),
    ],
)
def test_how_far_a_round_is_follows_from_what_was_launched(states, expected):
    planned = make_round()
    for state in states:
        launched_for(planned, state)
    assert state_of(planned) == expected


def test_a_launched_round_stays(minzheng):
    planned = make_round()
    launched_for(planned, InspectionState.TICKING)
    with pytest.raises(DomainError, match="已发起联合检查，不能删除"):
        remove_round(planned, actor=clerk_of(minzheng))


def test_a_round_nobody_launched_is_removed(lead):
    planned = make_round()
    lead.post(reverse("inspections:plan_round_remove", args=[planned.pk]))
    assert PlanRound.objects.count() == 0


def test_launching_from_a_round_fills_in_the_plan_and_ties_the_two(lead, minzheng):
    version, planned = make_version(), make_round()
    make_institution()
    address = f"{reverse('inspections:launch')}?round={planned.pk}"
    form = lead.get(address).context["form"]
    assert (form["name"].value(), form["kind"].value(), form["purpose"].value()) == (
        "全年联合抽查",
        InspectionKind.SPECIAL,
        "全部在营机构；40%",
    )
    lead.post(address, filled(minzheng, version))
    inspection = JointInspection.objects.get()
    assert inspection.plan_round == planned
    assert inspection.name in lead.get(url(planned.plan)).content.decode()


def test_the_window_of_a_coming_round_is_its_months():
    next_year = timezone.localdate().year + 1
    planned = make_round(make_plan(next_year), month_from=11, month_until=12)
    filled_in = plan_of_round(planned)
    assert (filled_in["window_from"], filled_in["window_until"]) == (
        date(next_year, 11, 1),
        date(next_year, 12, 31),
    )


def test_a_round_of_another_department_is_not_there(lead):
    planned = make_round(make_plan(lead="shichang"))
    assert lead.get(reverse("inspections:launch"), {"round": planned.pk}).status_code == 404


@pytest.mark.parametrize("count", [1, 3])
def test_page_costs_the_same_for_one_and_three(lead, django_assert_num_queries, count):
    for _ in range(count):
        launched_for(make_round(), InspectionState.TICKING)
    with django_assert_num_queries(PLAN_QUERIES):
        lead.get(url(make_plan()))
