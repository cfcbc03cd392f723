"""Ledger entries in words: what happened, by whom, and the page that shows it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import TextChoices
from django.urls import reverse

from archive.enums import Event as ArchiveEvent
from core.money import yuan
from departments.enums import Event as DepartmentEvent
from departments.models import Department, User
from inspections.enums import AnswerValue, Disposition, InspectionKind, ReferralRoute, Severity
from inspections.enums import Event as InspectionEvent
from inspections.models import Finding, JointInspection, Referral, Task
from institutions.enums import Event as InstitutionEvent
from institutions.enums import OperatingState
from ledger.models import Chain, Entry
from ledger.services import verify
from penalties.enums import Decision
from penalties.enums import Event as PenaltyEvent
from penalties.models import PenaltyCase
from scenarios.enums import Event as ScenarioEvent

EVENTS = (DepartmentEvent, ScenarioEvent, InstitutionEvent, InspectionEvent, PenaltyEvent, ArchiveEvent)
LABELS = {event.value: event.label for events in EVENTS for event in events}

# Where entries of a kind lead: prefix of the kind → (key in the payload, model, url name); anybody reads
# what is published, the rest is for whom `visible_to` says.
PAGES: dict[str, tuple[str, Any, str]] = {
    "penalty": ("case", PenaltyCase, "penalties:case"),
    "referral": ("referral", Referral, "penalties:referral"),
    "finding": ("finding", Finding, "inspections:finding_detail"),
    "rectification": ("finding", Finding, "inspections:finding_detail"),
    "task": ("task", Task, "inspections:task_detail"),
    "disclosure": ("disclosure", None, "archive:public_detail"),
    "inspection": ("joint_inspection", JointInspection, "inspections:detail"),
}


@dataclass(frozen=True)
class Happening:
    """One entry as `{% timeline %}` shows it."""

    when: datetime
    title: str
    actor: str
    body: str
    url: str
    digest: str
    tone: str = "neutral"


@dataclass(frozen=True)
class Verification:
    """What walking one chain showed: how many entries are whole, or the first that is not."""

    entries: int
    seq: int | None = None
    reason: str = ""

    @property
    def is_whole(self) -> bool:
        return self.seq is None


def happenings(entries: Iterable[Entry], viewer: User) -> list[Happening]:
    """Entries in the order given; each with a link only where `viewer` may read on."""
    entries = list(entries)
    departments = {department.key: department.short_name for department in Department.objects.all()}
    actors = {entry.actor for entry in entries}
    people = {
        user.key: user.name
        for user in User.objects.filter(pk__in=[key[5:] for key in actors if key.startswith("user:")])
    }
    pages = _pages(entries, viewer)
    return [
        Happening(
            when=entry.at,
            title=f"{entry.seq}. {LABELS.get(entry.kind, entry.kind)}",
            actor=" ".join(
                part for part in (departments.get(entry.department), people.get(entry.actor, "系统")) if part
            ),
            body=describe(entry.payload, departments),
            url=pages.get(entry.pk, ""),
            digest=entry.digest,
            tone="danger" if entry.payload.get("late") is True else "neutral",
        )
        for entry in entries
    ]


def verify_chain(subject: str) -> Verification:
    """Walk the subject's chain now. A subject without a chain is whole, with no entry."""
    broken = next(verify(subject), None)
    if broken:
        return Verification(0, broken.seq, broken.reason)
    return Verification(Chain.objects.filter(subject=subject).values_list("head_seq", flat=True).first() or 0)


def describe(payload: dict[str, Any], departments: dict[str, str]) -> str:
    """The payload's codes in words, e.g. 第24行，重大，移送处罚; ids and digests say nothing to a reader."""
    words = []
    for key, word in WORDS.items():
        value = payload.get(key)
        if value is None or value == "" or isinstance(value, list | dict) != (key in PLURAL):
            continue
        words.append(word(value, departments))
    return "，".join(part for part in words if part)


def _label(choices: type[TextChoices]) -> Callable[[Any, dict], str]:
    labels = dict(choices.choices)
    return lambda value, departments: labels.get(value, "")


def _say(before: str, after: str = "") -> Callable[[Any, dict], str]:
    return lambda value, departments: f"{before}{value}{after}"


def _department(before: str) -> Callable[[Any, dict], str]:
    """A department by its key or its code; an operating state of the register by its name."""

    def say(value: Any, departments: dict[str, str]) -> str:
        name = departments.get(str(value)) or departments.get(f"department:{value}")
        state = dict(OperatingState.choices).get(value)
        return f"{before}{name or state}" if name or state else ""

    return say


def _results(value: Any, departments: dict) -> str:
    if not isinstance(value, dict):
        return ""
    return "、".join(f"{label} {value[key]} 项" for key, label in AnswerValue.choices if value.get(key))


def _count(before: str, unit: str) -> Callable[[Any, dict], str]:
    return lambda value, departments: f"{before}{len(value)} {unit}"


PLURAL = {"values", "check_items"}
WORDS: dict[str, Callable[[Any, dict], str]] = {
    "number": _say("编号 "),
    "kind": _label(InspectionKind),
    "department": _department(""),
    "row_number": _say("第", "行"),
    "severity": _label(Severity),
    "disposition": _label(Disposition),
    "from": _department("由"),
    "to": _department("至"),
    "route": _label(ReferralRoute),
    "values": _results,
    "check_items": _count("勾选 ", "项"),
    "roster_size": _say("名单 ", " 家"),
    "size": _say("抽中 ", " 家"),
    "tasks": _say("生成 ", " 份检查任务"),
    "decision": _label(Decision),
    "fine_amount": lambda value, departments: f"金额 {yuan(value)}",
    "amount": lambda value, departments: f"金额 {yuan(value)}",
    "passed": lambda value, departments: "通过" if value is True else "未通过",
    "filed_on": _say("立案日期 "),
    "found_on": _say("发现日期 "),
    "checked_on": _say("复查日期 "),
    "decided_on": _say("决定日期 "),
    "served_on": _say("送达日期 "),
    "paid_on": _say("缴款日期 "),
    "due_on": _say("期限 "),
    "late": lambda value, departments: "已逾期" if value is True else "",
}


def _pages(entries: list[Entry], viewer: User) -> dict[int, str]:
    """Entry → address; one query for each kind of thing the entries tell of."""
    wanted: dict[str, dict[int, str]] = {}
    for entry in entries:
        prefix = entry.kind.partition(".")[0]
        if prefix in PAGES and (key := entry.payload.get(PAGES[prefix][0])):
            wanted.setdefault(prefix, {})[entry.pk] = str(key)
    found: dict[int, str] = {}
    for prefix, keys in wanted.items():
        _, model, name = PAGES[prefix]
        visible = set(keys.values())
        if model is not None:
            rows = model.objects.visible_to(viewer).filter(pk__in=visible)
            visible = {str(pk) for pk in rows.values_list("pk", flat=True)}
        found.update({pk: reverse(name, args=[key]) for pk, key in keys.items() if key in visible})
    return found
