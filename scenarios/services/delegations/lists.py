"""What can be handed to towns: the 赋权清单 of the matrices, and what they leave with departments."""

from dataclasses import dataclass
from datetime import date

from django.db.models import Q, QuerySet
from django.utils import timezone

from scenarios.enums import DelegationList, PenaltyBodyKind, VersionState
from scenarios.models import MatrixRow, PenaltyItem

# Beside the lists: items whose row names a department, which may change hands one by one.
DEPARTMENTS = "DEPARTMENT"
LABELS = {**dict(DelegationList.choices), DEPARTMENTS: "部门实施的事项"}


@dataclass(frozen=True)
class Delegable:
    """A penalty item of a version in force: its rows, and who implements it where no town does."""

    item: PenaltyItem
    numbers: tuple[str, ...]
    body: str


def effective_rows(day: date) -> QuerySet[MatrixRow]:
    """The rows of the versions in force on `day`."""
    until = Q(version__effective_until=None) | Q(version__effective_until__gte=day)
    return MatrixRow.objects.filter(until, version__effective_from__lte=day).exclude(
        version__state=VersionState.DRAFT
    )


def delegable(day: date | None = None) -> dict[str, list[Delegable]]:
    """For each 赋权清单, then for DEPARTMENTS, what versions in force name, in the order of their rows.

    Versions in force today, and those in force on `day` when given; one query. An item that some row
    hands to towns stands in its list only.
    """
    rows = effective_rows(timezone.localdate())
    if day:
        rows = rows | effective_rows(day)
    rows = (
        rows.exclude(penalty_body=PenaltyBodyKind.NONE)
        .select_related("penalty_item", "penalty_department")
        .order_by("-version__state", "version", "position")
    )
    found: dict[tuple[str, int], list[MatrixRow]] = {}
    listed = set()
    for row in rows:
        found.setdefault((row.delegation_list or DEPARTMENTS, row.penalty_item_id), []).append(row)
        if row.delegation_list:
            listed.add(row.penalty_item_id)
    groups: dict[str, list[Delegable]] = {listing: [] for listing in LABELS}
    for (listing, item), named in found.items():
        if listing != DEPARTMENTS or item not in listed:
            groups[listing].append(_delegable(named))
    return {listing: items for listing, items in groups.items() if items}


def delegable_items() -> dict[str, list[PenaltyItem]]:
    """For each 赋权清单 the penalty items that versions in force hand to towns, in the order of their rows."""
    return {
        listing: [entry.item for entry in items]
        for listing, items in delegable().items()
        if listing != DEPARTMENTS
    }


def bodies_of(item: PenaltyItem, day: date) -> list[str]:
    """Who implements a penalty item on `day` in towns that were not given it, as the rows in force say."""
    rows = effective_rows(day).filter(penalty_item=item).exclude(penalty_body=PenaltyBodyKind.NONE)
    bodies = {}
    for row in rows.select_related("penalty_department", "check_department").order_by("version", "position"):
        body = row.penalty_department or row.check_department
        bodies[body.short_name] = None
    return list(bodies)


def _delegable(rows: list[MatrixRow]) -> Delegable:
    departments = {row.penalty_department.short_name: None for row in rows if row.penalty_department}
    return Delegable(
        item=rows[0].penalty_item,
        numbers=tuple(dict.fromkeys(row.number for row in rows if row.number)),
        body="、".join(departments),
    )
