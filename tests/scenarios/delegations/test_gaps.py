from datetime import date, timedelta

import pytest
from django.utils import timezone

from scenarios.models import Delegation, PenaltyItem
from scenarios.services.delegations import delegations_touched_by, ending_delegations, missing_delegations
from tests.factories.departments import make_town
from tests.factories.scenarios import Row, delegate_all, make_version

pytestmark = pytest.mark.django_db


def in_days(days: int) -> date:
    return timezone.localdate() + timedelta(days=days)


def give(town, name: str, version, *, valid_from: date, valid_until: date | None = None) -> Delegation:
    return Delegation.objects.create(
        town=town,
        penalty_item=PenaltyItem.objects.get(name=name),
        delegation_list="FIRE",
        valid_from=valid_from,
        valid_until=valid_until,
        recorded_by=version.created_by,
    )


def missing(day: date) -> list[tuple[str, str, list[str]]]:
    return [
        (gap.town.name, gap.delegation_list, [item.name for item in gap.items])
        for gap in missing_delegations(day)
    ]


def test_a_town_that_holds_every_item_lacks_nothing():
    version = make_version()
    delegate_all(make_town("英林镇"), version)
    assert missing(in_days(0)) == []


def test_what_a_town_lacks_is_named_list_by_list():
    version = make_version()
    town = make_town("紫帽镇")
    give(town, "占用疏散通道的处罚", version, valid_from=date(2024, 1, 1))
    assert missing(in_days(0)) == [
        ("紫帽镇", "GENERAL", ["非法占用土地的处罚"]),
        ("紫帽镇", "FIRE", ["门窗障碍物的处罚"]),
    ]


def test_a_delegation_of_another_day_does_not_fill_the_gap():
    version = make_version([Row("消防检查", "xiaofang", "占用疏散通道的处罚", "FIRE")])
    give(make_town("紫帽镇"), "占用疏散通道的处罚", version, valid_from=in_days(1))
    assert missing(in_days(0)) == [("紫帽镇", "FIRE", ["占用疏散通道的处罚"])]
    assert missing(in_days(1)) == []


def test_before_a_version_is_in_force_it_needs_nothing():
    make_version()
    make_town("紫帽镇")
    assert missing(in_days(-31)) == []


@pytest.mark.parametrize("towns", [1, 3])
def test_gaps_ask_a_fixed_number_of_queries(towns, django_assert_num_queries):
    make_version()
    for number in range(towns):
        make_town(f"第{number}镇")
    with django_assert_num_queries(4):
        assert len(missing_delegations(in_days(0))) == 2 * towns


def test_a_change_of_rows_touches_what_holds_now_or_later():
    version = make_version()
    town = make_town("英林镇")
    name = "占用疏散通道的处罚"
    give(town, name, version, valid_from=in_days(-60), valid_until=in_days(-31))
    now = give(town, name, version, valid_from=in_days(-30), valid_until=in_days(0))
    later = give(town, name, version, valid_from=in_days(1))
    item = PenaltyItem.objects.get(name=name)
    assert list(delegations_touched_by([item.pk])) == [now, later]
    assert list(delegations_touched_by([])) == []


@pytest.mark.parametrize(("until", "is_ending"), [(0, True), (60, True), (61, False), (None, False)])
def test_a_delegation_is_ending_within_the_warning(until, is_ending):
    until = None if until is None else in_days(until)
    give(
        make_town(),
        "占用疏散通道的处罚",
        make_version(),
        valid_from=date(2024, 1, 1),
        valid_until=until,
    )
    assert ending_delegations(in_days(0)).exists() == is_ending


def test_what_goes_on_the_next_day_is_not_ending():
    version, town = make_version(), make_town()
    give(town, "占用疏散通道的处罚", version, valid_from=date(2024, 1, 1), valid_until=in_days(9))
    give(town, "占用疏散通道的处罚", version, valid_from=in_days(10))
    assert not ending_delegations(in_days(0)).exists()
