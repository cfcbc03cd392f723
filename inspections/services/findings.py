"""A problem whose way ended: returned by its receiver, or not rectified."""

from django.db import transaction

from core.errors import DomainError
from departments.models import Department, User
from departments.permissions import require_role
from inspections.enums import (
    FINDING_TRANSITIONS,
    FindingState,
    RectificationState,
    ReferralRoute,
)
from inspections.models import Finding, Rectification, Referral
from inspections.services import referrals
from inspections.services.routing import ROW_RELATED, Route, route


@transaction.atomic
def send_on(finding: Finding, *, to_department: Department | None = None, actor: User) -> Referral:
    """Refer a returned problem again, or one whose rectification failed.

    Without `to_department` the matrix row decides, with the delegations of the day of the finding. Raises
    PermissionDenied unless the actor works in the department that found it, DomainError for any other state.
    """
    finding = (
        Finding.objects.select_for_update(of=("self",))
        .select_related("department", "institution__town", *(f"row__{name}" for name in ROW_RELATED))
        .get(pk=finding.pk)
    )
    require_role(actor, referrals.WORKERS, finding.department)
    if FindingState.REFERRED not in FINDING_TRANSITIONS[FindingState(finding.state)] or not may_send_on(
        finding
    ):
        raise DomainError(f"问题{finding.get_state_display()}，不能移送；被退回或整改复查未通过的才能移送。")
    finding.state = FindingState.REFERRED
    finding.save(update_fields=["state"])
    routed = chosen_route(finding, to_department)
    return referrals.send_all([(finding, routed)], actor=actor, department=finding.department)[0]


def may_send_on(finding: Finding) -> bool:
    """Whether the finding stands where `send_on` takes it from."""
    if finding.state == FindingState.RETURNED:
        return True
    return (
        finding.state == FindingState.RECTIFYING
        and Rectification.objects.filter(finding=finding, state=RectificationState.FAILED).exists()
    )


def chosen_route(finding: Finding, to_department: Department | None) -> Route:
    """The matrix's route, or the department chosen instead of it, which the warning then says.

    Raises DomainError for the department whose power the town had taken over by the day of the finding.
    """
    proposed = route(finding.row, finding.institution, finding.found_on)
    if to_department is None or to_department == proposed.department:
        return proposed
    if proposed.delegation and to_department.pk == finding.row.penalty_department_id:
        raise DomainError(
            f"{proposed.delegation.wording}，{to_department.short_name}不再受理，请移送{proposed.department.short_name}。",
            fields={"to_department": f"已由{proposed.department.short_name}承接，请改选"},
        )
    warning = (
        f"由检查部门指定移送{to_department.short_name}，事项矩阵所列为{proposed.department.short_name}。"
    )
    return Route(to_department, ReferralRoute.DEPARTMENT, warning)
