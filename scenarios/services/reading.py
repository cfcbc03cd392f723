"""Read a printed matrix out of a grid, without a database and without guessing.

The header is found wherever it stands, two columns of one name are told apart by what they follow,
a merged area gives its text to every row it covers, and the header printed again after a page break
is not a row. What is blank without being merged is a problem, never filled from above: an
attachment's second page would inherit the first page's department.
"""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from core.errors import DomainError
from core.spreadsheets import Sheet, Workbook, coordinate
from scenarios.enums import STANDARD_COLUMNS, ColumnRole
from scenarios.services.problems import Answer, Problem

PENALTY_SIDE = (ColumnRole.PENALTY, ColumnRole.PENALTY_DEPARTMENT)
# What fits the database's columns; longer is surely not the cell it claims to be.
LENGTHS = {
    ColumnRole.NUMBER: 32,
    ColumnRole.SECTOR: 64,
    ColumnRole.CHECK_DEPARTMENT: 500,
    ColumnRole.PENALTY_DEPARTMENT: 500,
}
# How sheets print that nothing is listed.
NOTHING = {"/", "／", "-", "－", "—", "——", "无"}
THEME = re.compile(r"^主题\s*[:：]\s*(.+)$", re.S)
LEAD = re.compile(r"^牵头(?:部门|单位)\s*[:：]\s*(.+)$", re.S)


@dataclass(frozen=True)
class ReadCell:
    """A text and the coordinate where it is printed."""

    text: str
    cell: str


@dataclass(frozen=True)
class ReadRow:
    """One row of the matrix; `line` is its row of the sheet."""

    line: int
    cells: dict[ColumnRole, ReadCell]

    def text(self, column: ColumnRole) -> str:
        return self.cells[column].text

    @property
    def label(self) -> str:
        """How a person finds the row: its 序号, or its line when that is blank."""
        return self.text(ColumnRole.NUMBER) or f"（第{self.line}行）"


@dataclass(frozen=True)
class Header:
    """Where the seven columns stand: row of the heading, column numbers, headings as printed."""

    top: int
    bottom: int
    columns: dict[ColumnRole, int]
    texts: list[str]


@dataclass
class Reading:
    """What a sheet prints, with where each cell stands and what remains to be asked."""

    sheet: str
    title: str
    theme: str
    lead: ReadCell | None
    header: Header
    title_rows: list[list[dict]]
    rows: list[ReadRow]
    # Lines after which the header is printed again.
    repeats: list[int]
    merges: list[tuple[ColumnRole, int, int]]
    problems: list[Problem] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def layout(self, left_out: Collection[int] = ()) -> dict:
        """How to print the rows that stay: merges as [top, left, bottom, right] over them, from 0."""
        kept = [row for row in self.rows if row.line not in left_out]
        place = {row.line: position for position, row in enumerate(kept)}
        order = list(STANDARD_COLUMNS)
        merges = []
        for column, first, last in self.merges:
            covered = [place[line] for line in range(first, last + 1) if line in place]
            if len(covered) > 1:
                merges.append([covered[0], order.index(column), covered[-1], order.index(column)])
        repeats = []
        for line in self.repeats:
            before = [row for row in kept if row.line < line]
            if before and len(before) < len(kept):
                repeats.append(place[before[-1].line])
        return {
            "title": self.title_rows,
            "header": [[{"text": text} for text in self.header.texts]],
            "columns": [
                {"text": text, "role": role}
                for text, role in zip(self.header.texts, STANDARD_COLUMNS, strict=True)
            ],
            "repeat_header_after": repeats,
            "merges": sorted(merges),
        }


def plain(text: str) -> str:
    """A text without the spaces and line breaks of its cell; words of Latin letters keep one space."""
    text = " ".join(text.split())
    return re.sub(r"(?<![0-9A-Za-z]) | (?![0-9A-Za-z])", "", text) if " " in text else text


def read_matrix(workbook: Workbook) -> Reading:
    """Read the sheet that carries a matrix; further such sheets become problems.

    Raises DomainError when no sheet has the seven columns, naming those that are missing.
    """
    found = [(sheet, header) for sheet in workbook.sheets if (header := find_header(sheet))]
    if not found:
        raise DomainError(_no_header(workbook))
    sheet, header = found[0]
    reading = read_rows(sheet, header)
    reading.notes = list(workbook.notes)
    for other, other_header in found[1:]:
        where = coordinate(other_header.top, min(other_header.columns.values()))
        reading.problems.append(
            Problem(other.name, where, "", "这张工作表也是事项清单，一次只导入一张", f"sheet:{other.name}")
        )
    reading.notes += [
        f"工作表“{other.name}”没有事项清单的表头，未读取。"
        for other in workbook.sheets
        if other.texts and other.name not in {name.name for name, _ in found}
    ]
    if not reading.rows:
        raise DomainError(f"文件“{workbook.name}”工作表“{sheet.name}”的表头下面没有事项。")
    return reading


