"""Where a subject key (`referral:12`, as notifications and the ledger name things) is shown."""

from urllib.parse import urlencode

from django.urls import NoReverseMatch, reverse

# kind of subject → url name taking the rest of the key as its only argument
PAGES = {
    "account": "departments:account_edit",
    "department": "departments:detail",
    "officer": "departments:officer",
    "institution": "archive:dossier",
    "joint_inspection": "inspections:detail",
    "draw": "inspections:draw_secrets",
    "plan": "inspections:plan",
    "own_result": "inspections:own_result",
    "task": "inspections:task_detail",
    "finding": "inspections:finding_detail",
    "referral": "penalties:referral",
    "case": "penalties:case",
    "scenario": "scenarios:detail",
    "version": "scenarios:version",
    "check_item": "scenarios:item",
    "penalty_item": "scenarios:penalty",
    "unpublished_task": "archive:publish_task",
    "unpublished_case": "archive:publish_case",
}


# kind of subject → list page and the parameter that narrows it down to the rest of the key
LISTS = {
    "visits": ("inspections:task_list", "inspection"),
    "delegations": ("scenarios:delegation_list", "town"),
    "recusals": ("institutions:recusals", "officer"),
    "trail": ("archive:trail", "subject"),
}


def page_of(subject: str) -> str | None:
    """The path of the page that shows this subject; None for a key without a page."""
    kind, _, key = subject.partition(":")
    if kind in LISTS and key:
        name, parameter = LISTS[kind]
        return f"{reverse(name)}?{urlencode({parameter: key})}"
    name = PAGES.get(kind)
    return address(name, key) if name else None


def address(name: str, *args: object) -> str | None:
    """The path of a named page; None when no page takes these arguments."""
    try:
        return reverse(name, args=args)
    except NoReverseMatch:
        return None
