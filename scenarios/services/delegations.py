"""赋权: which town implements which penalty item, and from when to when."""

from collections.abc import Iterable
from datetime import date, timedelta

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from core.errors import DomainError
from departments.enums import Role
from departments.models import Town, User
from ledger import services as ledger
from scenarios.enums import DelegationList, Event, PenaltyBodyKind, VersionState
from scenarios.models import Delegation, MatrixRow, PenaltyItem, Scenario
from scenarios.permissions import require_delegating


def delegate(
    town: Town,
    penalty_items: Iterable[PenaltyItem],
    delegation_list: DelegationList,
    *,
    valid_from: date,
    valid_until: date | None = None,
    actor: User,
) -> list[Delegation]:
    """The town implements these penalty items from `valid_from` to `valid_until`, both included.

    Raises DomainError when an item is not in that list of any matrix, when the dates are out of
    order or overlap a delegation the town has, PermissionDenied (scenarios/permissions.py).
    """
    return delegate_to_towns(
        [town], penalty_items, delegation_list, valid_from=valid_from, valid_until=valid_until, actor=actor
    )


@transaction.atomic
def delegate_to_towns(
    towns: Iterable[Town],
    penalty_items: Iterable[PenaltyItem],
    delegation_list: DelegationList,
    *,
    valid_from: date,
    valid_until: date | None = None,
    actor: User,
) -> list[Delegation]:
    """`delegate` for several towns at once: all of them or none."""
    items = list({item.pk: item for item in penalty_items}.values())
    # Locked in one order, so that two administrators never see each other's gap.
    towns = list(Town.objects.select_for_update().filter(pk__in=[town.pk for town in towns]).order_by("pk"))
    if not items or not towns:
        raise DomainError("请至少选择一个镇街和一项处罚事项。")
    if valid_until and valid_until < valid_from:
        raise DomainError("截止日期早于起始日期。", fields={"valid_until": "应不早于起始日期"})
    scenarios = _scenarios_with(items, delegation_list)
    require_delegating(actor, scenarios)
    _refuse_overlap(towns, items, valid_from, valid_until)
    delegations = Delegation.objects.bulk_create(
        Delegation(
            town=town,
            penalty_item=item,
            delegation_list=delegation_list,
            valid_from=valid_from,
            valid_until=valid_until,
        )
        for town in towns
        for item in items
    )
    payload = {
        "towns": [town.code for town in towns],
        "penalty_items": sorted(item.pk for item in items),
        "list": str(delegation_list),
        "valid_from": valid_from.isoformat(),
        "valid_until": valid_until.isoformat() if valid_until else "",
    }
    _record(scenarios, Event.DELEGATED, payload, actor)
    return delegations


@transaction.atomic
def end_delegation(delegation: Delegation, *, valid_until: date, actor: User) -> Delegation:
    """The delegation holds until `valid_until`, that day included; findings of later days go elsewhere.

    Raises DomainError for a day before today or before its start (what was routed stays true) and
    for a delegation that ends sooner anyway, PermissionDenied.
    """
    delegation = (
        Delegation.objects.select_for_update(of=["self"])
        .select_related("town", "penalty_item")
        .get(pk=delegation.pk)
    )
    scenarios = list(_naming([delegation.penalty_item], delegation.delegation_list))
    require_delegating(actor, scenarios)
    if valid_until < max(timezone.localdate(), delegation.valid_from):
        raise DomainError(
            "终止日期不能早于今天，也不能早于赋权起始日期。", fields={"valid_until": "日期过早"}
        )
    if delegation.valid_until and delegation.valid_until <= valid_until:
        raise DomainError(f"这项赋权已定于 {delegation.valid_until:%Y-%m-%d} 终止。")
    delegation.valid_until = valid_until
    delegation.save(update_fields=["valid_until"])
    payload = {
        "town": delegation.town.code,
        "penalty_item": delegation.penalty_item_id,
        "list": delegation.delegation_list,
        "valid_until": valid_until.isoformat(),
    }
    _record(scenarios, Event.DELEGATION_ENDED, payload, actor)
    return delegation


