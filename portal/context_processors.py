from dataclasses import dataclass

from django.http import HttpRequest

from departments.enums import GLOBAL_ROLES, Role
from portal.subjects import address


@dataclass(frozen=True)
class NavigationEntry:
    """One entry of the left navigation."""

    label: str
    url: str
    icon: str
    active: bool
    count: int = 0


KEEPERS = (Role.SYSTEM_ADMIN, Role.DEPARTMENT_ADMIN)
CLERKS = (Role.HANDLER, Role.REVIEWER, Role.HEAD)
OFFICE = (*CLERKS, *GLOBAL_ROLES)

# label, url name, icon, namespaces it stands for, roles that see it (empty: everybody)
ENTRIES: list[tuple[str, str, str, tuple[str, ...], tuple[Role, ...]]] = [
    ("工作台", "portal:desk", "desk", ("portal",), ()),
    ("联合检查", "inspections:list", "inspection", ("inspections",), OFFICE),
    ("检查任务", "inspections:task_list", "task", ("tasks",), ()),
    ("问题整改", "inspections:finding_list", "finding", ("findings",), ()),
    ("移送处罚", "penalties:list", "penalty", ("penalties",), ()),
    ("机构名录", "institutions:list", "institution", ("institutions",), ()),
    ("事项矩阵", "scenarios:list", "matrix", ("scenarios",), ()),
    ("结果归集", "archive:search", "archive", ("archive",), ()),
]


def navigation(request: HttpRequest) -> dict[str, list[NavigationEntry]]:
    """At most eight entries, by role; strangers get none."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return {"navigation": []}
    here = _section(request)
    return {
        "navigation": [
            NavigationEntry(label, url, icon, here in sections)
            for label, name, icon, sections, roles in ENTRIES
            if (not roles or user.holds(*roles)) and (url := address(name))
        ]
    }


def _section(request: HttpRequest) -> str:
    """The namespace of the page, with the three nouns of inspections told apart by their url names."""
    match = request.resolver_match
    if match is None:
        return ""
    if match.namespace == "inspections" and match.url_name:
        if match.url_name.startswith("task"):
            return "tasks"
        if match.url_name.startswith(("finding", "rectification")):
            return "findings"
    return match.namespace
