"""赋权 is recorded: which towns implement which penalty items, from and until when."""

from collections.abc import Iterable
from datetime import date, timedelta

from django.core.files.uploadedfile import UploadedFile
from django.db import transaction

from core import files
from core.errors import DomainError
from departments.models import Town, User
from scenarios.enums import DelegationList, Event, PenaltyBodyKind
from scenarios.models import Delegation, MatrixRow, PenaltyItem
from scenarios.permissions import require_delegating
from scenarios.services.delegations.records import Confirmation, leads, payload_of, record


def delegate(
    town: Town,
    penalty_items: Iterable[PenaltyItem],
    delegation_list: DelegationList,
    *,
    valid_from: date,
    valid_until: date | None = None,
    confirmation: UploadedFile | None = None,
    confirmation_number: str = "",
    actor: User,
) -> list[Delegation]:
    """The town implements these penalty items from `valid_from` to `valid_until`, both included.

    An item whose matrix row names a department changes hands: from that day the department no longer
    receives the findings of this town. `confirmation` is the 承接确认书 the town signed. Raises
    DomainError when the matrices hand an item to towns by another list or do not know it, when the
    dates are out of order or overlap a delegation the town has, and for a file that is no PDF or
    picture; PermissionDenied (scenarios/permissions.py).
    """
    return delegate_to_towns(
        [town],
        penalty_items,
        delegation_list,
        valid_from=valid_from,
        valid_until=valid_until,
        confirmation=confirmation,
        confirmation_number=confirmation_number,
        actor=actor,
    )


@transaction.atomic
def delegate_to_towns(
    towns: Iterable[Town],
    penalty_items: Iterable[PenaltyItem],
    delegation_list: DelegationList,
    *,
    valid_from: date,
    valid_until: date | None = None,
    confirmation: UploadedFile | None = None,
    confirmation_number: str = "",
    actor: User,
) -> list[Delegation]:
    """`delegate` for several towns at once: all of them or none."""
    items = list({item.pk: item for item in penalty_items}.values())
    # Locked in one order, so that two administrators never see each other's gap.
    towns = list(Town.objects.select_for_update().filter(pk__in=[town.pk for town in towns]).order_by("pk"))
    if not items or not towns:
        raise DomainError("请至少选择一个镇街和一项处罚事项。")
    require_order(valid_from, valid_until)
    require_listed(items, delegation_list)
    scenarios = leads([item.pk for item in items])
    require_delegating(actor, scenarios)
    overlap = Delegation.objects.filter(town__in=towns, penalty_item__in=items)
    refuse_overlap(overlap.overlapping(valid_from, valid_until))
    paper = Confirmation(files.store_document(confirmation) if confirmation else None, confirmation_number)
    delegations = Delegation.objects.bulk_create(
        Delegation(
            town=town,
            penalty_item=item,
            delegation_list=delegation_list,
            valid_from=valid_from,
            valid_until=valid_until,
            confirmation=paper.file,
            confirmation_number=paper.number,
            recorded_by=actor,
        )
        for town in towns
        for item in items
    )
    record(
        scenarios,
        Event.DELEGATED,
        {
            "towns": [town.code for town in towns],
            "penalty_items": sorted(item.pk for item in items),
            **payload_of(delegations[0]),
        },
        actor,
    )
    return delegations


def require_order(valid_from: date, valid_until: date | None) -> None:
    """Raise DomainError for a period that ends before it begins."""
    if valid_until and valid_until < valid_from:
        raise DomainError("截止日期早于起始日期。", fields={"valid_until": "应不早于起始日期"})


def require_listed(items: Iterable[PenaltyItem], delegation_list: DelegationList) -> None:
    """Raise DomainError unless each item may be handed over by this list.

    The list is the one by which the matrices hand the item to towns; an item they leave with a
    department may come by either.
    """
    items = list(items)
    lists = lists_of(item.pk for item in items)
    for item in items:
        named = lists.get(item.pk, set())
        if not named or (named - {""} and delegation_list not in named):
            label = DelegationList(delegation_list).label
            raise DomainError(f"“{item.name}”不在事项清单的{label}赋权范围内，不能赋权给镇街。")


def lists_of(penalty_items: Iterable[int]) -> dict[int, set[str]]:
    """The lists by which matrices hand each penalty item to towns; "" among them where a row names a department."""
    rows = MatrixRow.objects.filter(penalty_item__in=list(penalty_items))
    rows = rows.exclude(penalty_body=PenaltyBodyKind.NONE)
    lists: dict[int, set[str]] = {}
    for item, listing in rows.values_list("penalty_item", "delegation_list").distinct():
        lists.setdefault(item, set()).add(listing)
    return lists


def refuse_overlap(held: Iterable[Delegation]) -> None:
    """Raise DomainError naming the first of these delegations, which share a day with what is asked."""
    other = held.select_related("town", "penalty_item").first()
    if other is None:
        return
    until, free = "起长期有效", ""
    if other.valid_until:
        until = f"至 {other.valid_until}"
        free = f"，可自 {other.valid_until + timedelta(days=1)} 起另行赋权"
    raise DomainError(
        f"{other.town.name}的“{other.penalty_item.name}”自 {other.valid_from} {until}，与所选日期重叠{free}。"
    )
