from datetime import date, timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import DatabaseError, IntegrityError, transaction

from core.errors import DomainError
from core.models import StoredFile
from departments.enums import Role
from ledger.services import entries_of
from scenarios.enums import DelegationList, Event
from scenarios.models import Delegation, PenaltyItem
from scenarios.services.delegations import (
    delegable_items,
    delegate,
    delegate_to_towns,
)
from tests.factories.departments import make_department, make_town, make_user
from tests.factories.matrices import make_admin
from tests.factories.papers import make_pdf
from tests.factories.scenarios import Row, delegate_all, make_version

pytestmark = pytest.mark.django_db

SINCE = date(2024, 12, 2)


@pytest.fixture
def version():
    return make_version()


@pytest.fixture
def admin():
    return make_admin()


@pytest.fixture
def town():
    return make_town("英林镇")


@pytest.fixture
def fire(version) -> list[PenaltyItem]:
    return list(
        PenaltyItem.objects.filter(rows__version=version, rows__delegation_list="FIRE").order_by("pk")
    )


def test_a_town_holds_what_it_was_given_from_its_first_day(town, fire, admin):
    delegate(town, fire, DelegationList.FIRE, valid_from=SINCE, actor=admin)
    assert Delegation.objects.in_force(SINCE).count() == 2
    assert Delegation.objects.in_force(SINCE - timedelta(days=1)).count() == 0


def test_a_town_holds_it_on_the_last_day_too(town, fire, admin):
    delegate(town, fire, DelegationList.FIRE, valid_from=SINCE, valid_until=date(2025, 12, 31), actor=admin)
    assert Delegation.objects.in_force(date(2025, 12, 31)).count() == 2
    assert Delegation.objects.in_force(date(2026, 1, 1)).count() == 0


def test_delegating_is_recorded_on_the_scenarios_chain(version, town, fire, admin):
    delegate(town, fire, DelegationList.FIRE, valid_from=SINCE, actor=admin)
    entry = entries_of(version.scenario.subject).last()
    assert (entry.kind, entry.payload) == (
        Event.DELEGATED,
        {
            "towns": [town.code],
            "penalty_items": [item.pk for item in fire],
            "list": "FIRE",
            "valid_from": "2024-12-02",
            "valid_until": "",
            "confirmation": "",
            "confirmation_number": "",
        },
    )


@pytest.mark.parametrize(
    ("valid_from", "valid_until"),
    [
        (SINCE, None),
        (date(2020, 1, 1), SINCE),
        (date(2025, 6, 30), None),
        (date(2025, 1, 1), date(2025, 1, 1)),
    ],
)
def test_overlapping_dates_are_refused(town, fire, admin, valid_from, valid_until):
    delegate(
        town, fire[:1], DelegationList.FIRE, valid_from=SINCE, valid_until=date(2025, 6, 30), actor=admin
    )
    with pytest.raises(DomainError, match=r"英林镇的“.*”自 2024-12-02 至 2025-06-30，与所选日期重叠"):
        delegate(town, fire, DelegationList.FIRE, valid_from=valid_from, valid_until=valid_until, actor=admin)
    assert Delegation.objects.count() == 1


def test_the_day_after_the_end_is_free_again(town, fire, admin):
    delegate(town, fire, DelegationList.FIRE, valid_from=SINCE, valid_until=date(2025, 6, 30), actor=admin)
    delegate(town, fire, DelegationList.FIRE, valid_from=date(2025, 7, 1), actor=admin)
    assert Delegation.objects.in_force(date(2025, 6, 30)).count() == 2
    assert Delegation.objects.in_force(date(2025, 7, 1)).count() == 2


def test_other_towns_do_not_overlap(town, fire, admin):
    delegate(town, fire, DelegationList.FIRE, valid_from=SINCE, actor=admin)
    delegate(make_town("安海镇"), fire, DelegationList.FIRE, valid_from=SINCE, actor=admin)
    assert Delegation.objects.count() == 4


def test_several_towns_get_all_or_none(town, fire, admin):
    delegate_all(town, fire[0].rows.first().version)
    with pytest.raises(DomainError, match="重叠"):
        delegate_to_towns(
            [make_town("安海镇"), town], fire, DelegationList.FIRE, valid_from=SINCE, actor=admin
        )
    assert not Delegation.objects.filter(town__name="安海镇").exists()


def test_delegating_many_asks_a_fixed_number_of_queries(fire, admin, django_assert_num_queries):
    towns = [make_town(f"第{number}镇") for number in range(19)]
    assert admin.holds(Role.SYSTEM_ADMIN)
    with django_assert_num_queries(12):
        delegate_to_towns(towns, fire, DelegationList.FIRE, valid_from=SINCE, actor=admin)


