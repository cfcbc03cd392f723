"""A version back into Excel, in the attachment's own layout: reading the workbook gives the version again."""

import io
import re
import unicodedata
from collections.abc import Sequence
from itertools import groupby
from operator import attrgetter

from openpyxl import Workbook
from openpyxl.comments import Comment
from openpyxl.styles import Alignment, Border, Font, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.pagebreak import Break
from openpyxl.worksheet.worksheet import Worksheet

from core.spreadsheets import coordinate, put
from scenarios.enums import ColumnRole
from scenarios.models import MatrixRow, ScenarioVersion
from scenarios.services.importing.marks import mark
from scenarios.services.printing import CENTERED, column_roles, page_merges, pages_of

# Characters of full width a column holds, where its role says more than its longest text does.
WIDTHS = {ColumnRole.NUMBER: 3, ColumnRole.SECTOR: 5, ColumnRole.PART: 4, ColumnRole.LEVEL: 5}
NARROWEST, WIDEST = 4, 24
# What fits the width of A4 on its side at a size still read.
SHEET_WIDTH = 62
LINE_POINTS, TALLEST = 15, 409
THIN = Side(style="thin", color="FF000000")
BOX = Border(left=THIN, right=THIN, top=THIN, bottom=THIN)
BODY, HEAD, TITLE = Font("宋体", 10), Font("黑体", 10), Font("黑体", 16)
INFERRED = Font("宋体", 10, italic=True, color="FF7F7F7F")
# Excel would read it as one character; _x005F_ is the underscore of a text that looks so.
SPELT = re.compile(r"_(x[0-9A-Fa-f]{4}_)")
WHOLE = re.compile(r"[1-9]\d{0,8}")


def export_version(version: ScenarioVersion) -> bytes:
    """The version as an .xlsx: titles, headings, merged cells, page breaks with the headings again.

    A text that was inferred is written in grey italics, with a comment by which an import knows it again;
    everything else is what the attachment prints. One query, whatever the number of lines.
    """
    rows = version.rows.order_by("position")
    lines = [next(group) for _, group in groupby(rows, attrgetter("line"))]
    book = Workbook()
    sheet = book.active
    sheet.title = re.sub(r"[\\/*?:\[\]]", " ", version.scenario.name).strip()[:31] or "事项清单"
    widths = _widths(version.layout, lines)
    _set_up(sheet, widths)
    top = _titles(sheet, version.layout, widths)
    sheet.print_title_rows = f"{top}:{top + len(version.layout['header']) - 1}"
    places: dict[int, int] = {}
    for first, last in pages_of(version.layout, len(lines)):
        if places:
            sheet.row_breaks.append(Break(id=top - 1))
            # Excel repeats a heading of its own only where it does not stand in the sheet again.
            sheet.print_title_rows = None
        top = _headings(sheet, version.layout, top, widths)
        for at in range(first, last + 1):
            places[at] = top
            top += 1
    _lines(sheet, version.layout, lines, places, widths)
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def _set_up(sheet: Worksheet, widths: Sequence[int]) -> None:
    for column, width in enumerate(widths, start=1):
        sheet.column_dimensions[get_column_letter(column)].width = width * 2 + 1
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.paperSize = sheet.PAPERSIZE_A4
    sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight = 1, 0
    sheet.sheet_properties.pageSetUpPr.fitToPage = True
    sheet.print_options.horizontalCentered = True
    sheet.page_margins.left = sheet.page_margins.right = 0.4
    sheet.page_margins.top = sheet.page_margins.bottom = 0.5
    sheet.oddFooter.center.text = "第 &P 页，共 &N 页"


def _titles(sheet: Worksheet, layout: dict, widths: Sequence[int]) -> int:
    """The rows above the heading; the row that follows them."""
    for row, cells in enumerate(layout["title"], start=1):
        column = 1
        for cell in cells:
            last = column + cell["colspan"] - 1
            alone = len(cells) == 1
            place = _write(sheet, row, column, cell["text"])
            place.font = TITLE if alone and last >= len(widths) and row == 1 else HEAD
            place.alignment = Alignment("center" if alone else "left", "center", wrap_text=True)
            _merge(sheet, row, column, row, last)
            column = last + 1
        sheet.row_dimensions[row].height = 30 if row == 1 else 20
    return len(layout["title"]) + 1


def _headings(sheet: Worksheet, layout: dict, top: int, widths: Sequence[int]) -> int:
    """The heading rows from `top` on, placed as HTML places cells; the row that follows them."""
    taken: set[tuple[int, int]] = set()
    for row, cells in enumerate(layout["header"], start=top):
        column, most = 1, 1
        for cell in cells:
            while (row, column) in taken:
                column += 1
            bottom = row + cell.get("rowspan", 1) - 1
            right = column + cell.get("colspan", 1) - 1
            taken |= {(r, c) for r in range(row, bottom + 1) for c in range(column, right + 1)}
            place = _write(sheet, row, column, cell["text"])
            _boxed(sheet, row, column, bottom, right)
            place.font = HEAD
            place.alignment = Alignment("center", "center", wrap_text=True)
            if bottom == row:
                most = max(most, _height(cell["text"], sum(widths[column - 1 : right])))
            _merge(sheet, row, column, bottom, right)
            column = right + 1
        sheet.row_dimensions[row].height = min(most * LINE_POINTS + 6, TALLEST)
    return top + len(layout["header"])


