"""What a version of a matrix means for what is under way: which joint inspections keep an earlier one."""

from dataclasses import dataclass
from datetime import date

from django.db.models import Q, QuerySet

from departments.models import Town, User
from inspections.enums import InspectionState
from inspections.models import JointInspection, JointInspectionVersion
from scenarios.enums import DelegationList
from scenarios.models import MatrixRow, PenaltyItem, ScenarioVersion
from scenarios.services.comparing import RouteChange, content_of_version, route_changes
from scenarios.services.delegations import delegations_touched_by, missing_delegations
from scenarios.services.versions import baseline

# Approved and not over: these keep the version they started with.
KEEPING = (
    InspectionState.TICKING,
    InspectionState.TICKING_CLOSED,
    InspectionState.GENERATING,
    InspectionState.UNDER_WAY,
)
# Not approved yet: these must choose again once their version is retired.
CHOOSING = (InspectionState.DRAFT, InspectionState.AWAITING_APPROVAL)


@dataclass(frozen=True)
class Touched:
    """A penalty item that changes hands, and the towns that hold it now."""

    route: RouteChange
    holders: list[Town]


@dataclass(frozen=True)
class Impact:
    """What follows from a version: `hidden` counts joint inspections the reader may not see."""

    base: ScenarioVersion | None
    keeping: list[JointInspection]
    choosing: list[JointInspection]
    hidden: int
    touched: list[Touched]
    # Towns that would need a delegation for the rows of this version: list in words → how many towns.
    lacking: list[tuple[str, int]]


def impact_of(version: ScenarioVersion, *, user: User, day: date) -> Impact:
    """What this version means for joint inspections on the scenario's versions, for routes and 赋权.

    For a draft: what publishing it would mean. A constant number of queries.
    """
    base = baseline(version)
    using = JointInspectionVersion.objects.filter(version__scenario=version.scenario_id)
    others = using.exclude(version=version.pk)
    inspections = JointInspection.objects.filter(
        Q(pk__in=using.values("joint_inspection"), state__in=KEEPING)
        | Q(pk__in=others.values("joint_inspection"), state__in=CHOOSING)
    )
    seen = list(_listed(inspections.filter(pk__in=JointInspection.objects.visible_to(user).values("pk"))))
    return Impact(
        base=base,
        keeping=[each for each in seen if each.state in KEEPING],
        choosing=[each for each in seen if each.state in CHOOSING],
        hidden=inspections.count() - len(seen),
        touched=_touched(base, version) if base else [],
        lacking=_lacking(version, day),
    )


def _listed(inspections: QuerySet[JointInspection]) -> QuerySet[JointInspection]:
    return (
        inspections.select_related("lead_department").prefetch_related("versions__scenario").order_by("-pk")
    )


def _touched(base: ScenarioVersion, version: ScenarioVersion) -> list[Touched]:
    """Penalty items that change hands, come in or drop out, each with the towns that hold it."""
    routes = route_changes(content_of_version(base), content_of_version(version))
    items = dict(
        PenaltyItem.objects.filter(name__in=[route.penalty for route in routes]).values_list("name", "pk")
    )
    holders: dict[int, dict[int, Town]] = {}
    for delegation in delegations_touched_by(items.values()):
        holders.setdefault(delegation.penalty_item_id, {})[delegation.town_id] = delegation.town
    return [Touched(route, list(holders.get(items.get(route.penalty, 0), {}).values())) for route in routes]


def _lacking(version: ScenarioVersion, day: date) -> list[tuple[str, int]]:
    towns: dict[str, set[int]] = {}
    for missing in missing_delegations(day, MatrixRow.objects.filter(version=version)):
        towns.setdefault(missing.delegation_list, set()).add(missing.town.pk)
    return [(DelegationList(listing).label, len(found)) for listing, found in towns.items()]
