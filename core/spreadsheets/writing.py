"""A table on its way out: one sheet, one row of headings, written row by row."""

import io
from collections.abc import Iterable, Mapping, Sequence

from openpyxl import Workbook
from openpyxl.cell import Cell, WriteOnlyCell
from openpyxl.styles import Alignment, Font
from openpyxl.utils import get_column_letter

from core.spreadsheets.filling import UNPRINTABLE


def write_table(title: str, columns: Mapping[str, int], rows: Iterable[Sequence]) -> bytes:
    """An .xlsx with these headings (and widths, in characters) and these values.

    Texts are written as texts: one that begins with “=” is never a formula to whoever opens it.
    """
    return write_tables({title: (columns, rows)})


def write_tables(tables: Mapping[str, tuple[Mapping[str, int], Iterable[Sequence]]]) -> bytes:
    """The same with a sheet for each title."""
    book = Workbook(write_only=True)
    for title, (columns, rows) in tables.items():
        _write_sheet(book, title, columns, rows)
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def _write_sheet(book: Workbook, title: str, columns: Mapping[str, int], rows: Iterable[Sequence]) -> None:
    sheet = book.create_sheet(title[:31])
    sheet.freeze_panes = "A2"
    for at, width in enumerate(columns.values(), start=1):
        sheet.column_dimensions[get_column_letter(at)].width = width
    sheet.append([_cell(sheet, heading, bold=True) for heading in columns])
    for row in rows:
        sheet.append([_cell(sheet, value) for value in row])
    sheet.close()


def printable(text: str) -> str:
    """The text less what no sheet can hold."""
    return UNPRINTABLE.sub("", text)


def put(cell: Cell, value: object) -> None:
    """The value into the cell: a text stays one whatever it begins with, less what no sheet can hold."""
    if isinstance(value, str):
        cell.value = printable(value)
        cell.data_type = "s"
    else:
        cell.value = value


def _cell(sheet, value: object, *, bold: bool = False) -> WriteOnlyCell:
    cell = WriteOnlyCell(sheet)
    put(cell, value)
    if isinstance(value, str):
        cell.alignment = Alignment(wrap_text=True, vertical="top")
    if bold:
        cell.font = Font(bold=True)
    return cell