def _lines(
    sheet: Worksheet, layout: dict, lines: Sequence[MatrixRow], places: dict[int, int], widths: Sequence[int]
) -> None:
    roles = column_roles(layout)
    merges = {(top, left): (bottom, right) for top, left, bottom, right in page_merges(layout, lines)}
    covered = {
        (at, column)
        for (top, left), (bottom, right) in merges.items()
        for at in range(top, bottom + 1)
        for column in range(left, right + 1)
    } - set(merges)
    needed = [1] * len(lines)
    for at, line in enumerate(lines):
        for column, text in enumerate(line.cells):
            if (at, column) in covered:
                continue
            bottom, right = merges.get((at, column), (at, column))
            number = roles[column] == ColumnRole.NUMBER and bool(WHOLE.fullmatch(text))
            place = _write(sheet, places[at], column + 1, int(text) if number else text)
            place.font = BODY
            centered = roles[column] in CENTERED or roles[column] == ColumnRole.NUMBER
            place.alignment = Alignment("center" if centered else "left", "center", wrap_text=True)
            blank = [each for each in range(at, bottom + 1) if str(column) in lines[each].inferred]
            if blank:
                place.comment = _comment(lines, blank, column, places)
                if len(blank) == bottom - at + 1:
                    place.font = INFERRED
            _boxed(sheet, places[at], column + 1, places[bottom], right + 1)
            _merge(sheet, places[at], column + 1, places[bottom], right + 1)
            height = _height(text, sum(widths[column : right + 1]))
            # A merged text's lines are shared out among the rows it covers.
            share = -(-height // (bottom - at + 1))
            for covered_line in range(at, bottom + 1):
                needed[covered_line] = max(needed[covered_line], share)
    for at, most in enumerate(needed):
        sheet.row_dimensions[places[at]].height = min(most * LINE_POINTS + 6, TALLEST)


def _source(lines: Sequence[MatrixRow], at: int, column: int) -> int | None:
    """The nearest line that prints the text this one's blank cell was understood as."""
    same = [
        other
        for other, line in enumerate(lines)
        if line.cells[column] == lines[at].cells[column] and str(column) not in line.inferred
    ]
    return min(same, key=lambda other: (abs(other - at), other > at), default=None)


def _comment(
    lines: Sequence[MatrixRow], blank: Sequence[int], column: int, places: dict[int, int]
) -> Comment:
    """Which of the lines print this column blank, and which line says what they mean."""
    source = _source(lines, blank[0], column)
    where = lines[blank[0]].inferred[str(column)]
    if source is not None:
        where = coordinate(places[source], column + 1)
    return Comment(mark([coordinate(places[at], column + 1) for at in blank], where), "事项清单")


def _write(sheet: Worksheet, row: int, column: int, value: str | int):
    """A cell; a text stays a text whatever it begins with."""
    cell = sheet.cell(row, column)
    if value != "":
        put(cell, SPELT.sub(r"_x005F_\1", value) if isinstance(value, str) else value)
    return cell


def _boxed(sheet: Worksheet, top: int, left: int, bottom: int, right: int) -> None:
    for row in range(top, bottom + 1):
        for column in range(left, right + 1):
            sheet.cell(row, column).border = BOX


def _merge(sheet: Worksheet, top: int, left: int, bottom: int, right: int) -> None:
    if (bottom, right) != (top, left):
        sheet.merge_cells(start_row=top, start_column=left, end_row=bottom, end_column=right)


def _widths(layout: dict, lines: Sequence[MatrixRow]) -> list[int]:
    """Column widths in characters of full width that together fill the page."""
    wanted = []
    for column, role in enumerate(column_roles(layout)):
        longest = max((_measure(line.cells[column]) for line in lines), default=0)
        heading = _measure(layout["columns"][column]["text"])
        # Long texts break; the square root gives them room without letting one take all.
        width = WIDTHS.get(role) or max(round(2 * longest**0.5), min(heading, 6))
        wanted.append(min(max(width, NARROWEST if role != ColumnRole.NUMBER else 3), WIDEST))
    spare = SHEET_WIDTH / sum(wanted)
    return [max(round(width * spare), width) if spare > 1 else width for width in wanted]


def _measure(text: str) -> int:
    """How wide a text is, in characters of full width."""
    wide = sum(2 if unicodedata.east_asian_width(letter) in "WFA" else 1 for letter in text)
    return -(-wide // 2)


def _height(text: str, width: int) -> int:
    """The lines a text takes in a column of this width."""
    return sum(max(-(-_measure(part) // max(width, 1)), 1) for part in text.split("\n"))
