"""The only caller of guardian's assign and remove in this app."""

from collections.abc import Iterable

from django.core.exceptions import PermissionDenied
from guardian.shortcuts import assign_perm

from departments.enums import Role
from departments.models import Department, User
from departments.permissions import require_role
from scenarios.enums import VersionState
from scenarios.models import CheckItem, MatrixRow, PenaltyItem, Scenario

EDITING_ROLES = (Role.HANDLER, Role.REVIEWER, Role.HEAD, Role.DEPARTMENT_ADMIN)
# 赋权 is a decision of the office, not of a clerk.
DELEGATING_ROLES = (Role.HEAD, Role.DEPARTMENT_ADMIN)
NOT_THEIRS = "赋权由系统管理员或牵头部门的负责人、部门管理员登记。"


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


def require_leading(user: User, department: Department) -> None:
    """Raise PermissionDenied unless 系统管理员, or 经办 and above in the department that is to lead."""
    if not user.holds(Role.SYSTEM_ADMIN) and not user.holds(*EDITING_ROLES, department=department):
        raise PermissionDenied(f"由{department.short_name}牵头的一件事由本部门办理。")


def may_edit(user: User, scenario: Scenario) -> bool:
    """Whether `require_editing` would let the account through."""
    return user.holds(Role.SYSTEM_ADMIN) or (
        user.holds(*EDITING_ROLES, department=scenario.lead_department)
        and user.has_perm("edit_scenario", scenario)
    )


def may_edit_item(user: User, item: CheckItem) -> bool:
    """Whether the account writes what this check item says: 系统管理员, or its own department's posts."""
    return user.holds(Role.SYSTEM_ADMIN) or user.holds(*EDITING_ROLES, department=item.department)


def require_item_editing(user: User, item: CheckItem) -> None:
    """Raise PermissionDenied unless `may_edit_item`."""
    if not may_edit_item(user, item):
        raise PermissionDenied(f"“{item.name}”由{item.department.short_name}维护。")


def may_answer(user: User, department: Department) -> bool:
    """Whether the account speaks for a department that takes part in a scenario."""
    return user.holds(Role.SYSTEM_ADMIN) or user.holds(*EDITING_ROLES, department=department)


def require_answering(user: User, department: Department) -> None:
    """Raise PermissionDenied unless `may_answer`."""
    if not may_answer(user, department):
        raise PermissionDenied(f"由{department.short_name}的经办、审核、负责人或部门管理员办理。")


def may_see_contacts(user: User, departments: Iterable[Department]) -> bool:
    """Whether the account reads the contacts of a scenario in which these departments take part or lead:
    their own people, 系统管理员 and those who oversee."""
    own = {department.pk for department in user.departments_as()}
    return user.holds(Role.SYSTEM_ADMIN) or user.oversees or bool(own & {d.pk for d in departments})


def may_register(user: User, department: Department) -> bool:
    """Whether the account adds items to a department's library: 系统管理员, or the department's own posts."""
    return user.holds(Role.SYSTEM_ADMIN) or user.holds(*EDITING_ROLES, department=department)


def require_registering(user: User, department: Department) -> None:
    """Raise PermissionDenied unless `may_register`."""
    if not may_register(user, department):
        raise PermissionDenied(f"{department.short_name}的事项由本部门登记。")


def keepers_of(items: Iterable[PenaltyItem]) -> dict[int, set[int]]:
    """For each penalty item (by pk) the departments that write what it says; two queries.

    By the versions in force: whoever implements it, and whoever's check leads to it. Besides, the
    department that registered it; an item out of an import no version has published yet goes by its drafts.
    """
    keepers = {item.pk: {item.department_id} - {None} for item in items}
    in_force = _named_by_rows(keepers, VersionState.PUBLISHED)
    unnamed = [pk for pk, departments in keepers.items() if not departments and pk not in in_force]
    drafted = _named_by_rows(unnamed, VersionState.DRAFT)
    return {pk: own | in_force.get(pk, set()) | drafted.get(pk, set()) for pk, own in keepers.items()}


def _named_by_rows(items: Iterable[int], state: VersionState) -> dict[int, set[int]]:
    rows = MatrixRow.objects.filter(penalty_item__in=list(items), version__state=state).order_by()
    named: dict[int, set[int]] = {}
    for item, *departments in rows.values_list("penalty_item", "check_department", "penalty_department"):
        named.setdefault(item, set()).update(pk for pk in departments if pk)
    return named


def penalty_keepers(item: PenaltyItem) -> set[int]:
    """The departments (by pk) that write what this penalty item says."""
    return keepers_of([item])[item.pk]


def may_edit_penalty(user: User, item: PenaltyItem) -> bool:
    """Whether the account writes what this penalty item says: 系统管理员, or a post with one of its keepers."""
    if user.holds(Role.SYSTEM_ADMIN):
        return True
    return bool({department.pk for department in user.departments_as(*EDITING_ROLES)} & penalty_keepers(item))


def require_penalty_editing(user: User, item: PenaltyItem) -> None:
    """Raise PermissionDenied unless `may_edit_penalty`."""
    if not may_edit_penalty(user, item):
        raise PermissionDenied(f"“{item.name}”由其实施部门和检查部门维护。")


def may_delegate(user: User) -> bool:
    """Whether the account may record 赋权 for any scenario at all."""
    led = Scenario.objects.filter(lead_department__in=user.departments_as(*DELEGATING_ROLES))
    return user.holds(Role.SYSTEM_ADMIN) or led.exists()


def may_dispose_of(user: User, scenarios: Iterable[Scenario]) -> bool:
    """Whether the account may hand over penalties these scenarios name: 系统管理员, or 负责人 or 部门管理员 of
    the department that leads every one of them."""
    scenarios = list(scenarios)
    return user.holds(Role.SYSTEM_ADMIN) or (
        bool(scenarios)
        and all(user.holds(*DELEGATING_ROLES, department=s.lead_department) for s in scenarios)
    )


def require_delegating(user: User, scenarios: Iterable[Scenario]) -> None:
    """Raise PermissionDenied unless `may_dispose_of`, naming the other leads where there are any."""
    scenarios = list(scenarios)
    if may_dispose_of(user, scenarios):
        return
    others = [s for s in scenarios if not user.holds(*DELEGATING_ROLES, department=s.lead_department)]
    if len(others) < len(scenarios):
        names = "、".join(dict.fromkeys(s.lead_department.short_name for s in others))
        raise PermissionDenied(f"这些处罚事项也在{names}牵头的清单中，赋权由系统管理员登记。")
    raise PermissionDenied(NOT_THEIRS)
