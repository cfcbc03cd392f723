"""The only caller of guardian's assign and remove in this app."""

from guardian.shortcuts import assign_perm

from departments.enums import Role
from departments.models import Department, User
from departments.permissions import require_role
from scenarios.models import Scenario

EDITING_ROLES = (Role.HANDLER, Role.REVIEWER, Role.HEAD, Role.DEPARTMENT_ADMIN)


def grant_editing(scenario: Scenario, department: Department) -> None:
    """The lead department's group edits its scenario; nobody else's does."""
    assign_perm("edit_scenario", department.group, scenario)


def require_editing(user: User, scenario: Scenario) -> None:
    """Raise PermissionDenied unless the account edits this scenario: 系统管理员, or a post in its lead
    department whose group holds `edit_scenario`."""
    if user.holds(Role.SYSTEM_ADMIN):
        return
    if not user.has_perm("edit_scenario", scenario):
        require_role(user, (Role.SYSTEM_ADMIN,))
    require_role(user, EDITING_ROLES, scenario.lead_department)


def may_edit(user: User, scenario: Scenario) -> bool:
    """Whether `require_editing` would let the account through."""
    return user.holds(Role.SYSTEM_ADMIN) or (
        user.holds(*EDITING_ROLES, department=scenario.lead_department)
        and user.has_perm("edit_scenario", scenario)
    )
