"""Read a printed matrix out of a grid, without a database and without guessing.

A merged area gives its text to every line it covers, and the header printed again after a page break is
not a line. What is blank without being merged stays blank here; `inferring` proposes what it means.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass, field

from core.errors import DomainError
from core.spreadsheets import Sheet, Workbook, coordinate
from scenarios.enums import ColumnRole
from scenarios.services.importing.headings import Header, find_header, is_heading_again, plain, read_header
from scenarios.services.importing.marks import marked_cells
from scenarios.services.importing.problems import LEAVE_OUT, Choice, Problem

THEME = re.compile(r"^主题\s*[:：]\s*(.+)$", re.S)
LEAD = re.compile(r"^牵头(?:部门|单位)\s*[:：]\s*(.+)$", re.S)
# What fits the database's columns; longer is surely not the cell it claims to be.
LENGTHS = {
    ColumnRole.NUMBER: 32,
    ColumnRole.SECTOR: 64,
    ColumnRole.CHECK_DEPARTMENT: 500,
    ColumnRole.PENALTY_DEPARTMENT: 500,
    ColumnRole.SAMPLING: 500,
}
# How sheets print that nothing is listed.
NOTHING = {"/", "／", "-", "－", "—", "——", "无"}
NUMBER = re.compile(r"[\d一二三四五六七八九十百.、（）()\-－]+")
PENALTY_SIDE = (ColumnRole.PENALTY, ColumnRole.PENALTY_DEPARTMENT)
ITEM_SIDE = (ColumnRole.CHECK, ColumnRole.PENALTY, ColumnRole.CONTENT)


@dataclass(frozen=True)
class ReadCell:
    """A text and the coordinate where it is printed."""

    text: str
    cell: str


@dataclass
class ReadLine:
    """One printed line of the matrix; `line` is its row of the sheet, `section` counts the pages.

    `inferred` says which columns are printed blank and got their text from elsewhere: column → cell.
    """

    line: int
    section: int
    cells: list[ReadCell]
    inferred: dict[int, str] = field(default_factory=dict)

    @property
    def texts(self) -> list[str]:
        return [cell.text for cell in self.cells]

    def take(self, column: int, source: "ReadLine") -> None:
        """Have a blank cell say what another line's says."""
        self.cells[column] = ReadCell(source.cells[column].text, self.cells[column].cell)
        self.inferred[column] = source.inferred.get(column) or source.cells[column].cell


@dataclass
class Reading:
    """What a sheet prints, with where each cell stands and what remains to be asked."""

    sheet: str
    merges_known: bool
    title: str
    theme: str
    lead: ReadCell | None
    header: Header
    header_rows: list[list[dict]]
    title_rows: list[list[dict]]
    lines: list[ReadLine] = field(default_factory=list)
    # Rows of the sheet on which the header is printed again.
    repeats: list[int] = field(default_factory=list)
    merges: list[tuple[int, int, int]] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def text(self, line: ReadLine, role: ColumnRole) -> str:
        """The line's cell in the column of this role; "" without such a column."""
        column = self.header.column(role)
        return "" if column is None else line.cells[column].text

    def row(self, number: int) -> int:
        """The row of the sheet on which the line of this number stands."""
        return self.lines[number].line

    def has(self, role: ColumnRole) -> bool:
        return role in self.header.roles

    def cell(self, line: ReadLine, role: ColumnRole) -> str:
        """Where that cell stands in the sheet, whatever is printed there."""
        column = self.header.column(role)
        return coordinate(line.line, self.header.headings[column or 0].place)

    def lists_nothing(self, line: ReadLine) -> bool:
        """Whether the line names no penalty at all."""
        texts = [self.text(line, role) for role in PENALTY_SIDE]
        return all(not text or plain(text) in NOTHING for text in texts)

    def layout(self, left_out: Collection[int] = ()) -> dict:
        """How to print the lines that stay: merges as [top, left, bottom, right] over them, from 0."""
        kept = [line for line in self.lines if line.line not in left_out]
        place = {line.line: position for position, line in enumerate(kept)}
        merges = []
        for column, first, last in self.merges:
            covered = [place[line] for line in range(first, last + 1) if line in place]
            if len(covered) > 1:
                merges.append([covered[0], column, covered[-1], column])
        repeats = []
        for row in self.repeats:
            before = [line for line in kept if line.line < row]
            if before and len(before) < len(kept):
                repeats.append(place[before[-1].line])
        return {
            "title": self.title_rows,
            "header": self.header_rows,
            "columns": [
                {"text": heading.text, "role": str(heading.role)} for heading in self.header.headings
            ],
            "repeat_header_after": repeats,
            "merges": sorted(merges),
        }


