"""Who may see, tick and lead a joint inspection; the only caller of guardian's assign in this app."""

from django.core.exceptions import PermissionDenied
from guardian.shortcuts import assign_perm

from departments.enums import Role
from departments.models import Department, User
from departments.permissions import CLERKS, require_role
from inspections.models import JointInspection


def grant_leading(inspection: JointInspection) -> None:
    """From the draft on, the lead department sees and leads."""
    group = inspection.lead_department.group
    assign_perm("view_jointinspection", group, inspection)
    assign_perm("lead_jointinspection", group, inspection)


def grant_participation(inspection: JointInspection, department: Department) -> None:
    """From approval on, a participating department sees and ticks."""
    assign_perm("view_jointinspection", department.group, inspection)
    assign_perm("tick_jointinspection", department.group, inspection)


def require_leading(user: User, inspection: JointInspection) -> None:
    """Raise PermissionDenied unless the account is a clerk of the lead department."""
    if not user.has_perm("lead_jointinspection", inspection):
        raise PermissionDenied("只有牵头部门可以进行此操作。")
    require_role(user, CLERKS, inspection.lead_department)


def require_approving(user: User, inspection: JointInspection) -> None:
    """Raise PermissionDenied unless the account is the lead department's 负责人 (行政检查须经负责人批准，law.md §3)."""
    require_role(user, (Role.HEAD,), inspection.lead_department)


def require_ticking(user: User, inspection: JointInspection, department: Department) -> None:
    """Raise PermissionDenied unless the account is a clerk of a participating department."""
    if not user.has_perm("tick_jointinspection", inspection):
        raise PermissionDenied("贵部门未参与此次联合检查。")
    require_role(user, CLERKS, department)


def require_contributing(user: User, inspection: JointInspection, department: Department) -> None:
    """Raise PermissionDenied unless the account is a clerk of the lead or of a participating department."""
    takes_part = ("tick_jointinspection", "lead_jointinspection")
    if not any(user.has_perm(permission, inspection) for permission in takes_part):
        raise PermissionDenied("贵部门未参与此次联合检查。")
    require_role(user, CLERKS, department)


def require_swapping(user: User, department: Department) -> None:
    """Raise PermissionDenied unless the account is a clerk of the department whose officer is sent."""
    require_role(user, CLERKS, department)


def may_lead(user: User, inspection: JointInspection) -> bool:
    """Whether `require_leading` would let the account through."""
    return user.holds(*CLERKS, department=inspection.lead_department) and user.has_perm(
        "lead_jointinspection", inspection
    )
