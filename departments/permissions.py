"""Who in which department may do what: questions asked by services everywhere above."""

from collections.abc import Iterable

from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet

from departments.enums import GLOBAL_ROLES, Role
from departments.models import Department, Officer, User

# 经办 and those above them write for their department; 执法人员 write on the forms they are assigned.
CLERKS = (Role.HANDLER, Role.REVIEWER, Role.HEAD)
ACCOUNT_KEEPERS = (Role.SYSTEM_ADMIN, Role.SECURITY_ADMIN, Role.DEPARTMENT_ADMIN)


def require_role(user: User, roles: Iterable[Role], department: Department | None = None) -> None:
    """Raise PermissionDenied (403) unless the account holds one of the roles there."""
    if not user.holds(*roles, department=department):
        where = department.short_name if department else "任何部门"
        wanted = "、".join(Role(role).label for role in roles)
        raise PermissionDenied(f"需要{where}的{wanted}岗位。")


def manages_accounts(user: User) -> bool:
    """Whether the account may open the pages that manage accounts."""
    return user.holds(*ACCOUNT_KEEPERS)


def manages(user: User, account: User) -> bool:
    """安全管理员 manages everybody but themselves, 系统管理员 whoever holds no post across all departments,
    部门管理员 those who hold posts in their departments only."""
    if user.pk == account.pk:
        return False
    if account.holds(*GLOBAL_ROLES):
        return user.holds(Role.SECURITY_ADMIN)
    if user.holds(Role.SYSTEM_ADMIN, Role.SECURITY_ADMIN):
        return True
    own = {department.pk for department in user.departments_as(Role.DEPARTMENT_ADMIN)}
    held = {post.department_id for post in account.held_posts}
    return bool(held) and held <= own


def may_appoint(user: User, role: Role, department: Department | None) -> bool:
    """Posts across all departments are given by 安全管理员 alone, a department's also by its administrator."""
    if role in GLOBAL_ROLES:
        return user.holds(Role.SECURITY_ADMIN)
    if user.holds(Role.SYSTEM_ADMIN, Role.SECURITY_ADMIN):
        return True
    return user.holds(Role.DEPARTMENT_ADMIN, department=department)


def keeps_officer(user: User, officer: Officer) -> bool:
    """Who may appoint officers in the department keeps their certificates and days off; nobody the own ones."""
    return user.pk != officer.user_id and may_appoint(user, Role.OFFICER, officer.department)


def require_officer_keeper(user: User, officer: Officer) -> None:
    """Raise PermissionDenied (403) unless `keeps_officer`."""
    if not keeps_officer(user, officer):
        raise PermissionDenied("执法人员由所在部门的部门管理员或系统管理员登记，本人不能登记本人。")


def may_change_department(user: User, department: Department) -> bool:
    """系统管理员, and the department's own administrator."""
    return user.holds(Role.SYSTEM_ADMIN) or user.holds(Role.DEPARTMENT_ADMIN, department=department)


def names_departments(user: User) -> bool:
    """系统管理员 alone enters departments, changes their names and says what else they are called."""
    return user.holds(Role.SYSTEM_ADMIN)


def departments_administered_by(user: User) -> QuerySet[Department]:
    """Where this account may appoint people: everywhere for global administrators, else its departments."""
    if user.holds(Role.SYSTEM_ADMIN, Role.SECURITY_ADMIN):
        return Department.objects.all()
    own = [department.pk for department in user.departments_as(Role.DEPARTMENT_ADMIN)]
    return Department.objects.filter(pk__in=own)


def require_manager(user: User, account: User) -> None:
    """Raise PermissionDenied (403) unless `manages`."""
    if not manages(user, account):
        raise PermissionDenied("您无权管理此账号。")


def require_appointer(user: User, role: Role, department: Department | None) -> None:
    """Raise PermissionDenied (403) unless `may_appoint`."""
    if not may_appoint(user, role, department):
        raise PermissionDenied(f"您无权授予或撤销{Role(role).label}岗位。")