def find_header(sheet: Sheet) -> Header | None:
    """The first row that has all seven headings."""
    for row in range(1, sheet.last_row + 1):
        columns = _columns(sheet, row)
        if len(columns) == len(STANDARD_COLUMNS):
            merges = [sheet.merge_at(row, column) for column in columns.values()]
            bottom = max([row, *(merge.bottom for merge in merges if merge)])
            return Header(
                row,
                bottom,
                columns,
                [plain(sheet.value(row, columns[column])) for column in STANDARD_COLUMNS],
            )
    return None


def read_rows(sheet: Sheet, header: Header) -> Reading:
    """Everything below `header`; the caller may have chosen the columns itself."""
    title_rows, title, theme, lead = _titles(sheet, header)
    reading = Reading(sheet.name, title, theme, lead, header, title_rows, [], [], [])
    first = min(header.columns.values())
    seen: dict[str, int] = {}
    merges: set[tuple[ColumnRole, int, int]] = set()
    for line in range(header.bottom + 1, sheet.last_row + 1):
        values = {column: sheet.value(line, place) for column, place in header.columns.items()}
        if not any(sheet.texts.get((line, place)) for place in range(1, sheet.last_column + 1)):
            # Nothing of its own: a gap, or the tail of merged areas.
            continue
        if _repeats(values, header):
            reading.repeats.append(line)
            continue
        if (not values[ColumnRole.CHECK] and not values[ColumnRole.PENALTY]) or _spans(sheet, line, header):
            text = next((text for text in values.values() if text), "") or _stray(sheet, line)
            reason = "不像事项行（没有检查事项，或整行合并）"
            where = coordinate(line, first)
            reading.problems.append(Problem(sheet.name, where, text, reason, f"row:{line}", (line,)))
            continue
        row = ReadRow(
            line,
            {
                column: ReadCell(values[column], coordinate(*sheet.anchor(line, place)))
                for column, place in header.columns.items()
            },
        )
        reading.rows.append(row)
        reading.problems += _cell_problems(sheet, header, row)
        number = row.text(ColumnRole.NUMBER)
        if number and number in seen:
            where, reason = (
                coordinate(line, header.columns[ColumnRole.NUMBER]),
                f"序号与第 {seen[number]} 行重复",
            )
            reading.problems.append(Problem(sheet.name, where, number, reason, f"row:{line}", (line,)))
        seen.setdefault(number, line)
        for column, place in header.columns.items():
            merge = sheet.merge_at(line, place)
            if merge and merge.bottom > merge.top and merge.left == merge.right:
                merges.add((column, merge.top, merge.bottom))
    order = list(STANDARD_COLUMNS)
    reading.merges = sorted(merges, key=lambda merge: (merge[1], order.index(merge[0])))
    return reading


def _repeats(values: dict[ColumnRole, str], header: Header) -> bool:
    """Whether a row is the heading printed again: 序号 stands there and most headings are the same."""
    if plain(values[ColumnRole.NUMBER]) != header.texts[0]:
        return False
    texts = [plain(values[column]) for column in STANDARD_COLUMNS]
    same = sum(text == heading for text, heading in zip(texts, header.texts, strict=True))
    return same >= len(STANDARD_COLUMNS) - 2


def _columns(sheet: Sheet, row: int) -> dict[ColumnRole, int]:
    """Which of the seven headings this row has; a department column belongs to the item left of it."""
    columns: dict[ColumnRole, int] = {}
    item: ColumnRole | None = None
    for place in range(1, sheet.last_column + 1):
        if sheet.anchor(row, place) != (row, place):
            continue
        text = plain(sheet.value(row, place))
        if text in ("序号", "编号"):
            columns.setdefault(ColumnRole.NUMBER, place)
        elif text.endswith("情形"):
            columns.setdefault(ColumnRole.SITUATION, place)
        elif text in ("条线", "所属条线", "领域"):
            columns.setdefault(ColumnRole.SECTOR, place)
        elif text.endswith(("部门", "主体", "单位")):
            owner = ColumnRole.PENALTY if "处罚" in text else ColumnRole.CHECK if "检查" in text else item
            if owner:
                columns.setdefault(
                    ColumnRole.PENALTY_DEPARTMENT
                    if owner == ColumnRole.PENALTY
                    else ColumnRole.CHECK_DEPARTMENT,
                    place,
                )
        elif "处罚事项" in text or "检查事项" in text:
            item = ColumnRole.PENALTY if "处罚事项" in text else ColumnRole.CHECK
            columns.setdefault(item, place)
    return columns


