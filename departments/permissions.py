"""Who in which department may do what: questions asked by services everywhere above."""

from collections.abc import Iterable

from django.core.exceptions import PermissionDenied

from departments.enums import Role
from departments.models import Department, User

# 经办 and those above them write for their department; 执法人员 write on the forms they are assigned.
CLERKS = (Role.HANDLER, Role.REVIEWER, Role.HEAD)


def require_role(user: User, roles: Iterable[Role], department: Department | None = None) -> None:
    """Raise PermissionDenied (403) unless the account holds one of the roles there."""
    if not user.holds(*roles, department=department):
        where = department.short_name if department else "任何部门"
        wanted = "、".join(Role(role).label for role in roles)
        raise PermissionDenied(f"需要{where}的{wanted}岗位。")
