"""Where a problem goes: the matrix row's penalty body, resolved on the day of the finding."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from departments.models import Department
from inspections.enums import ReferralRoute
from institutions.models import Institution
from scenarios.enums import PenaltyBodyKind
from scenarios.models import Delegation, MatrixRow

# What `routes` reads of a row; give it rows loaded with these.
ROW_RELATED = ("check_department", "penalty_department")


@dataclass(frozen=True)
class Route:
    """Who receives a referral and why; `warning` is a Chinese sentence when it is not who the matrix names."""

    department: Department
    route: ReferralRoute
    warning: str = ""


def route(row: MatrixRow, institution: Institution, day: date) -> Route:
    """Who may punish what this row names, for this institution, on `day` (the day of the finding).

    A row of the delegated towns goes to the town the institution stands in if its `Delegation` covers
    the penalty item that day, otherwise back to the department that implements the check, with a warning.
    """
    return routes([row], institution, day)[row.pk]


def routes(rows: Iterable[MatrixRow], institution: Institution, day: date) -> dict[int, Route]:
    """`route` of many rows of one institution, by row id, in two queries."""
    rows = list(rows)
    wanted = {row.penalty_item_id for row in rows if row.penalty_body == PenaltyBodyKind.DELEGATED_TOWN}
    delegated: set[int] = set()
    town_department = None
    if wanted:
        delegations = Delegation.objects.in_force(day).filter(
            town=institution.town_id, penalty_item__in=wanted
        )
        delegated = set(delegations.values_list("penalty_item", flat=True))
        town_department = Department.objects.filter(town=institution.town_id).first()
    return {row.pk: _resolve(row, institution, delegated, town_department) for row in rows}


def _resolve(
    row: MatrixRow, institution: Institution, delegated: set[int], town_department: Department | None
) -> Route:
    if row.penalty_body == PenaltyBodyKind.DEPARTMENT:
        return Route(row.penalty_department, ReferralRoute.DEPARTMENT)
    if row.penalty_body == PenaltyBodyKind.DELEGATED_TOWN:
        if town_department and row.penalty_item_id in delegated:
            return Route(town_department, ReferralRoute.DELEGATED_TOWN)
        why = f"{institution.town.name}未承接该项处罚权"
    else:
        why = "事项矩阵未列该项的处罚实施部门"
    warning = f"{why}，已退回检查部门{row.check_department.short_name}处理。"
    return Route(row.check_department, ReferralRoute.FALLBACK, warning)
