"""Who may publish results and withdraw what was published."""

from django.core.exceptions import PermissionDenied

from archive.models import Disclosure
from departments.enums import Role
from departments.models import Department, User
from departments.permissions import CLERKS
from inspections.models import Task
from penalties.models import PenaltyCase
from penalties.permissions import may_handle

TRAIL_READERS = (Role.AUDITOR, Role.INSPECTORATE)


def require_auditor(user: User) -> None:
    """Raise PermissionDenied unless the account is 审计管理员's (等保三级：审计记录只由审计管理员导出)."""
    if not user.holds(Role.AUDITOR):
        raise PermissionDenied("审计留痕由审计管理员导出。")


def publishing_department(user: User, task: Task) -> Department | None:
    """The lead department this account may publish the visit for: a visit may serve several leads."""
    leads = Department.objects.filter(led_inspections__origins__task=task).distinct().order_by("order")
    return next((lead for lead in leads if user.holds(*CLERKS, department=lead)), None)


def require_publishing_task(user: User, task: Task) -> Department:
    """The department published for; PermissionDenied unless the account is a clerk of a lead department."""
    department = publishing_department(user, task)
    if department is None:
        raise PermissionDenied("只有牵头部门的经办、审核或负责人可以公示检查结果。")
    return department


def require_publishing_case(user: User, case: PenaltyCase) -> None:
    """Raise PermissionDenied unless the account may handle the case: who decides also publishes."""
    if not may_handle(user, case.department):
        raise PermissionDenied(f"只有{case.department.short_name}可以公示本案的处罚决定。")


def may_withdraw(user: User, disclosure: Disclosure) -> bool:
    """Whether the account works for the department that published."""
    if disclosure.penalty_case_id:
        return may_handle(user, disclosure.department)
    return user.holds(*CLERKS, department=disclosure.department)


def require_withdrawing(user: User, disclosure: Disclosure) -> None:
    """Raise PermissionDenied unless `may_withdraw`."""
    if not may_withdraw(user, disclosure):
        raise PermissionDenied(f"只有{disclosure.department.short_name}可以撤回此条公示。")
