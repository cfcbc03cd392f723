"""Stream .xlsx workbooks: every visible sheet row by row, values as they are, in little memory.

`xlsx.py` reads what a sheet shows into a grid; here 100,000 rows pass by once. Merged cells give
their value to every row they cover, as they do there.
"""

import re
import zipfile
from collections.abc import Iterator, Mapping
from datetime import date, datetime, time, timedelta
from functools import cache
from typing import Any
from xml.parsers import expat

from openpyxl.styles.numbers import is_date_format, is_timedelta_format
from openpyxl.utils import column_index_from_string, range_boundaries
from openpyxl.utils.datetime import MAC_EPOCH, WINDOWS_EPOCH, from_excel

from core.errors import DomainError
from core.spreadsheets.archive import Limits, check_archive, opened
from core.spreadsheets.xlsx import Package, unescaped

PIECE = 256 * 1024
MERGE = re.compile(rb'<(?:\w+:)?mergeCell\s[^>]*?ref="([A-Z]{1,3}\d{1,7}:[A-Z]{1,3}\d{1,7})"')
# Cells that merged areas cover, of all together.
MOST_COVERED = 200_000
# A cell that is a formula whose result the file does not hold.
NO_RESULT = "#NO_RESULT"
ROW, CELL, VALUE, FORMULA, TEXT, PHONETIC, OTHER = range(7)
ENDS = (VALUE, TEXT)
TAGS = {"row": ROW, "c": CELL, "v": VALUE, "f": FORMULA, "t": TEXT, "rPh": PHONETIC}

# Row → the areas that cover some of it: first and last column, row of the value.
Covered = Mapping[int, list[tuple[int, int, int]]]


class _Tags(dict):
    """What a tag means, by its name as it is written, prefix and all."""

    def __missing__(self, tag: str) -> int:
        kind = self[tag] = TAGS.get(tag.rpartition(":")[2], OTHER)
        return kind


class _Columns(dict):
    """Which column a reference like AB12 names."""

    def __missing__(self, letters: str) -> int:
        column = self[letters] = column_index_from_string(letters)
        return column


def stream_xlsx(
    data: bytes, name: str, notes: list[str], limits: Limits
) -> Iterator[tuple[str, int, Iterator[list]]]:
    """Name, height and rows of each visible sheet, to be read once and in order.

    Values are raw: texts, numbers, dates, an error's name; None where nothing stands. Raises
    DomainError when it is no workbook, too large once unpacked, or has macros.
    """
    check_archive(data, name, limits)
    with opened(data, name) as archive:
        package = Package(archive)
        contents = package.contents()
        dates = _date_styles(contents.styles)
        for title, is_visible, target in contents.worksheets:
            if not is_visible:
                notes.append(f"工作表“{title}”是隐藏的，未读取。")
                continue
            member = package.member(target)
            height, covered = _survey(archive, member, f"文件“{name}”工作表“{title}”")
            with archive.open(member) as source:
                values = _Values(contents.strings, dates, mac=contents.mac)
                yield title, height, _rows(source, values, covered)


def _survey(archive: zipfile.ZipFile, member: str, place: str) -> tuple[int, Covered]:
    """How many rows the sheet has, and which cells are covered by merged areas: they are named last."""
    height, areas, rest = 0, set(), b""
    with archive.open(member) as source:
        while piece := source.read(PIECE):
            height += piece.count(b"<row")
            if b"mergeCell" in (block := rest + piece):
                areas.update(MERGE.findall(block))
            rest = piece[-200:]
    covered: dict[int, list[tuple[int, int, int]]] = {}
    cells = 0
    for area in sorted(areas):
        left, top, right, bottom = range_boundaries(area.decode())
        cells += (right - left + 1) * (bottom - top + 1)
        if cells > MOST_COVERED:
            raise DomainError(f"{place}：合并的单元格过多，请取消合并后再导入。")
        for row in range(top, bottom + 1):
            covered.setdefault(row, []).append((left, right, top))
    return height, covered


