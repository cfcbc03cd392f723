"""What 赋权 lacks, what runs out, what a change of the matrix touches: for pages that warn."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from django.conf import settings
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from departments.models import Town
from scenarios.enums import DelegationList, PenaltyBodyKind
from scenarios.models import Delegation, MatrixRow, PenaltyItem
from scenarios.services.delegations.lists import effective_rows


@dataclass(frozen=True)
class Missing:
    """What a town does not hold of a list, though rows in force send its findings there."""

    town: Town
    delegation_list: DelegationList
    items: list[PenaltyItem]


def missing_delegations(day: date, rows: QuerySet[MatrixRow] | None = None) -> list[Missing]:
    """For each town and 赋权清单 the items that rows in force on `day` need and the town lacks that day.

    `rows` are others than those in force, a draft's for example. Four queries whatever the number of
    towns and rows; nothing for a town that holds a whole list.
    """
    rows = effective_rows(day) if rows is None else rows
    rows = rows.filter(penalty_body=PenaltyBodyKind.DELEGATED_TOWN)
    needed: dict[str, dict[int, None]] = {listing: {} for listing in DelegationList.values}
    for listing, item in rows.order_by("version", "position").values_list("delegation_list", "penalty_item"):
        needed[listing][item] = None
    items = PenaltyItem.objects.in_bulk([item for wanted in needed.values() for item in wanted])
    held = set(
        Delegation.objects.in_force(day).filter(penalty_item__in=items).values_list("town", "penalty_item")
    )
    missing = [
        Missing(town, DelegationList(listing), lacking)
        for town in Town.objects.all()
        for listing, wanted in needed.items()
        if (lacking := [items[item] for item in wanted if (town.pk, item) not in held])
    ]
    return missing


def delegations_touched_by(penalty_items: Iterable[int]) -> QuerySet[Delegation]:
    """Delegations of these penalty items (ids) that hold today or will: what a change of their rows touches."""
    return (
        Delegation.objects.current()
        .filter(
            Q(valid_until=None) | Q(valid_until__gte=timezone.localdate()), penalty_item__in=penalty_items
        )
        .select_related("town", "penalty_item")
        .order_by("town", "penalty_item", "valid_from")
    )


def ending_delegations(day: date) -> QuerySet[Delegation]:
    """Delegations in force on `day` that end within DELEGATION_WARNING_DAYS and are not carried on the day after."""
    followed = Delegation.objects.current().filter(
        town=OuterRef("town"),
        penalty_item=OuterRef("penalty_item"),
        valid_from=OuterRef("valid_until") + timedelta(days=1),
    )
    last = day + timedelta(days=settings.DELEGATION_WARNING_DAYS)
    return Delegation.objects.in_force(day).filter(~Exists(followed), valid_until__lte=last)