def delegable_items() -> dict[str, list[PenaltyItem]]:
    """For each 赋权清单 the penalty items that versions in force hand to towns, in the order of their rows."""
    rows = (
        MatrixRow.objects.filter(
            penalty_body=PenaltyBodyKind.DELEGATED_TOWN, version__state=VersionState.PUBLISHED
        )
        .select_related("penalty_item")
        .order_by("version", "position")
    )
    items: dict[str, dict[int, PenaltyItem]] = {listing: {} for listing in DelegationList.values}
    for row in rows:
        items[row.delegation_list].setdefault(row.penalty_item_id, row.penalty_item)
    return {listing: list(found.values()) for listing, found in items.items() if found}


def coverage(day: date) -> list[dict]:
    """For each town how many items of each list it holds on `day`; two queries beside `delegable_items`."""
    wanted = {listing: {item.pk for item in items} for listing, items in delegable_items().items()}
    held: dict[tuple[int, str], set[int]] = {}
    in_force = Delegation.objects.in_force(day).values_list("town", "delegation_list", "penalty_item")
    for town, listing, item in in_force:
        held.setdefault((town, listing), set()).add(item)
    return [
        {
            "town": town,
            "lists": [
                {
                    "list": DelegationList(listing),
                    "held": len(items & held.get((town.pk, listing), set())),
                    "total": len(items),
                }
                for listing, items in wanted.items()
            ],
        }
        for town in Town.objects.all()
    ]


def _naming(items: Iterable[PenaltyItem], delegation_list: str):
    rows = MatrixRow.objects.filter(
        penalty_body=PenaltyBodyKind.DELEGATED_TOWN, delegation_list=delegation_list, penalty_item__in=items
    )
    return Scenario.objects.filter(versions__rows__in=rows).select_related("lead_department").distinct()


def _scenarios_with(items: list[PenaltyItem], delegation_list: str) -> list[Scenario]:
    """The scenarios whose matrices put these items into the list; every item must be in one."""
    listed = set(
        MatrixRow.objects.filter(
            penalty_body=PenaltyBodyKind.DELEGATED_TOWN,
            delegation_list=delegation_list,
            penalty_item__in=items,
        ).values_list("penalty_item", flat=True)
    )
    missing = [item for item in items if item.pk not in listed]
    if missing:
        label = DelegationList(delegation_list).label
        raise DomainError(f"“{missing[0].name}”不在事项清单的{label}赋权范围内，不能赋权给镇街。")
    return list(_naming(items, delegation_list))


def _refuse_overlap(
    towns: list[Town], items: list[PenaltyItem], valid_from: date, valid_until: date | None
) -> None:
    overlap = Delegation.objects.filter(town__in=towns, penalty_item__in=items).filter(
        Q(valid_until=None) | Q(valid_until__gte=valid_from)
    )
    if valid_until:
        overlap = overlap.filter(valid_from__lte=valid_until)
    held = overlap.select_related("town", "penalty_item").first()
    if held:
        until = f"至 {held.valid_until:%Y-%m-%d}" if held.valid_until else "起长期有效"
        free = (
            f"，可自 {held.valid_until + timedelta(days=1):%Y-%m-%d} 起另行赋权" if held.valid_until else ""
        )
        raise DomainError(
            f"{held.town.name}的“{held.penalty_item.name}”自 {held.valid_from:%Y-%m-%d} {until}，"
            f"与所选日期重叠{free}。"
        )


def _record(scenarios: list[Scenario], event: Event, payload: dict, actor: User) -> None:
    department = (
        "" if actor.holds(Role.SYSTEM_ADMIN) or not actor.own_department else actor.own_department.key
    )
    ledger.append_many(
        [ledger.Record(scenario.subject, event, payload) for scenario in scenarios],
        actor=actor.key,
        department=department,
    )
