"""What a person sees of a table: texts, where they stand, and which cells are merged."""

from dataclasses import dataclass, field
from functools import cached_property

from openpyxl.utils import get_column_letter

# Far above any sheet people fill in, far below what exhausts a web process.
MAX_ROWS = 5000
MAX_COLUMNS = 200
MAX_CELLS = 200_000


def coordinate(row: int, column: int) -> str:
    """C14 for row 14, column 3."""
    return f"{get_column_letter(column)}{row}"


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