def test_an_item_no_row_names_is_refused(version, town, admin):
    item = PenaltyItem.objects.create(name="无照经营的处罚")
    with pytest.raises(DomainError, match="“无照经营的处罚”不在事项清单的消防行政处罚权赋权范围内"):
        delegate(town, [item], DelegationList.FIRE, valid_from=SINCE, actor=admin)


def test_an_item_the_matrix_leaves_with_a_department_may_change_hands(version, town, admin):
    item = PenaltyItem.objects.get(name="电气线路不合规定的处罚")
    (delegation,) = delegate(town, [item], DelegationList.FIRE, valid_from=SINCE, actor=admin)
    assert Delegation.objects.in_force(SINCE).get() == delegation


def test_the_paper_is_kept_with_every_item_it_covers(town, fire, admin):
    made = delegate(
        town,
        fire,
        DelegationList.FIRE,
        valid_from=SINCE,
        confirmation=make_pdf(),
        confirmation_number="晋英政承〔2024〕1号",
        actor=admin,
    )
    assert {delegation.confirmation.name for delegation in made} == {"承接确认书.pdf"}
    assert StoredFile.objects.count() == 1


def test_a_paper_that_is_none_saves_nothing(town, fire, admin):
    with pytest.raises(DomainError, match="不是 PDF 或图片"):
        delegate(
            town,
            fire,
            DelegationList.FIRE,
            valid_from=SINCE,
            confirmation=SimpleUploadedFile("承接确认书.pdf", b"MZ"),
            actor=admin,
        )
    assert Delegation.objects.count() == 0


def test_the_lead_of_one_scenario_does_not_dispose_of_anothers_items(version, town, fire):
    other = make_version([Row("消防检查", "xiaofang", fire[0].name, "FIRE")])
    lead = make_department("renshe")
    other.scenario.lead_department = lead
    other.scenario.save()
    with pytest.raises(PermissionDenied, match="也在市民政局牵头的清单中"):
        delegate(town, fire[:1], DelegationList.FIRE, valid_from=SINCE, actor=make_user(lead, Role.HEAD))


def test_the_database_refuses_two_periods_of_one_day(version, town, fire, admin):
    (delegation,) = delegate(town, fire[:1], DelegationList.FIRE, valid_from=SINCE, actor=admin)
    delegation.pk, delegation._state.adding = None, True
    delegation.valid_from = date(2030, 1, 1)
    with pytest.raises(IntegrityError, match="scenarios_one_delegation_a_day"), transaction.atomic():
        delegation.save()


def test_the_database_keeps_entries_as_they_were(town, fire, admin):
    delegate(town, fire[:1], DelegationList.FIRE, valid_from=SINCE, actor=admin)
    with pytest.raises(DatabaseError, match="赋权记录不可更改"), transaction.atomic():
        Delegation.objects.update(valid_until=date(2030, 1, 1))
    with pytest.raises(DatabaseError, match="赋权记录不可更改"), transaction.atomic():
        Delegation.objects.all().delete()


def test_the_two_lists_are_not_one(town, fire, admin):
    with pytest.raises(DomainError, match="不在事项清单的行政处罚权赋权范围内"):
        delegate(town, fire, DelegationList.GENERAL, valid_from=SINCE, actor=admin)


def test_dates_out_of_order_are_refused(town, fire, admin):
    with pytest.raises(DomainError) as caught:
        delegate(town, fire, DelegationList.FIRE, valid_from=SINCE, valid_until=date(2024, 1, 1), actor=admin)
    assert caught.value.fields == {"valid_until": "应不早于起始日期"}


def test_nothing_chosen_is_refused(town, admin):
    with pytest.raises(DomainError, match="请至少选择一个镇街和一项处罚事项"):
        delegate(town, [], DelegationList.FIRE, valid_from=SINCE, actor=admin)


@pytest.mark.parametrize("role", [Role.HEAD, Role.DEPARTMENT_ADMIN])
def test_the_leads_head_and_administrator_delegate(town, fire, role):
    actor = make_user(make_department("minzheng"), role)
    assert len(delegate(town, fire, DelegationList.FIRE, valid_from=SINCE, actor=actor)) == 2


@pytest.mark.parametrize(("code", "role"), [("minzheng", Role.HANDLER), ("xiaofang", Role.HEAD)])
def test_others_do_not_delegate(town, fire, code, role):
    with pytest.raises(PermissionDenied):
        delegate(
            town, fire, DelegationList.FIRE, valid_from=SINCE, actor=make_user(make_department(code), role)
        )


def test_delegable_items_are_those_of_versions_in_force(version, fire):
    assert {listing: len(items) for listing, items in delegable_items().items()} == {"GENERAL": 1, "FIRE": 2}
    assert delegable_items()["FIRE"] == fire
