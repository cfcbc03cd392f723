"""Ledger entries in words: what happened, by whom, and the page that shows it."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Sum, TextChoices
from django.urls import reverse

from archive.enums import Event as ArchiveEvent
from core.money import yuan
from departments.enums import Absence, AliasOrigin, DepartmentKind, Role
from departments.enums import Event as DepartmentEvent
from departments.models import Department, User
from inspections.enums import (
    AnswerValue,
    Cause,
    Disposition,
    InspectionKind,
    Outcome,
    ReferralRoute,
    Severity,
)
from inspections.enums import Event as InspectionEvent
from inspections.models import Finding, JointInspection, OwnResult, Plan, Referral, Task
from institutions.enums import Event as InstitutionEvent
from institutions.enums import OperatingState
from institutions.models import Institution
from ledger.models import Chain, Entry
from ledger.services import verify
from penalties.enums import Decision
from penalties.enums import Event as PenaltyEvent
from penalties.models import PenaltyCase
from scenarios.enums import Event as ScenarioEvent
from scenarios.models import CheckItem, PenaltyItem, Scenario

EVENTS = (DepartmentEvent, ScenarioEvent, InstitutionEvent, InspectionEvent, PenaltyEvent, ArchiveEvent)
LABELS = {event.value: event.label for events in EVENTS for event in events}

# Subjects with a name: kind of subject, its model, the column its key is in.
NAMED: tuple[tuple[str, Any, str], ...] = (
    ("account", User, "pk"),
    ("department", Department, "code"),
    ("joint_inspection", JointInspection, "pk"),
    ("plan", Plan, "pk"),
    ("scenario", Scenario, "pk"),
    ("check_item", CheckItem, "pk"),
    ("penalty_item", PenaltyItem, "pk"),
    ("institution", Institution, "key"),
)

# Where entries of a kind lead: prefix of the kind → (key in the payload, model, url name); anybody reads
# what is published, the rest is for whom `visible_to` says.
PAGES: dict[str, tuple[str, Any, str]] = {
    "penalty": ("case", PenaltyCase, "penalties:case"),
    "referral": ("referral", Referral, "penalties:referral"),
    "finding": ("finding", Finding, "inspections:finding_detail"),
    "rectification": ("finding", Finding, "inspections:finding_detail"),
    "own_result": ("own_result", OwnResult, "inspections:own_result"),
    "task": ("task", Task, "inspections:task_detail"),
    "disclosure": ("disclosure", None, "archive:public_detail"),
    "inspection": ("joint_inspection", JointInspection, "inspections:detail"),
}


DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


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


def happenings(
    entries: Iterable[Entry], viewer: User, *, told_of: Mapping[str, str] | None = None
) -> list[Happening]:
    """Entries in the order given; each with a link only where `viewer` may read on.

    `told_of`: subject → what to call it, where the entries are not all of the thing one looks at.
    """
    entries = list(entries)
    departments = {department.key: department.short_name for department in Department.objects.all()}
    actors = {entry.actor for entry in entries}
    people = people_by_key(actors)
    pages = _pages(entries, viewer)
    return [
        Happening(
            when=entry.at,
            title=f"{entry.seq}. {LABELS.get(entry.kind, entry.kind)}" + _whose(entry, told_of),
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


def subject_names(subjects: Iterable[str]) -> dict[str, str]:
    """The names behind subject keys, one query a kind; a key nobody has a name for is left out."""
    keys: dict[str, list[str]] = {kind: [] for kind, _, _ in NAMED}
    for subject in subjects:
        kind, _, key = subject.partition(":")
        if kind in keys:
            keys[kind].append(key)
    named = {}
    for kind, model, column in NAMED:
        # No query for a kind nobody speaks of.
        rows = model.objects.filter(**{f"{column}__in": keys[kind]}).values_list(column, "name")
        named.update({f"{kind}:{key}": name for key, name in rows})
    return named


def people_by_key(actors: Iterable[str]) -> dict[str, str]:
    """The names behind account keys (`user:12`)."""
    keys = [actor.removeprefix("user:") for actor in actors if actor.startswith("user:")]
    return {f"user:{pk}": name for pk, name in User.objects.filter(pk__in=keys).values_list("pk", "name")}


def department_names(keys: Iterable[str]) -> dict[str, str]:
    """The short names behind department keys (`department:minzheng`)."""
    codes = [key.removeprefix("department:") for key in keys if key]
    rows = Department.objects.filter(code__in=codes).values_list("code", "short_name")
    return {f"department:{code}": name for code, name in rows}


def verify_chains(subjects: Iterable[str]) -> Verification:
    """Walk the subjects' chains now. A subject without a chain is whole, with no entry."""
    subjects = list(subjects)
    for subject in subjects:
        broken = next(verify(subject), None)
        if broken:
            return Verification(0, broken.seq, broken.reason)
    whole = Chain.objects.filter(subject__in=subjects).aggregate(entries=Sum("head_seq"))["entries"]
    return Verification(whole or 0)


