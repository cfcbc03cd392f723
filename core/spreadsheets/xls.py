"""Read .xls workbooks (BIFF8, and BIFF5 of Excel 95): every visible sheet as a grid.

A reader of its own because the texts must be those printed: calamine tells no number formats (40%
becomes 0.4), no formulas and no hidden rows, and lays out the rectangle two far cells span before
anybody can refuse it. The tests compare the two.
"""

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, time, timedelta
from itertools import groupby
from operator import itemgetter
from struct import unpack_from

from core.errors import DomainError
from core.spreadsheets.filling import Filling, FillingSheet
from core.spreadsheets.numbers import GENERAL, builtin_format, moment_of, printed
from core.spreadsheets.ole import Container
from core.spreadsheets.pieces import Pieces

BOF, EOF, CONTINUE = 0x809, 0x0A, 0x3C
FILE_PASS, CODE_PAGE, DATE_MODE, BOUND_SHEET = 0x2F, 0x42, 0x22, 0x85
FORMAT, XF, STRINGS, DIMENSIONS = 0x41E, 0xE0, 0xFC, 0x200
LABEL_SST, LABEL, RICH_LABEL, NUMBER, RK, MANY_RK = 0xFD, 0x204, 0xD6, 0x203, 0x27E, 0xBD
BOOL_ERROR, FORMULA, STRING, MERGES, ROW, COLUMNS = 0x205, 0x06, 0x207, 0xE5, 0x208, 0x7D
BIFF5, BIFF8 = 0x500, 0x600
WORKSHEET, MACRO_SHEET, MODULE = 0, 1, 6
ERRORS = {
    0x00: "#NULL!",
    0x07: "#DIV/0!",
    0x0F: "#VALUE!",
    0x17: "#REF!",
    0x1D: "#NAME?",
    0x24: "#NUM!",
    0x2A: "#N/A",
}
# Far more different texts than the cells that may be read.
MAX_STRINGS = 500_000
# A reader's time goes with the records, blank cells among them; sheets may even share theirs.
MAX_RECORDS = 2_000_000


class ErrorValue(str):
    """What a cell shows instead of a result: #REF!"""


Value = str | bool | int | float
# Row and column from 1, the value, and the format it is printed by.
Cell = tuple[int, int, Value, str]


def read_xls(data: bytes, name: str) -> Filling:
    """Every visible sheet of an .xls file.

    Raises DomainError when it is no such workbook, has a password, macros or error values.
    """
    book = Filling(name)
    with _sound(name):
        workbook = _Workbook(data, book)
        for sheet, start in workbook.visible_sheets():
            for row, column, value, code in _Worksheet(workbook, sheet).cells(start):
                if isinstance(value, ErrorValue):
                    raise sheet.refusal(row, column, f"是错误值 {value}，请更正后再导入。")
                sheet.put(row, column, workbook.shown(value, code))
    return book


def stream_xls(data: bytes, name: str, notes: list[str]) -> Iterator[tuple[str, int, Iterator[list]]]:
    """Name, claimed height and rows of each visible sheet, to be read once and in order.

    Values are raw: texts, numbers, dates, an error's name; None where nothing stands. Raises
    DomainError as read_xls does, but not for error values.
    """
    with _sound(name):
        book = Filling(name)
        workbook = _Workbook(data, book)
        for sheet, start in workbook.visible_sheets():
            cells = _Worksheet(workbook, sheet).cells(start)
            yield sheet.sheet.name, workbook.height(start), _rows(cells, workbook, sheet.place())
        notes += book.notes


def _rows(cells: Iterator[Cell], workbook: "_Workbook", place: str) -> Iterator[list]:
    above = 0
    for row, group in groupby(cells, key=itemgetter(0)):
        if row <= above:
            raise DomainError(f"{place}的单元格没有按行存放，请用 Excel 或 WPS 另存为 .xlsx 后再试。")
        yield from ([] for _ in range(row - above - 1))
        values: list = []
        for _, column, value, code in group:
            values += [None] * (column - len(values))
            values[column - 1] = workbook.raw(value, code)
        yield values
        above = row


@contextmanager
def _sound(name: str) -> Iterator[None]:
    """Turns whatever a damaged file makes of its reader into a sentence."""
    try:
        yield
    except (struct.error, ValueError, LookupError) as error:
        raise DomainError(
            f"文件“{name}”已损坏，无法读取。请用 Excel 或 WPS 打开后另存为 .xlsx 再试。"
        ) from error