def _titles(sheet: Sheet, header: Header) -> tuple[list[list[dict]], str, str, ReadCell | None]:
    """The rows above the header as printed, the title, the 主题 and the 牵头部门 among them."""
    title_rows: list[list[dict]] = []
    title, theme, lead = "", "", None
    left, right = min(header.columns.values()), max(header.columns.values())
    for line in range(1, header.top):
        cells = []
        for place in range(1, max(sheet.last_column, right) + 1):
            text = sheet.texts.get((line, place), "")
            if not text or sheet.anchor(line, place) != (line, place):
                continue
            merge = sheet.merge_at(line, place)
            width = min(merge.right, right) - max(merge.left, left) + 1 if merge else 1
            cells.append({"text": text, "colspan": max(width, 1)})
            if named := THEME.match(text):
                theme = theme or plain(named.group(1))
            elif named := LEAD.match(text):
                lead = lead or ReadCell(plain(named.group(1)), coordinate(line, place))
            else:
                title = title or plain(text)
        if cells:
            title_rows.append(cells)
    return title_rows, title, theme, lead


def _cell_problems(sheet: Sheet, header: Header, row: ReadRow) -> Iterable[Problem]:
    """Blank cells, cells merged across columns, and texts too long for what they claim to be."""
    lists_nothing = all(not row.text(column) or row.text(column) in NOTHING for column in PENALTY_SIDE)
    if not any(row.text(column) for column in PENALTY_SIDE):
        where = coordinate(row.line, header.columns[ColumnRole.PENALTY])
        reason = "处罚事项和处罚实施部门都是空白，且不是合并单元格"
        yield Problem(sheet.name, where, "", reason, f"penalty:{row.line}", (row.line,), Answer.NO_PENALTY)
    for column, place in header.columns.items():
        where, text = coordinate(row.line, place), row.text(column)
        merge = sheet.merge_at(row.line, place)
        if merge and merge.right > merge.left:
            reason = "跨列合并，无法确定属于哪一列"
            yield Problem(sheet.name, row.cells[column].cell, text, reason, f"cell:{where}", (row.line,))
        elif not text and not (lists_nothing and column in PENALTY_SIDE):
            department = column in (ColumnRole.CHECK_DEPARTMENT, ColumnRole.PENALTY_DEPARTMENT)
            answer = Answer.DEPARTMENT if department else Answer.NONE
            reason = (
                f"“{column.label}”空白，不能推断"
                if merge
                else f"“{column.label}”空白，且不是合并单元格，不能推断"
            )
            yield Problem(sheet.name, where, "", reason, f"cell:{where}", (row.line,), answer)
        elif len(text) > LENGTHS.get(column, len(text)):
            reason = f"“{column.label}”超过 {LENGTHS[column]} 个字"
            yield Problem(sheet.name, where, text[:40], reason, f"cell:{where}", (row.line,))


def _spans(sheet: Sheet, line: int, header: Header) -> bool:
    """Whether one merged area covers check and penalty alike: a heading between rows, not a row."""
    merge = sheet.merge_at(line, header.columns[ColumnRole.CHECK])
    return bool(merge) and merge == sheet.merge_at(line, header.columns[ColumnRole.PENALTY])


def _stray(sheet: Sheet, line: int) -> str:
    return next((text for (row, _), text in sorted(sheet.texts.items()) if row == line), "")


def _no_header(workbook: Workbook) -> str:
    """Which headings the likeliest row lacks, in one sentence."""
    best: tuple[int, str, int, list[ColumnRole]] = (0, "", 0, list(STANDARD_COLUMNS))
    for sheet in workbook.sheets:
        for row in range(1, sheet.last_row + 1):
            columns = _columns(sheet, row)
            if len(columns) > best[0]:
                best = (
                    len(columns),
                    sheet.name,
                    row,
                    [column for column in STANDARD_COLUMNS if column not in columns],
                )
    known, name, row, missing = best
    wanted = "、".join(column.label for column in missing)
    if known < 3:
        names = "、".join(column.label for column in STANDARD_COLUMNS)
        return f"文件“{workbook.name}”里没有找到事项清单的表头（须有{names}各列）。"
    return f"文件“{workbook.name}”工作表“{name}”第 {row} 行的表头缺少：{wanted}。"
