"""Read a long table row by row: one header line, then records, 100,000 of them in little memory.

The header is found by itself below title lines; headings are compared without spaces, line breaks,
stars and full-width forms. What a heading means is said by the caller: field → its headings.
"""

import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from itertools import chain, islice
from operator import itemgetter
from typing import Any, TypeVar

from openpyxl.utils import get_column_letter

from core.errors import DomainError
from core.spreadsheets.archive import Limits
from core.spreadsheets.grids import Sheet
from core.spreadsheets.ole import SIGNATURE
from core.spreadsheets.opening import open_records, open_workbook
from core.spreadsheets.streaming import stream_xlsx
from core.spreadsheets.xls import stream_xls

HEADER_WITHIN = 30
MAX_LINES = 200_000
# No sheet of Excel has more; a row that says so is filled up to by openpyxl, blank line by blank line.
LAST_LINE = 1_048_576
# A sheet of 100,000 rows of 20 cells has 12 million tags and 110 MB.
LIMITS = Limits(unpacked=512 * 1024 * 1024, tags=40_000_000)
REQUIRED_MARK = re.compile(r"[\s*:]|\((必填|选填|必填项|可空)\)")
UNIT = re.compile(r"\([^()]*\)$")

Cells = Sequence[Any]
Item = TypeVar("Item")


@dataclass
class Table:
    """A sheet's header as it was understood; `lines` gives each record with its line number.

    Cells come in the order of `positions` (field → column from 1), raw: texts, numbers, dates, None.
    """

    sheet: str
    header_line: int
    positions: dict[str, int]
    unknown: list[str]
    last_line: int
    lines: Iterator[tuple[int, Cells]]
    notes: list[str] = field(default_factory=list)


@dataclass
class _Sheet:
    name: str
    last_line: int
    rows: Iterator[Cells]


@contextmanager
def open_table(
    data: bytes, name: str, headings: Mapping[str, Sequence[str]], *, required: Collection[str] = ()
) -> Iterator[Table]:
    """Find the header in the first visible sheet that has one, and read on from there.

    `headings`: field → its headings, the official one first. Raises DomainError when no sheet has a
    header, a required column is missing, a heading stands there twice, or the file cannot be read.
    """
    notes: list[str] = []
    with closing(_readable(_sheets(data, name, notes), name)) as sheets:
        known = {plain_heading(text): fieldname for fieldname, texts in headings.items() for text in texts}
        passed_over = []
        for sheet in sheets:
            rows = _readable(sheet.rows, name)
            first = list(islice(rows, HEADER_WITHIN))
            line, found = _header(first, known)
            if len(set(found.values())) >= min(2, len(headings)):
                break
            passed_over.append(sheet.name)
        else:
            official = "、".join(headings[fieldname][0] for fieldname in list(headings)[:6])
            raise DomainError(
                f"文件“{name}”每张工作表的前{HEADER_WITHIN}行里都没有找到表头（应有{official}等列）。可下载模板对照。"
            )
        header = first[line - 1]
        place = f"文件“{name}”工作表“{sheet.name}”第{line}行"
        positions = _positions(found, header, headings, place)
        missing = [headings[fieldname][0] for fieldname in required if fieldname not in positions]
        if missing:
            raise DomainError(f"{place}的表头缺少必填列：{'、'.join(missing)}。")
        unknown = [
            printed(cell).strip()
            for column, cell in enumerate(header, start=1)
            if column not in found and printed(cell).strip()
        ]
        if passed_over:
            notes.append(f"工作表{'、'.join(f'“{title}”' for title in passed_over)}没有表头，未读取。")
        lines = _records(chain(first[line:], rows), line + 1, list(positions.values()), header, place)
        yield Table(sheet.name, line, positions, unknown, sheet.last_line, lines, notes)


def plain_heading(text: Any) -> str:
    """A heading as it is compared: 建筑面积 （㎡）* is 建筑面积(m2)."""
    return REQUIRED_MARK.sub("", unicodedata.normalize("NFKC", printed(text)))