def _check_kind(container: Container, name: str) -> None:
    if "EncryptedPackage" in container:
        raise DomainError(f"文件“{name}”设有打开密码，请去掉密码后再上传。")
    if "Workbook" in container or "Book" in container:
        if "_VBA_PROJECT_CUR" in container:
            raise DomainError(f"文件“{name}”含有宏，请另存为不含宏的 .xlsx。")
        return
    if "WordDocument" in container:
        raise DomainError(
            f"文件“{name}”是 WPS/Word 文档，请把其中的表格复制后粘贴导入，或存入工作簿（.xlsx）。"
        )
    raise DomainError(f"文件“{name}”不是工作簿，请上传 .xlsx、.xls 或 .csv 文件。")


class _Workbook:
    """The stream of records, a global part first and then each sheet's."""

    def __init__(self, data: bytes, book: Filling):
        container = Container(data)
        _check_kind(container, book.name)
        self.stream = container.stream("Workbook" if "Workbook" in container else "Book")
        self.book = book
        self.version = BIFF8
        self.code_page = "gb18030"
        self.mac = False
        self.formats: dict[int, str] = {}
        self.styles: list[int] = []
        self.strings: list[str] = []
        self.sheets: list[tuple[int, int, int, str]] = []
        self.walked = 0
        self._globals()

    def visible_sheets(self) -> Iterator[tuple[FillingSheet, int]]:
        """The sheets to read, each with the place its records start at."""
        for start, state, kind, title in self.sheets:
            if kind in (MACRO_SHEET, MODULE):
                raise DomainError(f"文件“{self.book.name}”含有宏，请另存为不含宏的 .xlsx。")
            if kind != WORKSHEET:
                continue
            if state & 3:
                self.book.pass_over(title)
                continue
            yield self.book.sheet(title), start

    def height(self, start: int) -> int:
        """How many rows a sheet says it has; only a claim."""
        for kind, pieces in self.records(start):
            if kind == DIMENSIONS:
                return unpack_from("<4xI" if self.version == BIFF8 else "<2xH", pieces[0])[0]
        return 0

    def shown(self, value: Value, code: str) -> str:
        """The value as a reader sees it."""
        if isinstance(value, bool):
            return "是" if value else "否"
        return value if isinstance(value, str) else printed(value, code, mac=self.mac)

    def raw(self, value: Value, code: str) -> Value | datetime | time | timedelta:
        """The value itself; whole numbers as such, and dates as dates."""
        if isinstance(value, str | bool):
            return value
        if (moment := moment_of(value, code, mac=self.mac)) is not None:
            return moment
        return int(value) if isinstance(value, float) and value.is_integer() else value

    def records(self, at: int) -> Iterator[tuple[int, list[bytes]]]:
        """Kind and body, with continuations, of each record of a part, without the charts inside."""
        depth = 0
        stream, size = self.stream, len(self.stream)
        while at + 4 <= size:
            kind, length = unpack_from("<HH", stream, at)
            at += 4
            body = stream[at : at + length]
            at += length
            depth += (kind == BOF) - (kind == EOF)
            if depth <= 0 and kind == EOF:
                return
            if depth > 1:
                continue
            pieces = [body]
            while at + 4 <= size and unpack_from("<H", stream, at)[0] == CONTINUE:
                (length,) = unpack_from("<H", stream, at + 2)
                pieces.append(stream[at + 4 : at + 4 + length])
                at += 4 + length
            self.walked += 1
            if self.walked > MAX_RECORDS:
                raise DomainError(
                    f"文件“{self.book.name}”的单元格过多（含带格式的空白单元格），请删去空白行列后再试。"
                )
            yield kind, pieces
        raise ValueError("cut off before the end of a part")

    def label(self, body: list[bytes], at: int, *, short: bool = False) -> str:
        """A text as records hold it: length in one or two bytes, then a mark of width in BIFF8."""
        pieces = Pieces(body)
        pieces.skip(at)
        count = pieces.take(1)[0] if short else unpack_from("<H", pieces.take(2))[0]
        if self.version < BIFF8:
            return pieces.take(count).decode(self.code_page, "replace")
        return pieces.text(count, pieces.take(1)[0] & 1) if count else ""

    def code(self, style: int) -> str:
        """The number format of a cell's style."""
        if style >= len(self.styles):
            return GENERAL
        number = self.styles[style]
        return self.formats.get(number) or builtin_format(number)

    def _globals(self) -> None:
        for kind, pieces in self.records(0):
            body = pieces[0]
            if kind == BOF:
                (self.version,) = unpack_from("<H", body)
                if self.version not in (BIFF5, BIFF8):
                    raise ValueError("older than Excel 95")
            elif kind == FILE_PASS:
                raise DomainError(f"文件“{self.book.name}”设有打开密码，请去掉密码后再上传。")
            elif kind == CODE_PAGE:
                (page,) = unpack_from("<H", body)
                self.code_page = "gb18030" if page in (936, 1200) else f"cp{page}"
            elif kind == DATE_MODE:
                self.mac = body[:1] == b"\1"
            elif kind == BOUND_SHEET:
                start, state, sort = unpack_from("<IBB", body)
                self.sheets.append((start, state, sort, self.label(pieces, 6, short=True)))
                if len(self.sheets) > 255:
                    raise ValueError("more sheets than Excel makes")
            elif kind == FORMAT:
                (number,) = unpack_from("<H", body)
                self.formats[number] = self.label(pieces, 2, short=self.version < BIFF8)
            elif kind == XF:
                self.styles.append(unpack_from("<H", body, 2)[0])
            elif kind == STRINGS:
                self._shared(Pieces(pieces))

    def _shared(self, pieces: Pieces) -> None:
        (count,) = unpack_from("<4xI", pieces.take(8))
        if count > MAX_STRINGS:
            raise DomainError(f"文件“{self.book.name}”的文字超过 {MAX_STRINGS} 条，请拆分。")
        while len(self.strings) < count and pieces.left:
            self.strings.append(pieces.string())


