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
    """Who receives a referral and why; `warning` is a Chinese sentence when it is not who the matrix names.

    `delegation` is the entry by which a town receives it.
    """

    department: Department
    route: ReferralRoute
    warning: str = ""
    delegation: Delegation | None = None

    @property
    def why(self) -> str:
        """The reason in one sentence: the delegation, the warning, or that the matrix says so."""
        if self.delegation and not self.warning:
            return f"{self.delegation.wording}。"
        return self.warning or f"事项矩阵所列处罚实施部门为{self.department.short_name}。"


def route(row: MatrixRow, institution: Institution, day: date) -> Route:
    """Who may punish what this row names, for this institution, on `day` (the day of the finding).

    An item changes hands by date: whatever body the row names, the town the institution stands in
    receives the finding if a `Delegation` covers the penalty item that day. Where none does, a row that
    names a department keeps it, and one of the delegated towns goes back to the department that
    implements the check, with a warning. Power over an item is one, whichever list handed it over.
    """
    return routes([row], institution, day)[row.pk]


def routes(rows: Iterable[MatrixRow], institution: Institution, day: date) -> dict[int, Route]:
    """`route` of many rows of one institution, by row id, in two queries."""
    rows = list(rows)
    wanted = {row.penalty_item_id for row in rows if row.penalty_item_id}
    held: dict[int, Delegation] = {}
    town_department = None
    if wanted:
        delegations = Delegation.objects.in_force(day).filter(
            town=institution.town_id, penalty_item__in=wanted
        )
        held = {found.penalty_item_id: found for found in delegations.select_related("town")}
        town_department = Department.objects.filter(town=institution.town_id).first()
    return {
        row.pk: _resolve(row, institution, held.get(row.penalty_item_id), town_department) for row in rows
    }


def _resolve(
    row: MatrixRow,
    institution: Institution,
    delegation: Delegation | None,
    town_department: Department | None,
) -> Route:
    town = institution.town.name
    if row.penalty_body == PenaltyBodyKind.NONE:
        why = "事项矩阵未列该项的处罚实施部门"
    elif delegation and town_department:
        return Route(town_department, ReferralRoute.DELEGATED_TOWN, delegation=delegation)
    elif delegation:
        why = f"{town}已承接该项处罚权，但平台尚未登记该镇街的部门"
    else:
        why = f"{town}未承接该项处罚权"
    if row.penalty_body == PenaltyBodyKind.DEPARTMENT:
        warning = f"{why}，仍移送{row.penalty_department.short_name}。" if delegation else ""
        return Route(row.penalty_department, ReferralRoute.DEPARTMENT, warning)
    warning = f"{why}，已退回检查部门{row.check_department.short_name}处理。"
    return Route(row.check_department, ReferralRoute.FALLBACK, warning)