def printed(value: Any) -> str:
    """A raw cell as a reader sees it."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, float):
        return f"{value:.15g}"
    if hasattr(value, "hour") and not (value.hour or value.minute or value.second):
        value = value.date() if hasattr(value, "date") else value
    return str(value)


def _header(rows: Sequence[Cells], known: Mapping[str, str]) -> tuple[int, dict[int, str]]:
    """The line with the most known headings, and column → field there."""
    best: tuple[int, dict[int, str]] = (0, {})
    for line, cells in enumerate(rows, start=1):
        found = {}
        for column, cell in enumerate(cells, start=1):
            heading = plain_heading(cell)
            fieldname = known.get(heading) or known.get(UNIT.sub("", heading))
            if fieldname:
                found[column] = fieldname
        if len(set(found.values())) > len(set(best[1].values())):
            best = line, found
    return best


def _positions(
    found: Mapping[int, str], header: Cells, headings: Mapping[str, Sequence[str]], place: str
) -> dict[str, int]:
    positions: dict[str, int] = {}
    for column, fieldname in found.items():
        if fieldname in positions:
            both = f"{get_column_letter(positions[fieldname])}、{get_column_letter(column)}"
            raise DomainError(f"{place}：{both} 两列都是“{headings[fieldname][0]}”，请只留一列。")
        positions[fieldname] = column
    return positions


def _records(
    rows: Iterable[Cells], first_line: int, columns: list[int], header: Cells, place: str
) -> Iterator[tuple[int, Cells]]:
    """The lines that say anything, without headers repeated after a page break."""
    width = max(columns)
    # One column alone would come as the bare cell.
    pick = itemgetter(*(column - 1 for column in columns), columns[0] - 1)
    repeated = tuple(plain_heading(cell) for cell in pick([*header, *[None] * width]))
    count = 0
    for line, cells in enumerate(rows, start=first_line):
        if line > LAST_LINE:
            raise DomainError(f"{place}以下的行号超过 {LAST_LINE:,}，文件已损坏，请另存为 .xlsx 再试。")
        if len(cells) < width:
            cells = (*cells, *[None] * (width - len(cells)))
        picked = pick(cells)
        if not any(cell is not None and cell != "" for cell in picked):
            continue
        if plain_heading(picked[0]) == repeated[0] and tuple(map(plain_heading, picked)) == repeated:
            continue
        count += 1
        if count > MAX_LINES:
            raise DomainError(f"{place}以下超过 {MAX_LINES:,} 行，请拆分后分批导入。")
        yield line, picked[:-1]


def _sheets(data: bytes, name: str, notes: list[str]) -> Iterator[_Sheet]:
    """The visible sheets, each to be read once and in order."""
    if data.startswith(b"PK"):
        streamed = stream_xlsx(data, name, notes, LIMITS)
    elif data.startswith(SIGNATURE):
        streamed = stream_xls(data, name, notes)
    elif (lines := open_records(data, name)) is not None:
        streamed = iter([("表格", data.count(b"\n") + 1, lines)])
    else:
        grids = open_workbook(data, name)
        notes += grids.notes
        streamed = ((grid.name, grid.last_row, _grid_rows(grid)) for grid in grids.sheets)
    for title, height, lines in streamed:
        # What a file says of its height is good for a progress bar, not for reading.
        yield _Sheet(title, min(height, MAX_LINES), lines)


def _readable(items: Iterator[Item], name: str) -> Iterator[Item]:
    """The items, with a sentence for whatever a damaged part makes of its parser."""
    try:
        yield from items
    except DomainError:
        raise
    except Exception as error:  # the parsers raise all kinds
        raise _damaged(name) from error


def _damaged(name: str) -> DomainError:
    return DomainError(f"文件“{name}”已损坏，无法读取。请用 Excel 或 WPS 打开后另存为 .xlsx 再试。")


def _grid_rows(grid: Sheet) -> Iterator[Cells]:
    for row in range(1, grid.last_row + 1):
        yield [grid.value(row, column) for column in range(1, grid.last_column + 1)]
