"""Who keeps the register, and who may say that an officer must not inspect an institution."""

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet

from departments.enums import Role
from departments.models import Officer, User
from departments.permissions import CLERKS

KEEPER_ROLES = (*CLERKS, Role.DEPARTMENT_ADMIN)


def keeps_register(user: User) -> bool:
    """系统管理员, and the clerks and administrator of the department named by REGISTER_KEEPER."""
    if user.holds(Role.SYSTEM_ADMIN):
        return True
    return any(
        post.role in KEEPER_ROLES and post.department_id and post.department.code == settings.REGISTER_KEEPER
        for post in user.held_posts
    )


def require_keeper(user: User) -> None:
    """Raise PermissionDenied (403) unless the account keeps the register."""
    if not keeps_register(user):
        raise PermissionDenied("机构名录由名录维护部门登记和变更，您的岗位无权修改。")


def may_recuse(user: User, officer: Officer) -> bool:
    """The officer in person, or the administrator of the officer's department."""
    return officer.user_id == user.pk or user.holds(Role.DEPARTMENT_ADMIN, department=officer.department)


def recusable_by(user: User) -> QuerySet[Officer]:
    """The officers for whom `may_recuse`."""
    administered = user.departments_as(Role.DEPARTMENT_ADMIN)
    return Officer.objects.filter(Q(user=user) | Q(department__in=administered))


def require_recusal_right(user: User, officer: Officer) -> None:
    """Raise PermissionDenied (403) unless `may_recuse`."""
    if not may_recuse(user, officer):
        raise PermissionDenied("回避由执法人员本人或其所在部门的部门管理员登记。")
