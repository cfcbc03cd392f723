"""Tabs shared by pages of several apps that show the same thing.

An app below cannot name the pages above it; the roof knows them all, and base.html shows its tabs.
"""

from dataclasses import dataclass

from django.http import HttpRequest

from portal.subjects import address


@dataclass(frozen=True)
class Tab:
    label: str
    url: str
    active: bool


# What the pages of a group have in common are their URL's arguments: the thing they show.
GROUPS: list[list[tuple[str, str]]] = [
    [("登记信息", "institutions:detail"), ("一户一档", "archive:dossier")],
    [
        ("联合检查", "inspections:list"),
        ("年度计划", "inspections:plan_list"),
        ("年度覆盖", "inspections:coverage"),
        ("自建系统备案", "inspections:own_result_list"),
    ],
    [
        ("矩阵", "scenarios:version"),
        ("对比", "scenarios:version_compare"),
        ("缺口", "scenarios:version_gaps"),
        ("影响", "inspections:version_impact"),
    ],
]


def page_tabs(request: HttpRequest) -> dict[str, list[Tab]]:
    """The tabs of the page's group, none when the page belongs to no group."""
    match = getattr(request, "resolver_match", None)
    if match is None or not request.user.is_authenticated:
        return {"page_tabs": []}
    here = match.view_name
    group = next((group for group in GROUPS if here in {name for _, name in group}), [])
    arguments = [*match.args, *match.kwargs.values()]
    return {
        "page_tabs": [
            Tab(label, url, name == here) for label, name in group if (url := address(name, *arguments))
        ]
    }