def read_matrix(workbook: Workbook, header: Header | None = None, sheet_name: str = "") -> Reading:
    """Read the sheet that carries a matrix; further such sheets become problems.

    `sheet_name` and `header` are what a person chose instead. Raises DomainError when no sheet has a
    header, or nothing stands below it.
    """
    found = _sheets_with_headers(workbook)
    if sheet_name and header:
        sheet = next(sheet for sheet in workbook.sheets if sheet.name == sheet_name)
        found = [(sheet, header), *((other, each) for other, each in found if other is not sheet)]
    if not found:
        raise DomainError(no_header(workbook))
    sheet, proposed = found[0]
    reading = read_lines(sheet, header or proposed)
    reading.notes = [*workbook.notes, *reading.notes]
    for other, other_header in found[1:]:
        where = coordinate(other_header.top, other_header.headings[0].place)
        reading.problems.append(
            Problem(
                other.name,
                where,
                "",
                "这张工作表也是事项清单，一次只导入一张",
                f"sheet:{other.name}",
                choices=(Choice(LEAVE_OUT, "不读取这张工作表"),),
            )
        )
    chosen = {sheet.name for sheet, _ in found}
    reading.notes += [
        f"工作表“{other.name}”没有事项清单的表头，未读取。"
        for other in workbook.sheets
        if other.texts and other.name not in chosen
    ]
    if not reading.lines:
        raise DomainError(f"文件“{workbook.name}”工作表“{sheet.name}”的表头下面没有事项。")
    return reading


def sheet_and_header(workbook: Workbook) -> tuple[Sheet, Header]:
    """The first sheet with a header; where none has one, its first row to be corrected by a person.

    Raises DomainError when there is no text at all.
    """
    found = _sheets_with_headers(workbook)
    if found:
        return found[0]
    sheet = next((sheet for sheet in workbook.sheets if sheet.texts), None)
    if sheet is None:
        raise DomainError(no_header(workbook))
    return sheet, read_header(sheet, min(row for row, _ in sheet.texts))


def _sheets_with_headers(workbook: Workbook) -> list[tuple[Sheet, Header]]:
    return [(sheet, header) for sheet in workbook.sheets if (header := find_header(sheet))]


def read_lines(sheet: Sheet, header: Header) -> Reading:
    """Everything below `header`."""
    title_rows, title, theme, lead = _titles(sheet, header)
    reading = Reading(
        sheet.name, sheet.merges_known, title, theme, lead, header, _header_rows(sheet, header), title_rows
    )
    places = [heading.place for heading in header.headings]
    above = {plain(cell["text"]) for row in title_rows for cell in row}
    seen: dict[str, int] = {}
    merges: set[tuple[int, int, int]] = set()
    marked = marked_cells(sheet)
    section, skip_until = 0, header.bottom
    for row in range(header.bottom + 1, sheet.last_row + 1):
        own = [sheet.texts.get((row, place), "") for place in places]
        if row <= skip_until or not any(own):
            # Nothing of its own: a gap, or the tail of merged areas.
            continue
        values = [sheet.value(row, place) for place in places]
        if is_heading_again(values, header):
            reading.repeats.append(row)
            section += 1
            skip_until = row + header.bottom - header.top
            continue
        if not _is_item(sheet, row, values, header):
            _stray(reading, row, own, above)
            continue
        cells = [
            ReadCell(value, coordinate(*sheet.anchor(row, place)))
            for value, place in zip(values, places, strict=True)
        ]
        inferred = {at: marked[row, place] for at, place in enumerate(places) if (row, place) in marked}
        line = ReadLine(row, section, cells, inferred)
        reading.lines.append(line)
        reading.problems += _cell_problems(sheet, reading, line)
        number = reading.text(line, ColumnRole.NUMBER)
        if number and own[header.column(ColumnRole.NUMBER) or 0] and number in seen:
            reading.notes.append(f"第 {row} 行的序号“{number}”与第 {seen[number]} 行重复，按原样保留。")
        seen.setdefault(number, row)
        for column, place in enumerate(places):
            merge = sheet.merge_at(row, place)
            if merge and merge.bottom > merge.top and merge.left == merge.right:
                merges.add((column, merge.top, merge.bottom))
    reading.merges = sorted(merges, key=lambda merge: (merge[1], merge[0]))
    return reading


