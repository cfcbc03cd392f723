"""Read .xlsx workbooks: every visible sheet as a grid."""

import io
import re
import warnings
from collections.abc import Iterator
from datetime import date, datetime, time
from typing import Any

from openpyxl import load_workbook
from openpyxl.utils import range_boundaries

from core.errors import DomainError
from core.spreadsheets.archive import Limits, check_archive
from core.spreadsheets.grids import MAX_CELLS, MAX_COLUMNS, MAX_ROWS, Merge, Sheet, Workbook, coordinate

LIMITS = Limits()
MERGE = re.compile(rb'<(?:\w+:)?mergeCell\s[^>]*?ref="([A-Z]{1,3}\d{1,7}:[A-Z]{1,3}\d{1,7})"')


def open_workbook(data: bytes, name: str, *, limits: Limits = LIMITS) -> Workbook:
    """Read every visible sheet of an .xlsx file.

    Raises DomainError when it is no workbook, too large once unpacked, has macros, formulas or
    error values, or merged areas that overlap.
    """
    names = check_archive(data, name, limits)
    notes = []
    if any(member.startswith("xl/externalLinks/") for member in names):
        notes.append("文件含外部链接，已忽略，只读取文件内的文字。")
    sheets = []
    try:
        with warnings.catch_warnings():
            # openpyxl warns of styles and extensions it drops; only texts matter here.
            warnings.simplefilter("ignore")
            book = load_workbook(io.BytesIO(data), read_only=True, keep_links=False)
            for worksheet in book.worksheets:
                if worksheet.sheet_state != "visible":
                    notes.append(f"工作表“{worksheet.title}”是隐藏的，未读取。")
                    continue
                sheets.append(_read_sheet(worksheet, name))
            book.close()
    except DomainError:
        raise
    except Exception as error:  # openpyxl raises whatever a damaged part makes of its parsers
        raise DomainError(
            f"文件“{name}”已损坏，无法读取。请用 Excel 或 WPS 打开后另存为 .xlsx 再试。"
        ) from error
    if not sheets:
        raise DomainError(f"文件“{name}”没有可见的工作表。")
    return Workbook(name, sheets, notes)


def _read_sheet(worksheet: Any, name: str) -> Sheet:
    sheet = Sheet(worksheet.title)
    # The size a file declares for its sheet is only a claim.
    worksheet.reset_dimensions()
    rows = 0
    for row in worksheet.iter_rows():
        filled = [cell for cell in row if cell.value is not None]
        rows += bool(filled)
        for cell in filled:
            text = _text(cell, sheet.name, name)
            if not text:
                continue
            if cell.column > MAX_COLUMNS:
                raise DomainError(
                    f"{_place(name, sheet.name, cell)}：超出前 {MAX_COLUMNS} 列，请删去多余的列。"
                )
            sheet.texts[cell.row, cell.column] = text
        if rows > MAX_ROWS or len(sheet.texts) > MAX_CELLS:
            raise DomainError(
                f"文件“{name}”工作表“{sheet.name}”超过 {MAX_ROWS} 行或 {MAX_CELLS} 格，请拆分。"
            )
    last_row, last_column = sheet.last_row, sheet.last_column
    for merge in _merges(worksheet):
        sheet.merges.append(merge)
        for row in range(merge.top, min(merge.bottom, last_row) + 1):
            for column in range(merge.left, min(merge.right, last_column) + 1):
                # Refused at the first overlap, so the work stays within the sheet's own size.
                if (row, column) in sheet._covered:
                    where = coordinate(row, column)
                    raise DomainError(
                        f"文件“{name}”工作表“{sheet.name}”单元格 {where}：合并区域互相重叠，无法读取。"
                    )
                sheet._covered[row, column] = merge
    return sheet


def _merges(worksheet: Any) -> Iterator[Merge]:
    # A read-only worksheet gives no merges; its own part of the archive has them.
    source = worksheet.parent._archive.read(worksheet._worksheet_path)
    for found in MERGE.finditer(source):
        left, top, right, bottom = range_boundaries(found.group(1).decode())
        yield Merge(top, left, bottom, right)


def _text(cell: Any, sheet: str, name: str) -> str:
    """The cell as text, ends trimmed; what stands inside is left as printed."""
    value = cell.value
    if cell.data_type == "f":
        raise DomainError(f"{_place(name, sheet, cell)}：是公式，请改为文字后再导入。")
    if cell.data_type == "e":
        raise DomainError(f"{_place(name, sheet, cell)}：是错误值 {value}，请更正后再导入。")
    if isinstance(value, str):
        return value.replace("_x000D_", "").replace("\r\n", "\n").strip()
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat(" ", "minutes")
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, int | float) and "%" in cell.number_format:
        return f"{value * 100:.10g}%"
    if isinstance(value, float):
        return f"{value:.15g}"
    return str(value)


def _place(name: str, sheet: str, cell: Any) -> str:
    return f"文件“{name}”工作表“{sheet}”单元格 {coordinate(cell.row, cell.column)}"
