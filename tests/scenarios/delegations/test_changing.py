from datetime import date, timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.utils import timezone

from core.errors import DomainError, StaleError
from departments.enums import Role
from ledger.services import entries_of
from scenarios.enums import DelegationAct, DelegationList, Event
from scenarios.models import Delegation, PenaltyItem
from scenarios.services.delegations import (
    alike,
    change_together,
    confirm_delegation,
    correct_delegation,
    delegate,
    end_delegation,
    prolong_delegation,
    withdraw_delegation,
)
from tests.factories.departments import make_department, make_town, make_user
from tests.factories.matrices import make_admin
from tests.factories.papers import make_pdf
from tests.factories.scenarios import make_version

pytestmark = pytest.mark.django_db

SINCE = date(2024, 12, 2)


def in_days(days: int) -> date:
    return timezone.localdate() + timedelta(days=days)


@pytest.fixture
def version():
    return make_version()


@pytest.fixture
def admin():
    return make_admin()


@pytest.fixture
def item(version) -> PenaltyItem:
    return PenaltyItem.objects.filter(rows__version=version, rows__delegation_list="FIRE").first()


@pytest.fixture
def give(item, admin):
    """Delegate the item to 英林镇 for a period."""
    town = make_town("英林镇")

    def give(valid_from: date = SINCE, valid_until: date | None = None, **paper) -> Delegation:
        (made,) = delegate(
            town, [item], DelegationList.FIRE, valid_from=valid_from, valid_until=valid_until, actor=admin, **paper
        )  # fmt: skip
        return made

    return give


def test_ending_keeps_the_last_day_and_is_recorded(version, give, admin):
    end_delegation(give(), valid_until=in_days(0), reason="承接能力不足", actor=admin)
    assert Delegation.objects.in_force(in_days(0)).count() == 1
    assert Delegation.objects.in_force(in_days(1)).count() == 0
    entry = entries_of(version.scenario.subject).last()
    assert (entry.kind, entry.payload["valid_until"]) == (Event.DELEGATION_ENDED, in_days(0).isoformat())
    assert "承接能力不足" not in str(entry.payload)


def test_what_was_recorded_before_stays_beside_what_replaces_it(give, admin):
    first = give()
    second = end_delegation(first, valid_until=in_days(5), actor=admin)
    first.refresh_from_db()
    assert (first.valid_until, first.is_current, first.replaced_by) == (None, False, second)
    assert (second.valid_from, second.act, second.recorded_by) == (SINCE, DelegationAct.ENDED, admin)


def test_a_delegation_is_not_ended_in_the_past(give, admin):
    with pytest.raises(DomainError, match="终止日期不能早于今天"):
        end_delegation(give(), valid_until=in_days(-1), actor=admin)


def test_ending_never_prolongs(give, admin):
    with pytest.raises(DomainError, match="已定于"):
        end_delegation(give(valid_until=in_days(10)), valid_until=in_days(11), actor=admin)


def test_an_entry_replaced_meanwhile_is_not_changed_again(give, admin):
    first = give()
    end_delegation(first, valid_until=in_days(5), actor=admin)
    with pytest.raises(StaleError, match="已被新的登记取代"):
        end_delegation(first, valid_until=in_days(3), actor=admin)


@pytest.mark.parametrize("until", [None, 400])
def test_a_delegation_is_prolonged_without_a_gap(give, admin, until):
    until = until and in_days(until)
    longer = prolong_delegation(give(valid_until=in_days(10)), valid_until=until, actor=admin)
    assert (longer.valid_from, longer.valid_until, longer.act) == (SINCE, until, DelegationAct.PROLONGED)


def test_prolonging_keeps_the_paper_unless_a_new_one_comes(give, admin):
    first = give(valid_until=in_days(10), confirmation=make_pdf(), confirmation_number="1号")
    second = prolong_delegation(first, valid_until=in_days(20), actor=admin)
    assert (second.confirmation, second.confirmation_number) == (first.confirmation, "1号")
    third = prolong_delegation(
        second, valid_until=None, confirmation=make_pdf("续.pdf"), confirmation_number="2号", actor=admin
    )
    assert (third.confirmation.name, third.confirmation_number) == ("续.pdf", "2号")


def test_what_ran_out_is_not_prolonged(give, admin):
    with pytest.raises(DomainError, match="请另行登记"):
        prolong_delegation(give(valid_until=in_days(-1)), valid_until=None, actor=admin)


def test_what_has_no_end_is_not_prolonged(give, admin):
    with pytest.raises(DomainError, match="长期有效"):
        prolong_delegation(give(), valid_until=in_days(10), actor=admin)


