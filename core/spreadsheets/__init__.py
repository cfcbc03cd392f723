"""Read tables that strangers send: checked before anything is unpacked, then as plain grids.

Nothing here knows what a column means. Every refusal is a DomainError naming the file, the sheet
and the cell.
"""

from core.spreadsheets.archive import Limits
from core.spreadsheets.grids import MAX_CELLS, MAX_COLUMNS, MAX_ROWS, Merge, Sheet, Workbook, coordinate
from core.spreadsheets.writing import write_table
from core.spreadsheets.xlsx import open_workbook

__all__ = [
    "MAX_CELLS",
    "MAX_COLUMNS",
    "MAX_ROWS",
    "Limits",
    "Merge",
    "Sheet",
    "Workbook",
    "coordinate",
    "open_workbook",
    "write_table",
]
