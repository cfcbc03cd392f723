"""How an exported workbook tells which texts the attachment does not print: by comments beside them.

A comment holds only while the cell still says what its source says; whoever writes something else there
has made it a text of the list.
"""

import re
from collections.abc import Sequence

from openpyxl.utils import column_index_from_string

from core.spreadsheets import Sheet

MARK = re.compile(r"推断：([A-Z0-9、]+) 原文空白，取自 ([A-Z]{1,3}\d{1,7})")
CELL = re.compile(r"([A-Z]{1,3})(\d{1,7})")


def mark(cells: Sequence[str], source: str) -> str:
    """The comment that says these cells are printed blank and mean what `source` says."""
    return f"推断：{'、'.join(cells)} 原文空白，取自 {source}"


def marked_cells(sheet: Sheet) -> dict[tuple[int, int], str]:
    """The cells a sheet's comments mark, with where each one's text was taken from."""
    marked = {}
    for text in sheet.comments.values():
        for cells, source in MARK.findall(text):
            said = sheet.value(*_place(source))
            for cell in cells.split("、"):
                if CELL.fullmatch(cell) and said and sheet.value(*_place(cell)) == said:
                    marked[_place(cell)] = source
    return marked


def _place(cell: str) -> tuple[int, int]:
    letters, row = CELL.fullmatch(cell).groups()
    return int(row), column_index_from_string(letters)
