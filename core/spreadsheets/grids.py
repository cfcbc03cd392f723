"""What a person sees of a table: texts, where they stand, and which cells are merged."""

from bisect import bisect_right
from dataclasses import dataclass, field
from functools import cached_property
from operator import attrgetter

from openpyxl.utils import get_column_letter


@dataclass(frozen=True)
class Merge:
    """A merged area, 1-based and inclusive; its text stands in the upper left cell."""

    top: int
    left: int
    bottom: int
    right: int


@dataclass
class Sheet:
    """One visible sheet as a grid; rows and columns count from 1.

    `merges_known` says whether the source tells which cells are merged: a blank cell of a workbook
    is blank, one of a CSV file may be the tail of what was merged.
    """

    name: str
    texts: dict[tuple[int, int], str] = field(default_factory=dict)
    merges: list[Merge] = field(default_factory=list)
    merges_known: bool = True
    # What people noted beside a cell; only an .xlsx has it.
    comments: dict[tuple[int, int], str] = field(default_factory=dict)

    # Cached: asked for once a row, over every text. Read a sheet to its end before asking.
    @cached_property
    def lines(self) -> list[int]:
        """The rows with a text, top to bottom; there may be thousands of blank ones between them."""
        return sorted({row for row, _ in self.texts})

    @property
    def last_row(self) -> int:
        """The last row with a text; blank rows below it do not count."""
        return self.lines[-1] if self.lines else 0

    @cached_property
    def last_column(self) -> int:
        return max((column for _, column in self.texts), default=0)

    @cached_property
    def merges_by_column(self) -> dict[int, list[Merge]]:
        """The merged areas standing in each column up to the last one with a text, top to bottom."""
        columns: dict[int, list[Merge]] = {}
        for merge in sorted(self.merges, key=attrgetter("top")):
            for column in range(merge.left, min(merge.right, self.last_column) + 1):
                columns.setdefault(column, []).append(merge)
        return columns

    def merge_at(self, row: int, column: int) -> Merge | None:
        """The merged area this cell belongs to, if any."""
        merges = self.merges_by_column.get(column)
        if not merges:
            return None
        place = bisect_right(merges, row, key=attrgetter("top"))
        return merges[place - 1] if place and row <= merges[place - 1].bottom else None

    def anchor(self, row: int, column: int) -> tuple[int, int]:
        """Where this cell's text is printed: the upper left of its merged area, or itself."""
        merge = self.merge_at(row, column)
        return (merge.top, merge.left) if merge else (row, column)

    def value(self, row: int, column: int) -> str:
        """The text a reader sees for this cell: a merged area's text counts for all it covers."""
        return self.texts.get(self.anchor(row, column), "")


@dataclass
class Workbook:
    """The visible sheets of a file; `notes` say in sentences what was passed over or needs a look."""

    name: str
    sheets: list[Sheet]
    notes: list[str] = field(default_factory=list)


def coordinate(row: int, column: int) -> str:
    """C14 for row 14, column 3."""
    return f"{get_column_letter(column)}{row}"
