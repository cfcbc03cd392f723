"""审计留痕: every entry of every chain, and every login, for those who read the trail.

Pages are cut by key, not by number: with a million entries the last page opens as fast as the first.
"""

import csv
import io
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from axes.models import AccessFailureLog, AccessLog
from django.db.models import Model, Q, QuerySet
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from archive.history import LABELS, NAMED, describe, people_by_key, subject_names
from departments.models import Department, User
from ledger.models import Entry

PER_PAGE = 50
# A search by name goes on with so many of a kind.
MOST_NAMED = 50
# Kinds of subjects with a page; an account's is for those who read accounts.
WITH_PAGE = {"department", "institution", "joint_inspection", "scenario", "check_item", "penalty_item"}

# Rows of an export that are read and worded at once.
PIECE = 2000
FORMULA = ("=", "+", "-", "@", "\t", "\r")
EXPORTED = (
    "时间", "对象键", "对象", "序号", "事项", "事项代码", "经办人", "经办人键", "部门", "内容", "记载", "前一条摘要",
    "摘要", "摘要算法",
)  # fmt: skip
EXPORTED_LOGINS = ("登录时间", "用户名", "网络地址", "浏览器", "退出时间")
EXPORTED_FAILURES = ("时间", "用户名", "网络地址", "浏览器", "锁定")

Row = TypeVar("Row", bound=Model)


@dataclass(frozen=True)
class Cut:
    """One page of rows by time, newest first; `older` and `newer` are the cursors of its neighbours."""

    rows: list
    older: str
    newer: str


@dataclass(frozen=True)
class Line:
    """An entry in words."""

    entry: Entry
    what: str
    name: str
    has_page: bool
    person: str
    department: str
    said: str


def cut(rows: QuerySet[Row], *, moment: str, before: str = "", after: str = "") -> Cut:
    """The page before or after a cursor; an unreadable cursor is the newest page."""
    newest_first = rows.order_by(f"-{moment}", "-pk")
    if place := _place(before):
        found = list(_beyond(newest_first, moment, place, "lte", "gte")[: PER_PAGE + 1])
        shown = found[:PER_PAGE]
        return Cut(shown, _cursor(shown, -1, moment, len(found) > PER_PAGE), _cursor(shown, 0, moment))
    if place := _place(after):
        found = list(_beyond(rows.order_by(moment, "pk"), moment, place, "gte", "lte")[: PER_PAGE + 1])
        shown = found[:PER_PAGE][::-1]
        return Cut(shown, _cursor(shown, -1, moment), _cursor(shown, 0, moment, len(found) > PER_PAGE))
    found = list(newest_first[: PER_PAGE + 1])
    shown = found[:PER_PAGE]
    return Cut(shown, _cursor(shown, -1, moment, len(found) > PER_PAGE), "")


def lines(entries: Iterable[Entry]) -> list[Line]:
    """Entries in words, in a number of queries that does not grow with them; `chain` must be loaded."""
    entries = list(entries)
    names = subject_names({entry.chain.subject for entry in entries})
    people = people_by_key({entry.actor for entry in entries})
    departments = {department.key: department.short_name for department in Department.objects.all()}
    return [
        Line(
            entry=entry,
            what=LABELS.get(entry.kind, entry.kind),
            name=names.get(entry.chain.subject, entry.chain.subject),
            has_page=entry.chain.subject.partition(":")[0] in WITH_PAGE,
            person=people.get(entry.actor, "系统"),
            department=departments.get(entry.department, ""),
            said=describe(entry.payload, departments),
        )
        for entry in entries
    ]


def subjects_named(word: str) -> list[str]:
    """The subject keys a reader may mean by a word: the key itself, or a name it stands in."""
    found = [word]
    for kind, model, column in NAMED:
        rows = model.objects.filter(name__icontains=word).order_by("pk")
        found += [f"{kind}:{key}" for key in rows.values_list(column, flat=True)[:MOST_NAMED]]
    return found


def actors_named(word: str) -> list[str]:
    """The account keys a reader may mean by a name or username."""
    people = User.objects.filter(Q(name__icontains=word) | Q(username__icontains=word)).order_by("pk")
    return [f"user:{pk}" for pk in people.values_list("pk", flat=True)[:MOST_NAMED]]


def entry_cells(entries: Iterable[Entry]) -> Iterator[list[str]]:
    """Entries as rows of EXPORTED, with what it takes to verify them elsewhere."""
    for line in lines(entries):
        entry = line.entry
        yield [
            _stamp(entry.at),
            entry.chain.subject,
            line.name,
            str(entry.seq),
            line.what,
            entry.kind,
            line.person,
            entry.actor,
            line.department,
            line.said,
            json.dumps(entry.payload, ensure_ascii=False, sort_keys=True),
            entry.previous,
            entry.digest,
            entry.algorithm,
        ]


def login_cells(rows: Iterable[AccessLog]) -> Iterator[list[str]]:
    """Logins as rows of EXPORTED_LOGINS."""
    for row in rows:
        left = _stamp(row.logout_time) if row.logout_time else ""
        yield [_stamp(row.attempt_time), row.username or "", row.ip_address or "", row.user_agent, left]


def failure_cells(rows: Iterable[AccessFailureLog]) -> Iterator[list[str]]:
    """Failed logins as rows of EXPORTED_FAILURES."""
    for row in rows:
        locked = "已锁定" if row.locked_out else ""
        yield [_stamp(row.attempt_time), row.username or "", row.ip_address or "", row.user_agent, locked]


def all_of(rows: QuerySet[Row], *, moment: str, until: datetime) -> Iterator[list[Row]]:
    """The rows up to a moment, oldest first, in pieces: a million never stand in memory together."""
    ordered = rows.filter(**{f"{moment}__lte": until}).order_by(moment, "pk")
    piece = list(ordered[:PIECE])
    while piece:
        yield piece
        place = (getattr(piece[-1], moment), piece[-1].pk)
        piece = list(_beyond(ordered, moment, place, "gte", "lte")[:PIECE])


def csv_lines(headings: Iterable[str], rows: Iterable[Iterable[str]]) -> Iterator[str]:
    """A table as CSV that Excel opens as it is; a text that begins like a formula is kept from being one."""
    yield "\ufeff" + _csv_line(headings)
    for row in rows:
        yield _csv_line("'" + cell if cell.startswith(FORMULA) else cell for cell in row)


def _csv_line(cells: Iterable[str]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer).writerow(cells)
    return buffer.getvalue()


def _stamp(moment: datetime) -> str:
    return timezone.localtime(moment).isoformat(sep=" ", timespec="milliseconds")


def _beyond(rows: QuerySet, moment: str, place: tuple[datetime, int], at: str, beside: str) -> QuerySet:
    """Rows on one side of a cursor: up to its moment, and of that moment only those beyond its key."""
    when, key = place
    return rows.filter(**{f"{moment}__{at}": when}).exclude(**{moment: when, f"pk__{beside}": key})


def _cursor(rows: list[Any], index: int, moment: str, there_is_more: bool = True) -> str:
    if not rows or not there_is_more:
        return ""
    row = rows[index]
    return f"{getattr(row, moment).isoformat()}~{row.pk}"


def _place(cursor: str) -> tuple[datetime, int] | None:
    when, _, key = cursor.partition("~")
    try:
        moment = parse_datetime(when)
    except ValueError:
        return None
    is_key = key.isascii() and key.isdecimal() and len(key) < 19  # nothing beyond a bigint
    return (moment, int(key)) if moment and moment.tzinfo and is_key else None
