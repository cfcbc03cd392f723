"""Read .xlsx workbooks that strangers send: checked before anything is unpacked, then as plain grids.

A grid is what a person sees: texts, where they stand, and which cells are merged. Nothing here
knows what a column means. Every refusal is a DomainError naming the file, the sheet and the cell.
"""

import io
import re
import warnings
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time
from functools import cached_property
from typing import Any

from django.conf import settings
from openpyxl import load_workbook
from openpyxl.utils import get_column_letter, range_boundaries

from core.errors import DomainError

# Far above any sheet people fill in, far below what exhausts a web process.
MAX_MEMBERS = 1000
MAX_UNPACKED = 32 * 1024 * 1024
# Of all parts together; a parser's time and memory go with the tags, however short each is.
MAX_TAGS = 2_000_000
MAX_ROWS = 5000
MAX_COLUMNS = 200
MAX_CELLS = 200_000

OLD_EXCEL = b"\xd0\xcf\x11\xe0"
MERGE = re.compile(rb'<(?:\w+:)?mergeCell\s[^>]*?ref="([A-Z]{1,3}\d{1,7}:[A-Z]{1,3}\d{1,7})"')


@dataclass(frozen=True)
class Merge:
    """A merged area, 1-based and inclusive; its text stands in the upper left cell."""

    top: int
    left: int
    bottom: int
    right: int


@dataclass
class Sheet:
    """One visible sheet as a grid; rows and columns count from 1."""

    name: str
    texts: dict[tuple[int, int], str] = field(default_factory=dict)
    merges: list[Merge] = field(default_factory=list)
    _covered: dict[tuple[int, int], Merge] = field(default_factory=dict, repr=False)

    # Cached: asked for once a row, over every text. Read a sheet to its end before asking.
    @cached_property
    def last_row(self) -> int:
        """The last row with a text; blank rows below it do not count."""
        return max((row for row, _ in self.texts), default=0)

    @cached_property
    def last_column(self) -> int:
        return max((column for _, column in self.texts), default=0)

    def merge_at(self, row: int, column: int) -> Merge | None:
        """The merged area this cell belongs to, if any."""
        return self._covered.get((row, column))

    def anchor(self, row: int, column: int) -> tuple[int, int]:
        """Where this cell's text is printed: the upper left of its merged area, or itself."""
        merge = self.merge_at(row, column)
        return (merge.top, merge.left) if merge else (row, column)

    def value(self, row: int, column: int) -> str:
        """The text a reader sees for this cell: a merged area's text counts for all it covers."""
        return self.texts.get(self.anchor(row, column), "")


@dataclass
class Workbook:
    """The visible sheets of a file; `notes` say in sentences what was passed over."""

    name: str
    sheets: list[Sheet]
    notes: list[str] = field(default_factory=list)


def coordinate(row: int, column: int) -> str:
    """C14 for row 14, column 3."""
    return f"{get_column_letter(column)}{row}"


def open_workbook(data: bytes, name: str, *, max_unpacked: int = MAX_UNPACKED) -> Workbook:
    """Read every visible sheet of an .xlsx file.

    Raises DomainError when it is no workbook, too large once unpacked, has macros, formulas or
    error values, or merged areas that overlap.
    """
    names = _check_archive(data, name, max_unpacked)
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


def _check_archive(data: bytes, name: str, max_unpacked: int) -> list[str]:
    """The member names, once sizes, kinds and document types were found harmless."""
    if len(data) > settings.UPLOAD_MAX_BYTES:
        size, most = len(data) / 1024 / 1024, settings.UPLOAD_MAX_BYTES / 1024 / 1024
        raise DomainError(f"文件“{name}”有 {size:.1f} MB，超过上限 {most:.0f} MB。")
    if data.startswith(OLD_EXCEL):
        raise DomainError(f"文件“{name}”是旧版 .xls 或加了密码的工作簿，请去掉密码并另存为 .xlsx。")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = archive.infolist()
            # zipfile never unpacks more of a member than the size checked here.
            if len(members) > MAX_MEMBERS or sum(member.file_size for member in members) > max_unpacked:
                most = max_unpacked / 1024 / 1024
                raise DomainError(f"文件“{name}”解压后超过 {most:.0f} MB 或部件过多，不予读取。")
            names = [member.filename for member in members]
            if any(member.endswith("vbaProject.bin") for member in names):
                raise DomainError(f"文件“{name}”含有宏，请另存为不含宏的 .xlsx。")
            if "[Content_Types].xml" not in names or not any(
                part.startswith("xl/worksheets/") for part in names
            ):
                raise DomainError(f"文件“{name}”不是 Excel 工作簿（.xlsx）。")
            tags = 0
            for member in members:
                if not member.filename.endswith((".xml", ".rels")):
                    continue
                part = archive.read(member)
                # An office file never declares a document type; entity bombs do.
                if b"<!DOCTYPE" in part:
                    raise DomainError(f"文件“{name}”的部件“{member.filename}”含有不允许的声明，不予读取。")
                tags += part.count(b"<")
                if tags > MAX_TAGS:
                    raise DomainError(
                        f"文件“{name}”的单元格过多（含带格式的空白单元格），请删去空白行列后再试。"
                    )
    except (
        zipfile.BadZipFile,
        zipfile.LargeZipFile,
        NotImplementedError,
        RuntimeError,
        OSError,
        EOFError,
    ) as error:
        raise DomainError(f"文件“{name}”不是 Excel 工作簿（.xlsx），或已损坏。") from error
    return names


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
