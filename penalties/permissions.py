"""Who may handle a referral and its case, and who reviews it."""

from django.core.exceptions import PermissionDenied

from departments.enums import Role
from departments.models import Department, User
from inspections.services.referrals import WORKERS
from penalties.models import PenaltyCase

# Whoever may take a referral up runs its case; in a town the enforcement officer does it all.
HANDLERS = WORKERS


def may_handle(user: User, department: Department) -> bool:
    """Whether the account may take up referrals and run cases of this department."""
    return user.holds(*HANDLERS, department=department)


def require_handling(user: User, department: Department) -> None:
    """Raise PermissionDenied unless `may_handle`."""
    if not may_handle(user, department):
        raise PermissionDenied(f"只有{department.short_name}的经办、审核、负责人或执法人员可以办理。")


def may_review(user: User, case: PenaltyCase) -> bool:
    """Whether the account reviews cases of this department and had no hand in this one."""
    holds = user.holds(Role.LEGAL_REVIEWER, department=case.department)
    return holds and user.pk not in (case.filed_by_id, case.drafted_by_id)


def require_reviewing(user: User, case: PenaltyCase) -> None:
    """Raise PermissionDenied unless the account is a 法制审核 of the case's department."""
    if not user.holds(Role.LEGAL_REVIEWER, department=case.department):
        raise PermissionDenied(f"只有{case.department.short_name}的法制审核岗位可以审核。")