class _Worksheet:
    """The cells of a sheet; merged areas, formulas and what is hidden go straight to its grid."""

    def __init__(self, workbook: _Workbook, sheet: FillingSheet):
        self.workbook = workbook
        self.sheet = sheet
        # The cell of a formula whose text follows in a record of its own.
        self.awaited: tuple[int, int] | None = None

    def cells(self, start: int) -> Iterator[Cell]:
        for kind, pieces in self.workbook.records(start):
            body = pieces[0]
            if kind == LABEL_SST:
                row, column, _, index = unpack_from("<HHHI", body)
                yield row + 1, column + 1, self.workbook.strings[index], GENERAL
            elif kind in (LABEL, RICH_LABEL):
                row, column = unpack_from("<HH", body)
                yield row + 1, column + 1, self.workbook.label(pieces, 6), GENERAL
            elif kind == NUMBER:
                row, column, style, value = unpack_from("<HHHd", body)
                yield row + 1, column + 1, value, self.workbook.code(style)
            elif kind == RK:
                row, column, style, packed = unpack_from("<HHHI", body)
                yield row + 1, column + 1, _unpacked(packed), self.workbook.code(style)
            elif kind == MANY_RK:
                row, column = unpack_from("<HH", body)
                for place, at in enumerate(range(4, len(body) - 2, 6), column + 1):
                    style, packed = unpack_from("<HI", body, at)
                    yield row + 1, place, _unpacked(packed), self.workbook.code(style)
            elif kind == BOOL_ERROR:
                row, column, _, value, wrong = unpack_from("<HHHBB", body)
                yield row + 1, column + 1, _logical(value, wrong), GENERAL
            elif kind == FORMULA:
                yield from self._result(body)
            elif kind == STRING and self.awaited:
                yield *self.awaited, self.workbook.label(pieces, 0), GENERAL
                self.awaited = None
            else:
                self._note(kind, body)

    def _result(self, body: bytes) -> Iterator[Cell]:
        """The result kept beside a formula: a number, or a mark of what else it is."""
        row, column, style, result = unpack_from("<HHHd", body)
        self.sheet.formula(row + 1, column + 1)
        if body[12:14] != b"\xff\xff":
            yield row + 1, column + 1, result, self.workbook.code(style)
        elif body[6] == 0:
            self.awaited = (row + 1, column + 1)
        elif body[6] in (1, 2):
            yield row + 1, column + 1, _logical(body[8], body[6] == 2), GENERAL

    def _note(self, kind: int, body: bytes) -> None:
        if kind == MERGES:
            (count,) = unpack_from("<H", body)
            for area in range(2, 2 + 8 * count, 8):
                top, bottom, left, right = unpack_from("<HHHH", body, area)
                self.sheet.merge(top + 1, left + 1, bottom + 1, right + 1)
        elif kind == ROW:
            row, options = unpack_from("<H10xH", body)
            if options & 0x20:
                self.sheet.hidden_rows.add(row + 1)
        elif kind == COLUMNS:
            first, last, options = unpack_from("<HH4xH", body)
            if options & 1:
                self.sheet.hide_columns(first + 1, last + 1)


def _logical(value: int, wrong: int) -> bool | ErrorValue:
    return ErrorValue(ERRORS.get(value, "#N/A")) if wrong else bool(value)


def _unpacked(packed: int) -> int | float:
    """A number in 30 bits: whole or the upper part of a float, perhaps to be divided by a hundred."""
    if packed & 2:
        value: int | float = struct.unpack("<i", struct.pack("<I", packed))[0] >> 2
    else:
        (value,) = struct.unpack("<d", struct.pack("<Q", (packed & 0xFFFFFFFC) << 32))
    return value / 100 if packed & 1 else value
