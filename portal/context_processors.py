from dataclasses import dataclass

from django.http import HttpRequest
from django.urls import reverse

from departments.enums import Role
from portal.subjects import address


@dataclass(frozen=True)
class NavigationEntry:
    """One entry of the left navigation, or of the account's menu."""

    label: str
    url: str
    icon: str
    active: bool = False


CLERKS = (Role.HANDLER, Role.REVIEWER, Role.HEAD)
OVERSEERS = (Role.AUDITOR, Role.INSPECTORATE)
WORKERS = (*CLERKS, Role.OFFICER, *OVERSEERS)
KEEPERS = (Role.SYSTEM_ADMIN, Role.SECURITY_ADMIN)

# label, url name, icon, namespaces it stands for, roles that see it (empty: everybody)
ENTRIES: list[tuple[str, str, str, tuple[str, ...], tuple[Role, ...]]] = [
    ("工作台", "portal:desk", "desk", ("portal",), ()),
    ("联合检查", "inspections:list", "inspection", ("inspections",), (*CLERKS, *OVERSEERS)),
    ("检查任务", "inspections:task_list", "task", ("tasks",), WORKERS),
    ("问题整改", "inspections:finding_list", "finding", ("findings",), WORKERS),
    ("移送处罚", "penalties:list", "penalty", ("penalties",), (*WORKERS, Role.LEGAL_REVIEWER)),
    ("机构名录", "institutions:list", "institution", ("institutions",), ()),
    ("事项矩阵", "scenarios:list", "matrix", ("scenarios",), ()),
    ("结果归集", "archive:search", "archive", ("archive",), ()),
]
# Who keeps accounts does not inspect, so theirs never grow beyond eight either.
KEEPING = ("账号与岗位", "departments:accounts", "users", ("departments",), KEEPERS)
ACCOUNT_LINKS = [
    ("部门与镇街", "departments:list", "institution", ()),
    ("执法人员", "departments:officers", "user", ()),
    ("账号与岗位", "departments:accounts", "users", (*KEEPERS, Role.DEPARTMENT_ADMIN, Role.AUDITOR)),
    ("审计留痕", "archive:trail", "shield", OVERSEERS),
]
# What anybody may read without an account, in the bar of the public pages.
PUBLIC_LINKS = [
    ("结果公示", "archive:public_list", ("archive",)),
    ("监管清单", "scenarios:public_list", ("scenarios",)),
    ("随机抽取", "inspections:draw_list", ("inspections",)),
]
MOST_ENTRIES = 8


def public_links(request: HttpRequest) -> dict[str, list[NavigationEntry]]:
    """The public pages, for strangers and accounts alike."""
    here = _section(request)
    return {
        "public_links": [
            NavigationEntry(label, reverse(name), "", here in sections)
            for label, name, sections in PUBLIC_LINKS
        ]
    }


def navigation(request: HttpRequest) -> dict[str, list[NavigationEntry]]:
    """At most eight entries, by role, and the links of the account's menu; strangers get none."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return {"navigation": [], "account_links": []}
    here = _section(request)
    entries = [
        NavigationEntry(label, url, icon, here in sections)
        for label, name, icon, sections, roles in [*ENTRIES, KEEPING]
        if (not roles or user.holds(*roles)) and (url := address(name))
    ]
    links = [
        NavigationEntry(label, reverse(name), icon)
        for label, name, icon, roles in ACCOUNT_LINKS
        if not roles or user.holds(*roles)
    ]
    return {"navigation": entries[:MOST_ENTRIES], "account_links": links}


def _section(request: HttpRequest) -> str:
    """The namespace of the page, with the nouns of inspections told apart by their url names."""
    match = request.resolver_match
    if match is None:
        return ""
    if match.namespace == "inspections" and match.url_name:
        if match.url_name.startswith("task"):
            return "tasks"
        if match.url_name.startswith(("finding", "rectification")):
            return "findings"
        if match.url_name.startswith("version"):
            return "scenarios"
    return match.namespace
