"""Read tables that strangers send: checked before anything is unpacked, then as plain grids.

Nothing here knows what a column means. Every refusal is a DomainError naming the file, the sheet
and the cell.
"""

from core.spreadsheets.archive import Limits
from core.spreadsheets.grids import Merge, Sheet, Workbook, coordinate
from core.spreadsheets.opening import PASTED, open_pasted, open_workbook
from core.spreadsheets.writing import printable, put, write_table, write_tables

__all__ = [
    "PASTED",
    "Limits",
    "Merge",
    "Sheet",
    "Workbook",
    "coordinate",
    "open_pasted",
    "open_workbook",
    "printable",
    "put",
    "write_table",
    "write_tables",
]
