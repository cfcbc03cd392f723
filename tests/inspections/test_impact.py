from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from core.errors import DomainError
from departments.enums import Role
from departments.models import Town, User
from inspections.enums import InspectionState
from inspections.services import launch
from inspections.services.impact import impact_of
from scenarios.models import ScenarioVersion
from scenarios.services.importing import import_workbook
from scenarios.services.versions import publish, retire
from tests.factories.departments import make_department, make_town, make_user
from tests.factories.inspections import clerk_of, head_of, make_inspection
from tests.factories.matrices import make_admin, make_bureaus, make_workbook, printed
from tests.factories.scenarios import delegate_all, make_version

pytestmark = pytest.mark.django_db

TOWN = "承接行政处罚权的乡镇（街道）"


@pytest.fixture
def admin() -> User:
    make_bureaus()
    return make_admin()


def imported(admin, *rows, theme: str = "养老安全一件事") -> ScenarioVersion:
    """The next draft of the scenario of this theme."""
    above = [[f"主题：{theme}", None, None, None, "牵头部门：市民政局", None, None]]
    data = make_workbook(rows or [printed()], above=above)
    return import_workbook(data, name="清单.xlsx", actor=admin, again=True)


def impact(version: ScenarioVersion, user: User):
    return impact_of(version, user=user, day=timezone.localdate())


# --- A joint inspection keeps its version -----------------------------------------------------------------


def test_a_joint_inspection_keeps_its_version_when_a_successor_is_published(admin):
    first = publish(imported(admin), actor=admin)
    inspection = make_inspection(InspectionState.TICKING_CLOSED, version=first, ticked=True)
    second = publish(imported(admin, printed(check="新的检查")), actor=admin)
    first.refresh_from_db()
    assert (first.state, second.state) == ("RETIRED", "PUBLISHED")
    assert list(inspection.versions.all()) == [first]
    assert [tick.item.version for tick in inspection.ticks.select_related("item__version")] == [first]


def test_a_joint_inspection_goes_on_after_its_version_was_retired(admin):
    first = publish(imported(admin), actor=admin)
    inspection = make_inspection(InspectionState.TICKING, version=first)
    retire(first, actor=admin, last_day=timezone.localdate(), reason="文件废止")
    launch_clerk = clerk_of(first.scenario.lead_department)
    assert list(inspection.versions.all()) == [first]
    assert [tick.item.name for tick in inspection.ticks.select_related("item")] == ["人员资质检查"]
    launch.cancel(inspection, actor=launch_clerk, reason="不再需要")


def test_a_plan_on_a_retired_version_is_told_to_choose_again(admin):
    first = publish(imported(admin), actor=admin)
    plan = make_inspection(InspectionState.DRAFT, version=first)
    retire(first, actor=admin, last_day=timezone.localdate(), reason="文件废止")
    with pytest.raises(DomainError, match="只能选用已发布、未停用的版本"):
        launch.submit_for_approval(plan, actor=clerk_of(first.scenario.lead_department))


# --- What a draft would mean --------------------------------------------------------------------------------


def test_a_draft_names_what_keeps_the_version_in_force_and_what_must_choose_again(admin):
    first = publish(imported(admin), actor=admin)
    running = make_inspection(InspectionState.TICKING, version=first)
    planned = make_inspection(InspectionState.AWAITING_APPROVAL, version=first)
    elsewhere = make_inspection(InspectionState.TICKING, version=make_version())
    draft = imported(admin, printed(check="新的检查"))
    found = impact(draft, head_of(first.scenario.lead_department))
    assert (found.base, found.keeping, found.choosing, found.hidden) == (first, [running], [planned], 0)
    assert elsewhere not in found.keeping


def test_the_version_in_force_asks_nobody_to_choose_again(admin):
    first = publish(imported(admin), actor=admin)
    make_inspection(InspectionState.AWAITING_APPROVAL, version=first)
    running = make_inspection(InspectionState.TICKING, version=first)
    found = impact(first, head_of(first.scenario.lead_department))
    assert (found.keeping, found.choosing) == ([running], [])


def test_joint_inspections_one_may_not_see_are_only_counted(admin):
    first = publish(imported(admin), actor=admin)
    make_inspection(InspectionState.TICKING, version=first)
    found = impact(first, make_user(make_department("ziran"), Role.HANDLER))
    assert (found.keeping, found.choosing, found.hidden) == ([], [], 1)


def test_finished_and_cancelled_ones_are_not_touched(admin):
    first = publish(imported(admin), actor=admin)
    inspection = make_inspection(InspectionState.TICKING, version=first)
    launch.cancel(inspection, actor=clerk_of(inspection.lead_department), reason="不再需要")
    found = impact(first, head_of(first.scenario.lead_department))
    assert (found.keeping, found.choosing, found.hidden) == ([], [], 0)


def test_a_penalty_that_goes_to_the_towns_names_those_that_hold_it_and_counts_those_that_do_not(admin):
    first = publish(imported(admin), actor=admin)
    held, _ = make_town("安海镇"), make_town("英林镇")
    draft = imported(admin, printed(body=TOWN))
    delegate_all(held, draft, since=timezone.localdate() - timedelta(days=30))
    found = impact(draft, head_of(first.scenario.lead_department))
    (touched,) = found.touched
    assert (touched.route.before, touched.route.after) == (("市民政局",), ("机构所在镇街（行政处罚权）",))
    assert touched.holders == [held]
    assert found.lacking == [("行政处罚权", Town.objects.count() - 1)]


def test_the_first_version_is_compared_with_nothing(admin):
    found = impact(imported(admin), admin)
    assert (found.base, found.touched, found.keeping) == (None, [], [])


# --- The page -------------------------------------------------------------------------------------------------


def test_the_page_stands_beside_the_matrix(client_as, admin):
    first = publish(imported(admin), actor=admin)
    running = make_inspection(InspectionState.TICKING, version=first, name="春季联合检查")
    draft = imported(admin, printed(body=TOWN))
    response = client_as(head_of(running.lead_department)).get(
        reverse("inspections:version_impact", args=[draft.pk])
    )
    page = response.content.decode()
    assert "春季联合检查" in page
    assert [(tab.label, tab.active) for tab in response.context["page_tabs"]] == [
        ("矩阵", False),
        ("对比", False),
        ("缺口", False),
        ("影响", True),
    ]


def test_a_draft_others_may_not_see_has_no_page_for_them(client_as, admin):
    draft = imported(admin)
    stranger = make_user(make_department("ziran"), Role.HANDLER)
    response = client_as(stranger).get(reverse("inspections:version_impact", args=[draft.pk]))
    assert response.status_code == 404


@pytest.mark.parametrize("number", [1, 3])
def test_the_page_asks_the_same_number_of_queries(client_as, admin, number, django_assert_num_queries):
    rows = [printed(number=at, check=f"检查{at}", penalty=f"处罚{at}") for at in range(number)]
    first = publish(imported(admin, *rows), actor=admin)
    for _ in range(number):
        make_inspection(InspectionState.TICKING, version=first)
    draft = imported(admin, *([*row[:6], TOWN] for row in rows))
    client = client_as(head_of(first.scenario.lead_department))
    with django_assert_num_queries(21):
        client.get(reverse("inspections:version_impact", args=[draft.pk]))
