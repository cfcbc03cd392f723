from datetime import date, timedelta

import pytest
from django.utils import timezone

from scenarios.models import Delegation, PenaltyItem, ScenarioVersion
from scenarios.services.delegations import grid
from tests.factories.departments import make_town
from tests.factories.scenarios import delegate_all, make_version

pytestmark = pytest.mark.django_db

ITEM = "占用疏散通道的处罚"


def in_days(days: int) -> date:
    return timezone.localdate() + timedelta(days=days)


@pytest.fixture
def version():
    return make_version()


@pytest.fixture
def give(version):
    town = make_town("英林镇")

    def give(valid_from: date, valid_until: date | None = None, name: str = ITEM) -> None:
        Delegation.objects.create(
            town=town,
            penalty_item=PenaltyItem.objects.get(name=name),
            delegation_list="FIRE",
            valid_from=valid_from,
            valid_until=valid_until,
            recorded_by=version.created_by,
        )

    return give


def text(day: date | None = None) -> str:
    (line,) = grid(day or in_days(0)).lines
    return next(cell.text for cell in line.cells if cell.item.name == ITEM)


def test_columns_stand_by_list_in_the_order_of_the_rows(give):
    shown = grid(in_days(0))
    assert [(group.label, [column.item.name for column in group.columns]) for group in shown.groups] == [
        ("行政处罚权", ["非法占用土地的处罚"]),
        ("消防行政处罚权", [ITEM, "门窗障碍物的处罚"]),
    ]
    assert [column.numbers for column in shown.columns] == [("4",), ("5",), ("6",)]


def test_a_departments_item_stands_there_once_a_town_was_given_it(give):
    give(in_days(-1), name="电气线路不合规定的处罚")
    group = grid(in_days(0)).groups[-1]
    assert (group.label, [(column.item.name, column.body) for column in group.columns]) == (
        "部门实施的事项",
        [("电气线路不合规定的处罚", "市消防救援大队")],
    )


def test_all_departments_items_are_shown_when_asked_for(give):
    (group,) = grid(in_days(0), listing="DEPARTMENT").groups
    assert len(group.columns) == 4


def test_one_list_alone(give):
    assert [group.code for group in grid(in_days(0), listing="GENERAL").groups] == ["GENERAL"]


def test_a_cell_without_any_delegation(give):
    assert text() == "未承接"


def test_a_cell_held_without_end(give):
    give(in_days(-1))
    assert text() == "承接"


def test_a_cell_held_until_a_day(give):
    give(in_days(-1), in_days(61))
    (line,) = grid(in_days(0)).lines
    assert [(cell.text, cell.mark) for cell in line.cells][1] == (f"承接至 {in_days(61)}", "HELD")


def test_a_cell_that_ends_soon(give):
    give(in_days(-1), in_days(60))
    (line,) = grid(in_days(0)).lines
    assert line.cells[1].mark == "ENDING"


def test_a_cell_that_goes_on_with_the_next_period(give):
    give(in_days(-1), in_days(9))
    give(in_days(10))
    (line,) = grid(in_days(0)).lines
    assert line.cells[1].mark == "HELD"


def test_a_cell_to_come_and_the_same_on_its_day(give):
    give(in_days(30))
    assert text() == f"将于 {in_days(30)} 起"
    assert text(in_days(30)) == "承接"


def test_a_cell_that_ended_and_the_same_before(give):
    give(in_days(-20), in_days(-10))
    assert text() == f"已于 {in_days(-10)} 止"
    assert text(in_days(-15)) == f"承接至 {in_days(-10)}"
    assert text(in_days(-21)) == f"将于 {in_days(-20)} 起"


def test_after_the_end_the_next_period_is_what_counts(give):
    give(in_days(-20), in_days(-10))
    give(in_days(5))
    assert text() == f"将于 {in_days(5)} 起"


def test_items_of_a_version_in_force_that_day_are_shown_too(give):
    retired = make_version()
    ScenarioVersion.objects.filter(pk=retired.pk).update(state="RETIRED", effective_until=in_days(-5))
    assert len(grid(in_days(-6)).columns) == 3


@pytest.mark.parametrize("towns", [1, 3])
def test_a_grid_asks_three_queries(version, towns, django_assert_num_queries):
    for number in range(towns):
        delegate_all(make_town(f"第{number}镇"), version)
    with django_assert_num_queries(3):
        assert [line.held for line in grid(in_days(0)).lines] == [3] * towns
