"""Workbooks that go out: the template with its explanations, faulty rows with their marks, exports."""

import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.comments import Comment
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation

from core.enums import Verdict
from core.models import ImportRun, StagedRow
from core.registers.columns import CLEAR, Column
from core.registers.register import Register, Values
from core.spreadsheets import printable, put, write_table

HEAD = Font(bold=True)
HEAD_FILL = PatternFill("solid", fgColor="E8EEF6")
WRONG_FILL = PatternFill("solid", fgColor="FFC7CE")
TOP = Alignment(vertical="top", wrap_text=True)
EXPLAINED = ("列", "必填", "填写要求", "示例", "说明")
# Rows of a template that are prepared for typing: codes as text, choices as lists.
PREPARED_ROWS = 1000
# Excel takes no longer list of choices in a cell's drop-down.
LONGEST_CHOICES = 250
MOST_FAULTY = 5000


def template(register: Register, columns: Sequence[Column]) -> Workbook:
    """An empty workbook to fill in, with a second sheet that explains every column."""
    book = Workbook()
    sheet = book.active
    sheet.title = register.title
    for number, column in enumerate(columns, start=1):
        letter = get_column_letter(number)
        cell = sheet.cell(1, number, column.heading + ("*" if column.required else ""))
        cell.font, cell.fill = HEAD, HEAD_FILL
        sheet.column_dimensions[letter].width = column.width
        # A code typed into a cell of general format loses its leading zeros and its last digits.
        sheet.column_dimensions[letter].number_format = "@"
        choices = ",".join(column.kind.choices)
        if choices and len(choices) <= LONGEST_CHOICES:
            offered = DataValidation(type="list", formula1=f'"{choices}"', allow_blank=True)
            offered.add(f"{letter}2:{letter}{PREPARED_ROWS}")
            sheet.add_data_validation(offered)
    sheet.freeze_panes = "A2"
    _explain(book.create_sheet("填写说明"), columns)
    return book


def faulty_rows(run: ImportRun, register: Register) -> Workbook:
    """The rows with errors as they stood in the file, each wrong cell filled and commented."""
    known = {column.name: column for column in register.columns(run.actor)}
    columns = [known[name] for name in run.fields if name in known]
    headings = {name: column.heading for name, column in known.items()}
    book = Workbook(write_only=True)
    sheet = book.create_sheet("有误的行")
    widths = [8, 48, *(column.width for column in columns)]
    for number, width in enumerate(widths, start=1):
        sheet.column_dimensions[get_column_letter(number)].width = width
    sheet.freeze_panes = "C2"
    sheet.append([_head(sheet, text) for text in ("原行号", "错误", *(column.heading for column in columns))])
    rows = run.rows.filter(verdict=Verdict.FAULTY).order_by("line")
    for row in rows[:MOST_FAULTY].iterator(chunk_size=1000):
        sheet.append(_faulty_cells(sheet, row, columns, headings))
    if run.faulty > MOST_FAULTY:
        sheet.append(
            [None, f"只列出前 {MOST_FAULTY:,} 行，共 {run.faulty:,} 行有误；更正后重新上传可看其余。"]
        )
    return book


def export(title: str, columns: Sequence[Column], rows: Iterable[Values]) -> bytes:
    """Rows as a workbook that the import reads back as it is."""
    shown = ([column.show(values.get(column.name)) for column in columns] for values in rows)
    return write_table(title, {column.heading: column.width for column in columns}, shown)


def saved(book: Workbook) -> bytes:
    """The workbook's bytes."""
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def _explain(sheet: Any, columns: Sequence[Column]) -> None:
    sheet.append(EXPLAINED)
    for cell in sheet[1]:
        cell.font, cell.fill = HEAD, HEAD_FILL
    for column in columns:
        others = f"也可写作：{'、'.join(column.aliases)}。" if column.aliases else ""
        says = "必填" if column.required else "选填"
        sheet.append([column.heading, says, column.kind.says, column.example, column.note + others])
    for note in (
        "列的先后不限，表头上方可以有标题行，可以有其他列（不读取）。",
        f"更新时空白的单元格保持原值不变；要清除原值，请填“{CLEAR}”。",
    ):
        sheet.append([note])
    for letter, width in zip("ABCDE", (22, 8, 40, 24, 60), strict=True):
        sheet.column_dimensions[letter].width = width
    for row in sheet.iter_rows(min_row=2, max_row=len(columns) + 1):
        for cell in row:
            cell.alignment = TOP


def _head(sheet: Any, text: str) -> WriteOnlyCell:
    cell = WriteOnlyCell(sheet, text)
    cell.font, cell.fill = HEAD, HEAD_FILL
    return cell


def _faulty_cells(
    sheet: Any, row: StagedRow, columns: Sequence[Column], headings: Mapping[str, str]
) -> Iterator[Any]:
    yield row.line
    reasons = (f"{headings[name]}：{row.errors[name][1]}" for name in headings if name in row.errors)
    yield _cell(sheet, "；".join(reasons))
    for column in columns:
        shown, reason = row.errors.get(column.name, ("", ""))
        value = shown or column.show(row.values.get(column.name))
        if reason:
            cell = _cell(sheet, value)
            cell.fill, cell.comment = WRONG_FILL, Comment(printable(reason), "导入")
            yield cell
        else:
            yield _cell(sheet, value)


def _cell(sheet: Any, value: Any) -> WriteOnlyCell:
    cell = WriteOnlyCell(sheet)
    put(cell, value)
    return cell
