"""Towns × items as of a day: what each cell says, for the page and the workbook."""

from dataclasses import dataclass
from datetime import date, timedelta

from django.conf import settings

from departments.models import Town
from scenarios.enums import DelegationMark
from scenarios.models import Delegation, PenaltyItem
from scenarios.services.delegations.lists import DEPARTMENTS, LABELS, Delegable, delegable


@dataclass(frozen=True)
class Cell:
    """One town and item: the mark, and the delegation it rests on."""

    item: PenaltyItem
    mark: DelegationMark
    delegation: Delegation | None = None

    @property
    def is_held(self) -> bool:
        return self.mark in (DelegationMark.HELD, DelegationMark.ENDING)

    @property
    def text(self) -> str:
        """承接, 至 2026-12-31, 将于 2026-12-25 起, 已于 2024-06-30 止, 未承接."""
        if self.mark == DelegationMark.COMING:
            return f"将于 {self.delegation.valid_from} 起"
        if self.mark == DelegationMark.PAST:
            return f"已于 {self.delegation.valid_until} 止"
        if self.is_held and self.delegation.valid_until:
            return f"承接至 {self.delegation.valid_until}"
        return self.mark.label


@dataclass(frozen=True)
class Group:
    """The columns of one 赋权清单."""

    code: str
    columns: list[Delegable]

    @property
    def label(self) -> str:
        return LABELS[self.code]


@dataclass(frozen=True)
class Line:
    """One town with a cell for every column, group by group."""

    town: Town
    groups: list[tuple[Group, list[Cell]]]

    @property
    def cells(self) -> list[Cell]:
        return [cell for _, cells in self.groups for cell in cells]

    @property
    def held(self) -> int:
        return sum(cell.is_held for cell in self.cells)


@dataclass(frozen=True)
class Grid:
    day: date
    groups: list[Group]
    lines: list[Line]

    @property
    def columns(self) -> list[Delegable]:
        return [column for group in self.groups for column in group.columns]


def grid(day: date, *, listing: str = "", town: Town | None = None) -> Grid:
    """Towns × items on `day`: one 赋权清单 or all; three queries.

    Without a `listing`, items that the matrices leave with departments stand there once a town was
    given one.
    """
    offered = delegable(day)
    wanted = {entry.item.pk for items in offered.values() for entry in items}
    held: dict[tuple[int, int], list[Delegation]] = {}
    rows = Delegation.objects.current().filter(penalty_item__in=wanted).select_related("town")
    for delegation in rows.order_by("valid_from"):
        held.setdefault((delegation.town_id, delegation.penalty_item_id), []).append(delegation)
    given = {item for _, item in held}
    groups = []
    for code, items in offered.items():
        if listing not in ("", code):
            continue
        if not listing and code == DEPARTMENTS:
            items = [entry for entry in items if entry.item.pk in given]
        if items:
            groups.append(Group(code, items))
    lines = [
        Line(
            shown,
            [
                (
                    group,
                    [
                        _cell(entry.item, held.get((shown.pk, entry.item.pk), []), day)
                        for entry in group.columns
                    ],
                )
                for group in groups
            ],
        )
        for shown in ([town] if town else Town.objects.all())
    ]
    return Grid(day, groups, lines)


def _cell(item: PenaltyItem, periods: list[Delegation], day: date) -> Cell:
    """What the periods of one town and item, in their order, mean on `day`."""
    soon = day + timedelta(days=settings.DELEGATION_WARNING_DAYS)
    past = None
    for at, period in enumerate(periods):
        if period.valid_from > day:
            return Cell(item, DelegationMark.COMING, period)
        if period.valid_until is None or period.valid_until >= day:
            followers = periods[at + 1 : at + 2]
            goes_on = any(next_.valid_from == period.valid_until + timedelta(days=1) for next_ in followers)
            ends = period.valid_until is not None and period.valid_until <= soon and not goes_on
            return Cell(item, DelegationMark.ENDING if ends else DelegationMark.HELD, period)
        past = period
    return Cell(item, DelegationMark.PAST, past) if past else Cell(item, DelegationMark.NONE)
