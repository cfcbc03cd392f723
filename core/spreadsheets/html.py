"""Tables of web pages, of Word, and of systems that call a web page .xls."""

import re
import unicodedata
from dataclasses import dataclass, field

from core.errors import DomainError
from core.spreadsheets.filling import MAX_COLUMNS, Filling
from core.spreadsheets.tags import tokens

# Reading time goes with the tags; a page of two million is no list.
MAX_TAGS = 500_000
# HTML's own limits of how far a cell may span.
MOST_COLUMNS, MOST_ROWS = 1000, 65_534

CHARSET = re.compile(rb"""<meta[^>]{0,200}?charset\s*=\s*["']?([\w-]+)""", re.I)
TABLE = re.compile(r"<table\b", re.I)
HIDDEN = re.compile(r"display\s*:\s*none", re.I)
GAP = re.compile(r"[ \t\r\n\f\xa0]+")
BLOCKS = {"p", "div", "li", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "dd", "dt"}
# A break that is meant, unlike one of the source.
BREAK = "\v"


def declared_charset(data: bytes) -> str:
    """The encoding a page says it is in."""
    found = CHARSET.search(data[:4096])
    return found[1].decode() if found else ""


def has_table(page: str) -> bool:
    """Whether a page has a table at all."""
    return bool(TABLE.search(page))


def read_html(text: str, name: str) -> Filling:
    """Every table with a text of its own as a sheet, in the order they begin; scripts are ignored.

    A table inside a cell is a sheet of its own, not text of that cell. Raises DomainError when
    there is no table.
    """
    if text.count("<") > MAX_TAGS:
        raise DomainError(f"文件“{name}”的网页内容过多，请只保留表格后再试。")
    try:
        found = _Reader().read(text)
    except ValueError as error:  # a character whose number has thousands of digits
        raise DomainError(f"文件“{name}”的网页内容已损坏，无法读取。") from error
    tables = [table for table in found if any(cell.pieces for row in table.rows for cell in row.cells)]
    if not tables:
        raise DomainError(f"文件“{name}”是网页，里面没有表格。")
    book = Filling(name)
    for number, table in enumerate(tables, 1):
        _lay_out(table, book, "表格" if len(tables) == 1 else f"表格{number}")
    return book


@dataclass
class _Cell:
    """A cell's texts and breaks, in order, and how far it spans."""

    columns: int = 1
    rows: int = 1
    pieces: list[str] = field(default_factory=list)


@dataclass
class _Row:
    hidden: bool = False
    cells: list[_Cell] = field(default_factory=list)


@dataclass
class _Table:
    rows: list[_Row] = field(default_factory=list)
    caption: _Cell | None = None
    # The cell texts go to now; none between cells.
    cell: _Cell | None = None


class _Reader:
    """Collects the tables of a page, closing what pages forget to close."""

    def __init__(self) -> None:
        self.tables: list[_Table] = []
        self.open: list[_Table] = []

    def read(self, page: str) -> list[_Table]:
        for token in tokens(page):
            if isinstance(token, str):
                self._add(token.replace(BREAK, " "))
            elif token.closes:
                self._close(token.name)
            else:
                self._begin(token.name, token.attributes)
        return self.tables

    def _begin(self, tag: str, attributes: dict[str, str]) -> None:
        if tag == "table":
            self.open.append(_Table())
            self.tables.append(self.open[-1])
        elif not self.open:
            return
        elif tag == "tr":
            self.open[-1].cell = None
            self.open[-1].rows.append(_Row(hidden=_hidden(attributes)))
        elif tag in ("td", "th"):
            self._begin_cell(attributes)
        elif tag == "caption":
            self.open[-1].caption = self.open[-1].cell = _Cell()
        elif tag == "br" or tag in BLOCKS:
            self._add(BREAK)

    def _close(self, tag: str) -> None:
        if not self.open:
            return
        if tag == "table":
            self.open.pop()
        elif tag in ("td", "th", "tr", "caption"):
            self.open[-1].cell = None
        elif tag in BLOCKS:
            self._add(BREAK)

    def _begin_cell(self, attributes: dict[str, str]) -> None:
        table = self.open[-1]
        if not table.rows:
            table.rows.append(_Row())
        table.cell = _Cell(
            _span(attributes.get("colspan", ""), MOST_COLUMNS),
            _span(attributes.get("rowspan", ""), MOST_ROWS),
        )
        # Pages that merge by script hide the cells a merged one covers; they take no place.
        if not _hidden(attributes):
            table.rows[-1].cells.append(table.cell)

    def _add(self, piece: str) -> None:
        cell = self.open[-1].cell if self.open else None
        if cell is not None and (cell.pieces or piece.strip()):
            cell.pieces.append(piece)


def _gap(found: re.Match) -> str:
    """Blank characters between two words are one; a break of the source between two Chinese
    characters only kept its lines short."""
    before, after = found.string[: found.start()][-1:], found.string[found.end() :][:1]
    if "\n" in found[0] and _is_wide(before) and _is_wide(after):
        return ""
    return " "


def _is_wide(character: str) -> bool:
    return bool(character) and unicodedata.east_asian_width(character) in "WF"


def _hidden(attributes: dict[str, str]) -> bool:
    return "hidden" in attributes or bool(HIDDEN.search(attributes.get("style", "")))


def _span(value: str, most: int) -> int:
    """A span as browsers understand it: at least one; a rowspan of 0 goes to the end of the table."""
    number = re.match(r"\s*(\d{1,6})", value)
    span = int(number[1]) if number else 1
    return min(span or (most if most == MOST_ROWS else 1), most)


def _text(cell: _Cell) -> str:
    lines = [GAP.sub(_gap, line).strip() for line in "".join(cell.pieces).split(BREAK)]
    return "\n".join(line for line in lines if line)


def _lay_out(table: _Table, book: Filling, title: str) -> None:
    """Cells take the first free place of their row; spans become merged areas within the table."""
    sheet = book.sheet(title)
    rows = table.rows
    start = 0
    # How far down each column is taken by a cell of an earlier row.
    taken: dict[int, int] = {}
    if table.caption and (text := _text(table.caption)):
        start = 1
        sheet.put(1, 1, text)
    for number, row in enumerate(rows, start + 1):
        column = 1
        if row.hidden:
            sheet.hidden_rows.add(number)
        for cell in row.cells:
            while taken.get(column, 0) >= number:
                column += 1
            sheet.put(number, column, _text(cell))
            if column > MAX_COLUMNS:
                break
            bottom = min(number + cell.rows - 1, start + len(rows))
            right = column
            last = min(column + cell.columns - 1, MAX_COLUMNS)
            while right < last and taken.get(right + 1, 0) < number:
                right += 1
            sheet.merge(number, column, bottom, right)
            for place in range(column, right + 1):
                taken[place] = bottom
            column = right + 1
