from datetime import date, timedelta

import pytest

from departments.enums import Role
from inspections.enums import ReferralRoute
from inspections.services.routing import ROW_RELATED, Route, route, routes
from scenarios.enums import PenaltyBodyKind
from scenarios.models import Delegation, MatrixRow
from scenarios.services.delegations import withdraw_delegation
from tests.factories.departments import make_department, make_town, make_user
from tests.factories.institutions import make_institution
from tests.factories.scenarios import Row, delegate_all, make_version

pytestmark = pytest.mark.django_db

SINCE = date(2024, 1, 1)


@pytest.fixture
def fire():
    """A row of the delegated towns and an institution in 英林镇."""
    version = make_version([Row("消防检查", "xiaofang", "占用疏散通道的处罚", "FIRE")])
    town = make_town("英林镇")
    make_department("yinglin", town)
    return version, version.rows.get(), make_institution(town)


def test_a_row_naming_a_department_goes_there():
    row = make_version([Row("消防检查", "xiaofang", "电气线路的处罚", "shichang")]).rows.get()
    expected = Route(make_department("shichang"), ReferralRoute.DEPARTMENT)
    assert route(row, make_institution(), SINCE) == expected


def test_a_delegated_row_goes_to_the_institutions_town(fire):
    version, row, institution = fire
    delegate_all(institution.town, version, since=SINCE)
    delegation = Delegation.objects.get()
    assert route(row, institution, SINCE) == Route(
        make_department("yinglin"), ReferralRoute.DELEGATED_TOWN, delegation=delegation
    )


def test_a_route_says_by_which_delegation(fire):
    version, row, institution = fire
    delegate_all(institution.town, version, since=SINCE)
    assert route(row, institution, SINCE).why == (
        "英林镇自 2024-01-01 起承接该项处罚权（消防行政处罚权赋权清单，承接确认书：未归档）。"
    )


def test_before_the_delegation_begins_it_falls_back_with_a_warning(fire):
    version, row, institution = fire
    delegate_all(institution.town, version, since=SINCE)
    found = route(row, institution, SINCE - timedelta(days=1))
    warning = "英林镇未承接该项处罚权，已退回检查部门市消防救援大队处理。"
    assert found == Route(make_department("xiaofang"), ReferralRoute.FALLBACK, warning)


def test_the_last_day_of_a_delegation_still_counts_and_the_day_after_does_not(fire):
    _, row, institution = fire
    until = date(2024, 6, 30)
    give(institution.town, row, valid_from=SINCE, valid_until=until)
    assert route(row, institution, until).route == ReferralRoute.DELEGATED_TOWN
    assert route(row, institution, until + timedelta(days=1)).route == ReferralRoute.FALLBACK


def test_another_towns_delegation_does_not_count(fire):
    version, row, institution = fire
    delegate_all(make_town("安海镇"), version)
    assert route(row, institution, date.today()).route == ReferralRoute.FALLBACK


def test_another_items_delegation_does_not_count(fire):
    _, row, institution = fire
    other = make_version([Row("用地检查", "ziran", "非法占地的处罚", "GENERAL")])
    delegate_all(institution.town, other)
    assert route(row, institution, date.today()).route == ReferralRoute.FALLBACK


def test_a_town_that_is_no_department_here_falls_back(fire):
    version, row, _ = fire
    institution = make_institution(make_town("紫帽镇"))
    delegate_all(institution.town, version)
    found = route(row, institution, date.today())
    assert found.warning == (
        "紫帽镇已承接该项处罚权，但平台尚未登记该镇街的部门，已退回检查部门市消防救援大队处理。"
    )


def test_a_row_without_a_penalty_body_stays_with_the_checking_department(fire):
    _, row, institution = fire
    row.penalty_body = PenaltyBodyKind.NONE
    found = route(row, institution, date.today())
    assert (found.department, found.route) == (make_department("xiaofang"), ReferralRoute.FALLBACK)


@pytest.fixture
def wiring():
    """A row that names 消防, as row 28 of the Jinjiang attachment does, and an institution in 英林镇."""
    version = make_version([Row("消防检查", "xiaofang", "电气线路的处罚", "xiaofang")])
    town = make_town("英林镇")
    make_department("yinglin", town)
    return version.rows.get(), make_institution(town)


def test_a_departments_item_changes_hands_on_the_first_day(wiring):
    row, institution = wiring
    give(institution.town, row, valid_from=SINCE)
    before, after = (route(row, institution, day) for day in (SINCE - timedelta(days=1), SINCE))
    assert (before.department.code, before.route, before.warning) == (
        "xiaofang",
        ReferralRoute.DEPARTMENT,
        "",
    )
    assert (after.department.code, after.route, after.warning) == (
        "yinglin",
        ReferralRoute.DELEGATED_TOWN,
        "",
    )


def test_a_departments_item_goes_back_to_it_after_the_last_day(wiring):
    row, institution = wiring
    give(institution.town, row, valid_from=SINCE, valid_until=date(2024, 6, 30))
    assert route(row, institution, date(2024, 6, 30)).department.code == "yinglin"
    assert route(row, institution, date(2024, 7, 1)).department.code == "xiaofang"


def test_the_department_keeps_its_item_in_towns_that_were_not_given_it(wiring):
    row, _ = wiring
    anhai = make_town("安海镇")
    make_department("anhai", anhai)
    give(make_town("英林镇"), row, valid_from=SINCE)
    found = route(row, make_institution(anhai), SINCE)
    assert (found.department.code, found.why) == (
        "xiaofang",
        "事项矩阵所列处罚实施部门为市消防救援大队。",
    )


def test_a_departments_item_stays_while_the_town_is_no_department_here(wiring):
    row, _ = wiring
    zimao = make_town("紫帽镇")
    give(zimao, row, valid_from=SINCE)
    found = route(row, make_institution(zimao), SINCE)
    assert (found.department.code, found.warning) == (
        "xiaofang",
        "紫帽镇已承接该项处罚权，但平台尚未登记该镇街的部门，仍移送市消防救援大队。",
    )


def test_a_replaced_entry_routes_nothing(wiring):
    row, institution = wiring
    withdraw_delegation(
        give(institution.town, row, valid_from=SINCE), reason="误登", actor=make_user(None, Role.SYSTEM_ADMIN)
    )
    assert route(row, institution, SINCE).department.code == "xiaofang"


def give(town, row: MatrixRow, *, valid_from: date, valid_until: date | None = None) -> Delegation:
    return Delegation.objects.create(
        town=town,
        penalty_item=row.penalty_item,
        delegation_list="FIRE",
        valid_from=valid_from,
        valid_until=valid_until,
        recorded_by=row.version.created_by,
    )


@pytest.mark.parametrize("rows", [1, 3])
def test_many_rows_are_routed_in_two_queries(rows, django_assert_num_queries):
    version = make_version([Row("消防检查", "xiaofang", f"第{n}项处罚", "FIRE") for n in range(rows)])
    institution = make_institution()
    make_department("yinglin", institution.town)
    loaded = list(MatrixRow.objects.filter(version=version).select_related(*ROW_RELATED))
    with django_assert_num_queries(2):
        assert len(routes(loaded, institution, date.today())) == rows