def _whose(entry: Entry, told_of: Mapping[str, str] | None) -> str:
    name = told_of.get(entry.chain.subject) if told_of else None
    return f"（{name}）" if name else ""


def describe(payload: dict[str, Any], departments: dict[str, str]) -> str:
    """The payload's codes in words, e.g. 第24行，重大，移送处罚; ids and digests say nothing to a reader."""
    words = []
    for key, word in WORDS.items():
        value = payload.get(key)
        if value is None or value == "" or isinstance(value, list | dict) != (key in PLURAL):
            continue
        words.append(word(value, departments))
    return "，".join(part for part in words if part)


def _label(*choices: type[TextChoices]) -> Callable[[Any, dict], str]:
    labels = {value: label for each in choices for value, label in each.choices}
    return lambda value, departments: labels.get(value, "")


def _say(before: str, after: str = "") -> Callable[[Any, dict], str]:
    return lambda value, departments: f"{before}{value}{after}"


def _department(before: str) -> Callable[[Any, dict], str]:
    """A department by its key or its code; an operating state of the register by its name; a day as it is."""

    def say(value: Any, departments: dict[str, str]) -> str:
        name = departments.get(str(value)) or departments.get(f"department:{value}")
        state = dict(OperatingState.choices).get(value) or (value if DAY.fullmatch(str(value)) else None)
        return f"{before}{name or state}" if name or state else ""

    return say


def _results(value: Any, departments: dict) -> str:
    if not isinstance(value, dict):
        return ""
    return "、".join(f"{label} {value[key]} 项" for key, label in AnswerValue.choices if value.get(key))


def _count(before: str, unit: str) -> Callable[[Any, dict], str]:
    return lambda value, departments: f"{before}{len(value)} {unit}"


def _fields(value: Any, departments: dict) -> str:
    return f"变更{'、'.join(FIELDS.get(name, name) for name in value)}" if value else ""


FIELDS = {
    field.name: field.verbose_name
    for model in (User, Department, Institution)
    for field in model._meta.fields
}
PLURAL = {"values", "check_items", "changed", "sectors"}
WORDS: dict[str, Callable[[Any, dict], str]] = {
    "number": _say("编号 "),
    "kind": _label(InspectionKind, DepartmentKind),
    "absence": _label(Absence),
    "outcome": _label(Outcome),
    "visited_on": _say("检查日期 "),
    "origin": _label(AliasOrigin),
    "department": _department(""),
    "role": _label(Role),
    "cause": _label(Cause),
    "since": _say("自 ", " 起算"),
    "filing_agrees": lambda value, departments: f"备案信息与现场{'一致' if value is True else '不一致'}",
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
    "on": _say("自 "),
    "until": _say("至 "),
    "changed": _fields,
    "sectors": _count("可检查条线 ", "个"),
    "entries": _say("导出 ", " 条"),
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
