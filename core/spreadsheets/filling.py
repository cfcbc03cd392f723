"""A workbook while it is being read: what is too much, or unusable, is refused by its cell."""

import re
from collections.abc import Iterable
from itertools import pairwise

from openpyxl.utils import get_column_letter

from core.errors import DomainError
from core.spreadsheets.grids import Merge, Sheet, Workbook, coordinate

# Far above any list people fill in, far below what exhausts a web process. Rows are those with a
# text, of one sheet; cells and characters are those of the whole workbook.
MAX_SHEETS = 100
MAX_ROWS = 5000
MAX_COLUMNS = 200
MAX_CELLS = 200_000
MAX_CHARACTERS = 10_000_000
MAX_MERGES = 100_000
# A text may stand below thousands of blank rows; whoever walks over them all can still do so.
LAST_ROW = 200_000
MAX_AREA = 3_000_000
# Excel's own limit of a cell.
MAX_LENGTH = 32_767
# How many cells a note names before it only counts.
NAMED = 5

# What no database keeps and no eye sees: controls other than tab and line break, halves of a pair.
UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def cleaned(text: str) -> str:
    """The text as printed: line breaks are \\n, both ends trimmed, nothing else changed."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return UNPRINTABLE.sub("", text).strip()


class Filling:
    """Collects the sheets of one file, its name being what every refusal begins with."""

    def __init__(self, name: str):
        self.name = name
        self.sheets: list[FillingSheet] = []
        self.notes: list[str] = []
        self.cells = 0
        self.characters = 0

    def sheet(self, title: str, *, merges_known: bool = True) -> "FillingSheet":
        """A further sheet to fill."""
        if len(self.sheets) == MAX_SHEETS:
            raise DomainError(f"文件“{self.name}”的工作表超过 {MAX_SHEETS} 张，请拆分后再导入。")
        self.sheets.append(FillingSheet(self, title, merges_known))
        return self.sheets[-1]

    def pass_over(self, title: str) -> None:
        """Note a hidden sheet, which is not read."""
        self.notes.append(f"工作表“{title}”是隐藏的，未读取。")

    def workbook(self) -> Workbook:
        """What was collected. Raises DomainError when merged areas overlap or no sheet is visible."""
        if not self.sheets:
            raise DomainError(f"文件“{self.name}”没有可见的工作表。")
        sheets = [sheet.finished() for sheet in self.sheets]
        return Workbook(self.name, sheets, self.notes + [n for sheet in self.sheets for n in sheet.notes()])


class FillingSheet:
    """One sheet being filled. Rows and columns count from 1."""

    def __init__(self, book: Filling, title: str, merges_known: bool):
        self.book = book
        self.sheet = Sheet(title, merges_known=merges_known)
        self.rows: set[int] = set()
        self.hidden_rows: set[int] = set()
        self.hidden_columns: set[int] = set()
        self.formulas: list[str] = []

    def put(self, row: int, column: int, text: str) -> None:
        """Keep a cell's text, unless it is blank."""
        if len(text) > MAX_LENGTH:
            raise self.refusal(row, column, f"文字超过 {MAX_LENGTH} 个字，请缩短后再导入。")
        text = cleaned(text)
        if not text:
            return
        if column > MAX_COLUMNS:
            raise self.refusal(row, column, f"超出前 {MAX_COLUMNS} 列，请删去多余的列。")
        if row > LAST_ROW:
            raise self.refusal(row, column, f"超出前 {LAST_ROW} 行，请删去上面的空白行。")
        self.sheet.texts[row, column] = text
        self.rows.add(row)
        self.book.cells += 1
        self.book.characters += len(text)
        if len(self.rows) > MAX_ROWS or self.book.cells > MAX_CELLS:
            raise DomainError(f"{self.place()}超过 {MAX_ROWS} 行或 {MAX_CELLS} 格，请拆分。")
        if self.book.characters > MAX_CHARACTERS:
            raise DomainError(f"文件“{self.book.name}”的文字超过 {MAX_CHARACTERS // 10_000} 万字，请拆分。")

    def comment(self, row: int, column: int, text: str) -> None:
        """Keep what is noted beside a cell; of more notes than a sheet may have cells, the first."""
        if text and len(self.sheet.comments) < MAX_CELLS:
            self.sheet.comments[row, column] = cleaned(text)

    def merge(self, top: int, left: int, bottom: int, right: int) -> None:
        """Note a merged area; a single cell is none."""
        if (top, left) == (bottom, right):
            return
        if len(self.sheet.merges) == MAX_MERGES:
            raise DomainError(f"{self.place()}的合并区域超过 {MAX_MERGES} 处，请拆分。")
        self.sheet.merges.append(Merge(top, left, bottom, right))

    def hide_columns(self, first: int, last: int) -> None:
        self.hidden_columns.update(range(first, min(last, MAX_COLUMNS) + 1))

    def formula(self, row: int, column: int) -> None:
        """Note that a cell shows the result of a formula, as the file last kept it."""
        self.formulas.append(coordinate(row, column))

    def refusal(self, row: int, column: int, reason: str) -> DomainError:
        """The error that names a cell and why the file cannot be read with it."""
        return DomainError(f"{self.place()}单元格 {coordinate(row, column)}：{reason}")

    def place(self) -> str:
        return f"文件“{self.book.name}”工作表“{self.sheet.name}”"

    def finished(self) -> Sheet:
        sheet = self.sheet
        if sheet.last_row * sheet.last_column > MAX_AREA:
            raise DomainError(
                f"{self.place()}从 A1 到 {coordinate(sheet.last_row, sheet.last_column)} 范围过大，"
                "请删去空白的行和列。"
            )
        width = sum(max(0, min(merge.right, sheet.last_column) - merge.left + 1) for merge in sheet.merges)
        if width > 10 * MAX_MERGES:
            raise DomainError(f"{self.place()}的合并区域过大，请取消不需要的合并后再试。")
        for column, merges in sorted(sheet.merges_by_column.items()):
            for upper, lower in pairwise(merges):
                if lower.top <= upper.bottom:
                    raise self.refusal(lower.top, column, "合并区域互相重叠，无法读取。")
        return sheet

    def notes(self) -> Iterable[str]:
        """What a person should look at before trusting this sheet."""
        if self.formulas:
            named = "、".join(self.formulas[:NAMED])
            more = f" 等 {len(self.formulas)} 处" if len(self.formulas) > NAMED else ""
            yield f"工作表“{self.sheet.name}”的 {named}{more}是公式，按文件中保存的结果读取，请核对。"
        if rows := self.hidden_rows & self.rows:
            named = _spans(sorted(rows), str)
            yield f"工作表“{self.sheet.name}”的第 {named} 行是隐藏的，已照常读取，请核对。"
        filled = {column for _, column in self.sheet.texts} if self.hidden_columns else set()
        if columns := self.hidden_columns & filled:
            named = _spans(sorted(columns), get_column_letter)
            yield f"工作表“{self.sheet.name}”的 {named} 列是隐藏的，已照常读取，请核对。"


def _spans(numbers: list[int], label) -> str:
    """2、5—7 for 2, 5, 6, 7; only the first few, then how many there are."""
    spans: list[list[int]] = []
    for number in numbers:
        if spans and number == spans[-1][-1] + 1:
            spans[-1][1:] = [number]
        else:
            spans.append([number])
    named = "、".join("—".join(label(end) for end in span) for span in spans[:NAMED])
    return f"{named} 等共 {len(numbers)}" if len(spans) > NAMED else named