def no_header(workbook: Workbook) -> str:
    """Why no sheet was understood, in one sentence."""
    if not any(sheet.texts for sheet in workbook.sheets):
        return f"“{workbook.name}”里没有文字。"
    return f"“{workbook.name}”里没有找到事项清单的表头（如“序号”“检查事项”“实施部门”“处罚事项”）。"


def _is_item(sheet: Sheet, row: int, values: list[str], header: Header) -> bool:
    """Whether a row is a line of the matrix, not a heading between lines or a note below them."""
    first, last = header.headings[0].place, header.headings[-1].place
    across = sheet.merge_at(row, first)
    if across and last > first and across.right >= last:
        return False
    filled = [heading.place for heading in header.headings if (row, heading.place) in sheet.texts]
    if filled == [first] and last > first:
        # A single text in the first column is a number, or a note.
        return bool(NUMBER.fullmatch(values[0]))
    if not sheet.merges_known:
        return True
    check, penalty = header.column(ColumnRole.CHECK), header.column(ColumnRole.PENALTY)
    if check is not None and penalty is not None:
        merge = sheet.merge_at(row, header.headings[check].place)
        if merge and merge == sheet.merge_at(row, header.headings[penalty].place):
            return False
    items = [column for role in ITEM_SIDE if (column := header.column(role)) is not None]
    return not items or any(values[column] for column in items)


def _stray(reading: Reading, row: int, own: list[str], above: set[str]) -> None:
    """A row that is no line: the title printed again is passed over, anything else is asked about."""
    text = next(text for text in own if text)
    if plain(text) in above:
        return
    where = coordinate(row, reading.header.headings[own.index(text)].place)
    reading.problems.append(
        Problem(
            reading.sheet,
            where,
            text,
            "不像事项行（没有检查事项，或整行合并）",
            f"row:{row}",
            (row,),
            proposal=LEAVE_OUT,
        )
    )


def _titles(sheet: Sheet, header: Header) -> tuple[list[list[dict]], str, str, ReadCell | None]:
    """The rows above the header as printed, the title, the 主题 and the 牵头部门 among them."""
    title_rows: list[list[dict]] = []
    title, theme, lead = "", "", None
    left, right = header.headings[0].place, header.headings[-1].place
    for row in range(1, header.top):
        cells = []
        for place in range(1, max(sheet.last_column, right) + 1):
            text = sheet.texts.get((row, place), "")
            if not text or sheet.anchor(row, place) != (row, place):
                continue
            merge = sheet.merge_at(row, place)
            width = min(merge.right, right) - max(merge.left, left) + 1 if merge else 1
            cells.append({"text": text, "colspan": max(width, 1)})
            if named := THEME.match(text):
                theme = theme or plain(named.group(1))
            elif named := LEAD.match(text):
                lead = lead or ReadCell(plain(named.group(1)), coordinate(row, place))
            else:
                title = title or plain(text)
        if cells:
            title_rows.append(cells)
    return title_rows, title, theme, lead


def _header_rows(sheet: Sheet, header: Header) -> list[list[dict]]:
    """The heading cells as printed, with the areas they are merged over."""
    rows = []
    places = [heading.place for heading in header.headings]
    for row in range(header.top, header.bottom + 1):
        cells = []
        for place in places:
            merge = sheet.merge_at(row, place)
            if merge and (max(merge.top, header.top), max(merge.left, places[0])) != (row, place):
                continue
            cell: dict = {"text": plain(sheet.value(row, place))}
            if merge:
                wide = sum(merge.left <= each <= merge.right for each in places)
                tall = min(merge.bottom, header.bottom) - row + 1
                cell |= ({"colspan": wide} if wide > 1 else {}) | ({"rowspan": tall} if tall > 1 else {})
            cells.append(cell)
        rows.append(cells)
    return rows


def _cell_problems(sheet: Sheet, reading: Reading, line: ReadLine) -> list[Problem]:
    """Cells merged across columns, and texts too long for what they claim to be."""
    problems = []
    for column, heading in enumerate(reading.header.headings):
        cell = line.cells[column]
        where = coordinate(line.line, heading.place)
        merge = sheet.merge_at(line.line, heading.place)
        if merge and merge.right > merge.left and cell.text:
            reason = "跨列合并，无法确定属于哪一列"
            problems.append(Problem(sheet.name, cell.cell, cell.text, reason, f"cell:{where}", (line.line,)))
        elif len(cell.text) > LENGTHS.get(heading.role, len(cell.text)):
            reason = f"“{heading.text}”超过 {LENGTHS[heading.role]} 个字"
            problems.append(Problem(sheet.name, where, cell.text[:40], reason, f"cell:{where}", (line.line,)))
    return problems