def test_prolonging_to_an_earlier_day_is_refused(give, admin):
    with pytest.raises(DomainError) as refused:
        prolong_delegation(give(valid_until=in_days(10)), valid_until=in_days(9), actor=admin)
    assert refused.value.fields == {"valid_until": "应晚于现定截止日期"}


def test_prolonging_into_the_next_period_is_refused(give, admin):
    first = give(valid_until=in_days(10))
    give(valid_from=in_days(20))
    with pytest.raises(DomainError, match="重叠"):
        prolong_delegation(first, valid_until=in_days(20), actor=admin)


def test_a_wrong_date_is_corrected_with_a_reason(version, give, admin):
    wrong = give()
    right = correct_delegation(
        wrong,
        valid_from=date(2023, 1, 1),
        valid_until=None,
        delegation_list=DelegationList.FIRE,
        reason="日期误录",
        actor=admin,
    )
    assert Delegation.objects.in_force(date(2023, 1, 1)).get() == right
    entry = entries_of(version.scenario.subject).last()
    assert (entry.kind, entry.payload["act"], entry.payload["replaces"]) == (
        Event.DELEGATION_CHANGED,
        "CORRECTED",
        wrong.pk,
    )


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"reason": " "}, "请填写更正理由"),
        ({"valid_from": SINCE}, "没有改动"),
        ({"valid_until": date(2022, 1, 1)}, "截止日期早于起始日期"),
        ({"delegation_list": DelegationList.GENERAL}, "不在事项清单的行政处罚权赋权范围内"),
    ],
)
def test_a_correction_that_corrects_nothing_is_refused(give, admin, changes, message):
    fields = {
        "valid_from": date(2023, 1, 1),
        "valid_until": None,
        "delegation_list": DelegationList.FIRE,
        "reason": "日期误录",
    }
    with pytest.raises(DomainError, match=message):
        correct_delegation(give(), actor=admin, **fields | changes)


def test_a_withdrawn_entry_counts_for_no_day_but_stays(give, admin):
    gone = withdraw_delegation(give(), reason="误登", actor=admin)
    assert Delegation.objects.in_force(SINCE).count() == 0
    assert (gone.act, gone.is_current, Delegation.objects.count()) == (DelegationAct.WITHDRAWN, False, 2)
    give()


def test_withdrawing_needs_a_reason(give, admin):
    with pytest.raises(DomainError, match="请填写撤销理由"):
        withdraw_delegation(give(), reason="", actor=admin)


def test_the_paper_is_filed_afterwards(give, admin):
    filed = confirm_delegation(give(), confirmation=make_pdf(), confirmation_number="3号", actor=admin)
    assert (filed.confirmation.name, filed.confirmation_number) == ("承接确认书.pdf", "3号")


def test_what_one_paper_covers_is_changed_together(version, give, admin):
    first = give(valid_until=in_days(10))
    other = PenaltyItem.objects.filter(rows__version=version, rows__delegation_list="FIRE").last()
    delegate(first.town, [other], DelegationList.FIRE, valid_from=SINCE, valid_until=in_days(10), actor=admin)
    general = PenaltyItem.objects.get(rows__delegation_list="GENERAL")
    delegate(
        first.town,
        [general],
        DelegationList.GENERAL,
        valid_from=SINCE,
        valid_until=in_days(10),
        actor=admin,
    )
    assert alike(first).count() == 1
    changed = change_together(
        prolong_delegation, first, valid_until=in_days(99), confirmation=make_pdf(), actor=admin
    )
    assert {one.penalty_item for one in changed} == {first.penalty_item, other}
    assert {one.valid_until for one in changed} == {in_days(99)}
    assert len({one.confirmation for one in changed}) == 1


def test_together_is_all_or_nothing(version, give, admin):
    first = give(valid_until=in_days(10))
    other = PenaltyItem.objects.filter(rows__version=version, rows__delegation_list="FIRE").last()
    terms = {"valid_from": SINCE, "valid_until": in_days(10), "actor": admin}
    delegate(first.town, [other], DelegationList.FIRE, **terms)
    delegate(first.town, [other], DelegationList.FIRE, valid_from=in_days(20), actor=admin)
    with pytest.raises(DomainError, match="重叠"):
        change_together(prolong_delegation, first, valid_until=in_days(30), actor=admin)
    assert not Delegation.objects.filter(act=DelegationAct.PROLONGED).exists()


def test_others_change_nothing(give):
    stranger = make_user(make_department("xiaofang"), Role.HEAD)
    with pytest.raises(PermissionDenied):
        end_delegation(give(), valid_until=in_days(0), actor=stranger)