def _rows(source: Any, values: "_Values", covered: Covered) -> Iterator[list]:
    """The rows from the first to the last, blank ones in between as well."""
    done: list[tuple[int, list]] = []
    parser = _parser(values, done)
    anchors: dict[tuple[int, int], Any] = {}
    line = 0
    piece = True
    while piece:
        piece = source.read(PIECE)
        parser.Parse(piece, not piece)
        for row, cells in done:
            if row <= line:
                raise ValueError(f"row {row} after row {line}")
            for _ in range(line + 1, row):
                yield []
            if row in covered:
                _fill(cells, row, covered[row], anchors)
            yield cells
            line = row
        done.clear()


def _fill(
    cells: list, row: int, areas: list[tuple[int, int, int]], anchors: dict[tuple[int, int], Any]
) -> None:
    for left, right, top in areas:
        if row == top:
            anchors[top, left] = cells[left - 1] if left <= len(cells) else None
        cells += [None] * (right - len(cells))
        cells[left - 1 : right] = [anchors.get((top, left))] * (right - left + 1)


def _parser(values: "_Values", done: list[tuple[int, list]]) -> Any:
    """A parser that puts finished rows into `done`. Closures, because every tag of millions comes by here."""
    tags, columns = _Tags(), _Columns()
    row = column = 0
    cells: list[Any] = []
    pieces: list[str] = []
    kind = style = None
    reading = formula = phonetic = False
    value_of = values.value

    def start(tag: str, attributes: Mapping[str, str]) -> None:
        nonlocal row, column, cells, kind, style, reading, formula, phonetic
        what = tags[tag]
        if what == CELL:
            reference = attributes.get("r")
            column = columns[reference.rstrip("0123456789")] if reference else column + 1
            kind, style = attributes.get("t"), attributes.get("s")
            formula = False
            pieces.clear()
        elif what == VALUE or (what == TEXT and not phonetic):
            reading = True
        elif what == FORMULA:
            formula = True
        elif what == ROW:
            row, column, cells = int(attributes.get("r") or row + 1), 0, []
        elif what == PHONETIC:
            phonetic = True

    def text(said: str) -> None:
        if reading:
            pieces.append(said)

    def end(tag: str) -> None:
        nonlocal reading, phonetic, kind
        what = tags[tag]
        if what in ENDS:
            reading = False
        elif what == CELL:
            said = pieces[0] if len(pieces) == 1 else "".join(pieces)
            if not said:
                if not formula or kind == "str":  # the text "" is a result, too
                    return
                kind, said = "e", NO_RESULT
            if column - 1 != len(cells):
                cells.extend([None] * (column - 1 - len(cells)))
                del cells[column - 1 :]
            cells.append(value_of(kind, said, style))
        elif what == ROW:
            done.append((row, cells))
        elif what == PHONETIC:
            phonetic = False

    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.CharacterDataHandler = text
    return parser


class _Values:
    """What the text of a cell stands for."""

    def __init__(self, strings: list[str], dates: Mapping[str, bool], *, mac: bool):
        self.strings = strings
        self.dates = dates
        self.epoch = MAC_EPOCH if mac else WINDOWS_EPOCH
        self.day = cache(self._day)

    def value(self, kind: str | None, said: str, style: str | None) -> Any:
        if kind == "s":
            return self.strings[int(said)]
        if kind == "inlineStr" or kind == "str":
            return unescaped(said)
        if kind is None or kind == "n":
            if style in self.dates:
                return self.day(said, self.dates[style])
            return float(said) if "." in said or "e" in said or "E" in said else int(said)
        if kind == "b":
            return said in ("1", "true")
        if kind == "d":
            return datetime.fromisoformat(said)
        return said

    def _day(self, said: str, is_length: bool) -> datetime | date | time | timedelta | float:
        try:
            return from_excel(float(said), self.epoch, timedelta=is_length)
        except (OverflowError, ValueError):
            return float(said)


def _date_styles(codes: list[str]) -> dict[str, bool]:
    """The styles that print a number as a date, by number; and whether as a length of time."""
    return {str(style): is_timedelta_format(code) for style, code in enumerate(codes) if is_date_format(code)}
