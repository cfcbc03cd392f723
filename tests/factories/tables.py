"""Files that hold tables, whole and broken, made byte by byte where no writer would make them."""

import io
import struct
import zipfile
from collections.abc import Iterable, Sequence

from openpyxl import Workbook

from tests.factories.matrices import saved

RELATIONS = "xl/_rels/workbook.xml.rels"
SECTOR = 4096
FREE, END_OF_CHAIN, TABLE = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD


def workbook(*rows: Sequence, merges: Iterable[str] = (), title: str = "清单") -> bytes:
    """An .xlsx of one sheet."""
    book = Workbook()
    book.active.title = title
    for row in rows:
        book.active.append(list(row))
    for area in merges:
        book.active.merge_cells(area)
    return saved(book)


def repacked(data: bytes, parts: dict[str, bytes]) -> bytes:
    """The same archive with parts added or replaced."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as new:
        for member in old.infolist():
            if member.filename not in parts:
                new.writestr(member.filename, old.read(member))
        for name, part in parts.items():
            new.writestr(name, part)
    return buffer.getvalue()


def with_sheet(xml: str | bytes, *, strings: str = "", styles: str = "") -> bytes:
    """An .xlsx whose only sheet, shared strings and styles are this XML."""
    parts = {"xl/worksheets/sheet1.xml": xml.encode() if isinstance(xml, str) else xml}
    data = workbook(["甲"])
    if strings:
        # openpyxl writes texts into their cells, and so refers to no shared ones.
        with zipfile.ZipFile(io.BytesIO(data)) as book:
            relations = book.read(RELATIONS).decode()
        own = '<Relationship Id="own" Type="https://x/sharedStrings" Target="sharedStrings.xml"/>'
        parts[RELATIONS] = relations.replace("</Relationships>", own + "</Relationships>").encode()
        parts["xl/sharedStrings.xml"] = strings.encode()
    if styles:
        parts["xl/styles.xml"] = styles.encode()
    return repacked(data, parts)


def sheet_xml(rows: str, after: str = "", before: str = "") -> str:
    """A worksheet part around rows given as XML."""
    space = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    return f'<worksheet xmlns="{space}">{before}<sheetData>{rows}</sheetData>{after}</worksheet>'


def archive(**members: bytes) -> bytes:
    """A zip of these members; `__` in a name stands for `/`, the last `_` for the dot."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as target:
        for name, content in members.items():
            head, _, ending = name.replace("__", "/").rpartition("_")
            target.writestr(f"{head}.{ending}", content)
    return buffer.getvalue()


def record(kind: int, body: bytes = b"") -> bytes:
    """One record of an old Excel file."""
    return struct.pack("<HH", kind, len(body)) + body


def label(row: int, column: int, text: str) -> bytes:
    """A record with a text; row and column count from 0."""
    raw = text.encode("utf-16-le")
    return record(0x204, struct.pack("<HHHHB", row, column, 0, len(raw) // 2, 1) + raw)


def number(row: int, column: int, value: float, style: int = 0) -> bytes:
    """A record with a number."""
    return record(0x203, struct.pack("<HHHd", row, column, style, value))


def old_excel(*sheets: bytes, before: bytes = b"", states: Sequence[int] = (), kind: int = 0) -> bytes:
    """An .xls of these sheets' records, the first called 表1; `before` are records for all of them."""
    opening, closing = record(0x809, struct.pack("<HHIII", 0x600, 5, 0, 0, 0)), record(0x0A)
    bodies = [opening + sheet + closing for sheet in sheets]
    titles = [f"表{number}".encode("utf-16-le") for number in range(1, len(sheets) + 1)]
    # Where each sheet starts is told before all of them.
    start = len(opening) + len(before) + sum(12 + len(title) for title in titles) + len(closing)
    bound = b""
    for place, (title, body) in enumerate(zip(titles, bodies, strict=True)):
        state = states[place] if states else 0
        bound += record(0x85, struct.pack("<IBBBB", start, state, kind, len(title) // 2, 1) + title)
        start += len(body)
    return container({"Workbook": opening + before + bound + closing + b"".join(bodies)})


def container(streams: dict[str, bytes]) -> bytes:
    """A compound file of these streams, in sectors of 4096 bytes."""
    contents, chain, entries, sector = [], [], [_entry("Root Entry", 5, END_OF_CHAIN, 0)], 0
    for name, content in streams.items():
        content = content.ljust(SECTOR, b"\0")
        count = -(-len(content) // SECTOR)
        contents.append(content.ljust(count * SECTOR, b"\0"))
        entries.append(_entry(name, 2, sector, len(content)))
        chain += [*range(sector + 1, sector + count), END_OF_CHAIN]
        sector += count
    directory = b"".join(entries).ljust(SECTOR, b"\0")
    tables = -(-(sector + 10) // (SECTOR // 4))
    chain += [END_OF_CHAIN, *[TABLE] * tables]
    chain += [FREE] * (tables * (SECTOR // 4) - len(chain))
    table = struct.pack(f"<{len(chain)}I", *chain)
    where = [sector + 1 + place for place in range(tables)]
    header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16) + struct.pack("<HHHHH", 0x3E, 4, 0xFFFE, 12, 6)
    header += (
        bytes(6)
        + struct.pack("<IIIIIIIIII", 1, tables, sector, 0, 4096, END_OF_CHAIN, 0, END_OF_CHAIN, 0, 0)[:36]
    )
    header += struct.pack("<109I", *(where + [FREE] * (109 - len(where))))
    return header.ljust(SECTOR, b"\0") + b"".join(contents) + directory + table


def _entry(name: str, kind: int, start: int, size: int) -> bytes:
    raw = (name + "\0").encode("utf-16-le")
    return (
        raw.ljust(64, b"\0")
        + struct.pack("<HB", len(raw), kind)
        + bytes(49)
        + struct.pack("<III", start, size, 0)
    )
