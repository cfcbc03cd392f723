"""What is compared of a matrix: its columns by what they say, its lines as texts."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter

from departments.models import Department
from scenarios.enums import ColumnRole, DelegationList, PenaltyBodyKind, RowPart
from scenarios.models import MatrixRow, ScenarioVersion
from scenarios.services.importing import Preview
from scenarios.services.importing.headings import plain
from scenarios.services.importing.resolving import ResolvedRow

TOWN = "机构所在镇街"


@dataclass(frozen=True)
class Column:
    """A column by what it says; one that says nothing known here, by its heading."""

    key: str
    heading: str


@dataclass(frozen=True)
class Line:
    """One printed line: a text a column (inferred ones included), and whom it was resolved to, in words."""

    cells: Sequence[str]
    departments: Sequence[str] = ()
    partners: Sequence[str] = ()
    body: str = ""


@dataclass(frozen=True)
class Content:
    """All that is compared of a matrix."""

    columns: tuple[Column, ...]
    lines: tuple[Line, ...]

    def text(self, line: Line, key: str) -> str:
        """The line's text in the column of this key; "" without such a column."""
        return next(
            (text for text, column in zip(line.cells, self.columns, strict=True) if column.key == key), ""
        )

    def label(self, at: int) -> str:
        """How a person finds a line: its 序号, or its place when that is blank."""
        number = self.text(self.lines[at], ColumnRole.NUMBER)
        return f"序号 {number}" if number else f"第 {at + 1} 行"


def is_town(body: str) -> bool:
    """Whether these words of `body_in_words` mean whichever town the institution stands in."""
    return body.startswith(TOWN)


def body_in_words(kind: str, department: Department | None, delegation_list: str) -> str:
    """Who implements a penalty, as a comparison names it; "" for a line that lists none."""
    if kind == PenaltyBodyKind.DELEGATED_TOWN:
        return f"{TOWN}（{DelegationList(delegation_list).label}）"
    return department.short_name if department else ""


def content_of_version(version: ScenarioVersion) -> Content:
    """The content of a version, published or not; one query."""
    rows = version.rows.select_related("check_department", "penalty_department").order_by("position")
    lines = []
    for _, group in groupby(rows, attrgetter("line")):
        line = list(group)
        bodies = [
            body_in_words(row.penalty_body, row.penalty_department, row.delegation_list) for row in line
        ]
        lines.append(
            Line(
                cells=tuple(line[0].cells),
                departments=_named(line, RowPart.IMPLEMENTING),
                partners=_named(line, RowPart.PARTNER),
                body="、".join(dict.fromkeys(body for body in bodies if body)),
            )
        )
    return content_of_lines(version.layout["columns"], lines)


def content_of_import(plan: Preview) -> Content:
    """The content of a matrix not imported yet; whom it means stays open while it has questions."""
    meant: dict[int, list[ResolvedRow]] = defaultdict(list)
    for row in plan.rows:
        meant[row.read.line].append(row)
    lines = []
    for read in plan.reading.lines:
        if read.line in plan.left_out:
            continue
        rows = meant[read.line]
        bodies = [body_in_words(row.body.kind, row.body.department, row.body.delegation_list) for row in rows]
        lines.append(
            Line(
                cells=tuple(read.texts),
                departments=_meant(rows, RowPart.IMPLEMENTING),
                partners=_meant(rows, RowPart.PARTNER),
                body="、".join(dict.fromkeys(body for body in bodies if body)),
            )
        )
    return content_of_lines(plan.reading.layout()["columns"], lines)


def content_of_lines(columns: Sequence[dict], lines: Iterable[Line]) -> Content:
    """The content of a matrix with these columns ({text, role}, as in a version's layout)."""
    seen: Counter = Counter()
    named = []
    headings = Counter(plain(column["text"]) for column in columns)
    for column in columns:
        heading, role = plain(column["text"]), ColumnRole(column["role"])
        if headings[heading] > 1 and role != ColumnRole.OTHER:
            heading = role.label
        key = heading if role == ColumnRole.OTHER else role
        seen[key] += 1
        named.append(Column(f"{key}#{seen[key]}" if seen[key] > 1 else str(key), heading or role.label))
    return Content(tuple(named), tuple(lines))


def _named(rows: Iterable[MatrixRow], part: RowPart) -> tuple[str, ...]:
    return tuple(dict.fromkeys(row.check_department.short_name for row in rows if row.part == part))


def _meant(rows: Iterable[ResolvedRow], part: RowPart) -> tuple[str, ...]:
    return tuple(dict.fromkeys(row.department.short_name for row in rows if row.part == part))


def in_words(value: str | Sequence[str]) -> str:
    """One resolved thing, whatever order its departments were found in."""
    return (value if isinstance(value, str) else "、".join(sorted(value))) or "—"
