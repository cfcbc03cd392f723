"""Read .xlsx workbooks: every visible sheet as a grid.

A parser of its own rather than openpyxl's: it tells a formula from its result and hidden rows from
shown ones in one pass, keeps only texts, and stops at the first cell too many, where openpyxl
would first build a million merged areas.
"""

import posixpath
import re
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeVar
from xml.parsers import expat

from openpyxl.utils import column_index_from_string, range_boundaries

from core.errors import DomainError
from core.spreadsheets.archive import Limits, check_archive, opened
from core.spreadsheets.filling import MAX_LENGTH, Filling, FillingSheet, cleaned
from core.spreadsheets.numbers import GENERAL, builtin_format, printed

LIMITS = Limits()
CELL = re.compile(r"([A-Za-z]{1,3})(\d{1,7})")
# How a workbook spells characters XML forbids; _x005F_ is the underscore of a text that looks so.
ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")

Attributes = Mapping[str, str]
Handler = TypeVar("Handler", bound="_Part")


class _Part:
    """What is done at the tags of one XML part, by local name; namespaces differ between editions."""

    def start(self, tag: str, attributes: Attributes) -> None: ...

    def text(self, text: str) -> None: ...

    def end(self, tag: str) -> None: ...


def read_xlsx(data: bytes, name: str, limits: Limits = LIMITS) -> Filling:
    """Every visible sheet of an .xlsx file.

    Raises DomainError when it is no workbook, too large once unpacked, has macros, error values or
    formulas without a result.
    """
    names = check_archive(data, name, limits)
    book = Filling(name)
    if any(member.lower().startswith("xl/externallinks/") for member in names):
        book.notes.append("文件含外部链接，已忽略，只读取文件内的文字。")
    with opened(data, name) as archive:
        _read(archive, book)
    return book


def _read(archive: zipfile.ZipFile, book: Filling) -> None:
    try:
        Package(archive).read(book)
    except (expat.ExpatError, ValueError, LookupError, TypeError) as error:
        raise DomainError(
            f"文件“{book.name}”已损坏，无法读取。请用 Excel 或 WPS 打开后另存为 .xlsx 再试。"
        ) from error


@dataclass(frozen=True)
class Contents:
    """What a workbook holds beside its cells: each worksheet's title, whether it is shown, and its part."""

    worksheets: list[tuple[str, bool, str]]
    strings: list[str]
    styles: list[str]
    mac: bool


class Package:
    """The parts of an archive by name, whatever its slashes and capitals."""

    def __init__(self, archive: zipfile.ZipFile):
        self.archive = archive
        self.members = {member.replace("\\", "/").lower(): member for member in archive.namelist()}

    def read(self, book: Filling) -> None:
        contents = self.contents()
        for title, is_visible, target in contents.worksheets:
            if not is_visible:
                book.pass_over(title)
                continue
            self.member(target)
            sheet = book.sheet(title)
            self.parse(target, _Worksheet(sheet, contents.strings, contents.styles, contents.mac))
            noted = [part for kind, part in self.relations(target).values() if kind == "comments"]
            self.parse(next(iter(noted), None), _Comments(sheet))

    def contents(self) -> Contents:
        main = next(
            (target for kind, target in self.relations("").values() if kind == "officeDocument"),
            "xl/workbook.xml",
        )
        book = self.parse(main, _Contents())
        parts = self.relations(main)
        found = dict(parts.values())
        worksheets = [
            (title, state == "visible", parts[relation][1])
            for title, state, relation in book.sheets
            if parts[relation][0] == "worksheet"  # no chart, no dialog of the nineties
        ]
        strings = self.parse(found.get("sharedStrings"), _Strings()).strings
        styles = self.parse(found.get("styles"), _Styles()).codes()
        return Contents(worksheets, strings, styles, book.mac)

    def member(self, part: str) -> str:
        """The part's name in the archive. Raises KeyError when it is not there."""
        return self.members[part.lower()]

    def relations(self, part: str) -> dict[str, tuple[str, str]]:
        """What a part refers to: kind and part name by relation."""
        folder, file = posixpath.split(part)
        relations = self.parse(posixpath.join(folder, "_rels", f"{file}.rels"), _Relations())
        return {
            key: (kind, posixpath.normpath(posixpath.join("/", folder, target)).lstrip("/"))
            for key, (kind, target) in relations.found.items()
        }

    def parse(self, part: str | None, handler: Handler) -> Handler:
        """Run the part through its handler; a part that is not there has nothing to say."""
        member = self.members.get((part or "").lower())
        if member is None:
            return handler
        parser = expat.ParserCreate(namespace_separator=" ")
        parser.buffer_text = True
        parser.StartElementHandler = handler.start
        parser.EndElementHandler = handler.end
        parser.CharacterDataHandler = handler.text
        with self.archive.open(member) as source:
            parser.ParseFile(source)
        return handler


class _Relations(_Part):
    def __init__(self) -> None:
        self.found: dict[str, tuple[str, str]] = {}

    def start(self, tag: str, attributes: Attributes) -> None:
        if _local(tag) == "Relationship" and attributes.get("TargetMode") != "External":
            kind = attributes["Type"].rpartition("/")[2]
            self.found[attributes["Id"]] = (kind, attributes["Target"])


class _Contents(_Part):
    """The sheets of a workbook as (title, state, relation), and from which day its dates count."""

    def __init__(self) -> None:
        self.sheets: list[tuple[str, str, str]] = []
        self.mac = False

    def start(self, tag: str, attributes: Attributes) -> None:
        tag = _local(tag)
        if tag == "workbookPr":
            self.mac = attributes.get("date1904") in ("1", "true")
        elif tag == "sheet":
            relation = next(
                (value for key, value in attributes.items() if key.endswith("/relationships id")), ""
            )
            self.sheets.append((attributes["name"], attributes.get("state", "visible"), relation))


class _Styles(_Part):
    """Which number format each style of a cell has."""

    def __init__(self) -> None:
        self.own: dict[int, str] = {}
        self.numbers: list[int] = []
        self.inside = False

    def start(self, tag: str, attributes: Attributes) -> None:
        tag = _local(tag)
        if tag == "numFmt":
            self.own[int(attributes["numFmtId"])] = attributes["formatCode"]
        elif tag == "cellXfs":
            self.inside = True
        elif tag == "xf" and self.inside:
            self.numbers.append(int(attributes.get("numFmtId", 0)))

    def end(self, tag: str) -> None:
        if _local(tag) == "cellXfs":
            self.inside = False

    def codes(self) -> list[str]:
        return [self.own.get(number) or builtin_format(number) for number in self.numbers]


class _Texts(_Part):
    """Collects what stands in <t>, runs of different fonts together, without phonetic guides."""

    def __init__(self) -> None:
        self.pieces: list[str] = []
        self.length = 0
        self.open = False
        self.phonetic = False

    def start(self, tag: str, attributes: Attributes) -> None:
        tag = _local(tag)
        if tag == "rPh":
            self.phonetic = True
        elif tag == "t":
            self.open = not self.phonetic

    def text(self, text: str) -> None:
        # A character more than is allowed is enough to refuse the cell that shows it.
        if self.open and self.length <= MAX_LENGTH:
            self.pieces.append(text)
            self.length += len(text)

    def end(self, tag: str) -> None:
        tag = _local(tag)
        if tag == "rPh":
            self.phonetic = False
        elif tag == "t":
            self.open = False

    def taken(self) -> str:
        text, self.pieces, self.length = "".join(self.pieces), [], 0
        return unescaped(text)


class _Strings(_Texts):
    """The texts cells refer to by number."""

    def __init__(self) -> None:
        super().__init__()
        self.strings: list[str] = []

    def end(self, tag: str) -> None:
        super().end(tag)
        if _local(tag) == "si":
            text = self.taken()
            # Cleaned once here, as one long text may be shown by every cell.
            self.strings.append(text if len(text) > MAX_LENGTH else cleaned(text))


class _Comments(_Texts):
    """Puts the notes beside cells into the sheet."""

    def __init__(self, sheet: FillingSheet):
        super().__init__()
        self.sheet = sheet
        self.place: tuple[int, int] | None = None

    def start(self, tag: str, attributes: Attributes) -> None:
        if _local(tag) == "comment":
            self.place = _place(attributes["ref"])
        super().start(tag, attributes)

    def end(self, tag: str) -> None:
        super().end(tag)
        if _local(tag) == "comment" and self.place:
            self.sheet.comment(*self.place, self.taken()[:MAX_LENGTH])
            self.place = None


class _Worksheet(_Texts):
    """Puts the cells of a sheet into its grid."""

    def __init__(self, sheet: FillingSheet, strings: list[str], styles: list[str], mac: bool):
        super().__init__()
        self.sheet = sheet
        self.strings = strings
        self.styles = styles
        self.mac = mac
        self.row = self.column = 0
        self.cell: Attributes | None = None
        self.formula = False

    def start(self, tag: str, attributes: Attributes) -> None:
        local = _local(tag)
        if local == "c":
            self.cell = attributes
            self.formula = False
            self.column += 1
            if reference := attributes.get("r"):
                self.row, self.column = _place(reference)
        elif local == "row":
            self.row = int(attributes.get("r", self.row + 1))
            self.column = 0
            if attributes.get("hidden") in ("1", "true"):
                self.sheet.hidden_rows.add(self.row)
        elif local == "v" and self.cell is not None:
            self.open = True
        elif local == "f" and self.cell is not None:
            self.formula = True
        elif local == "mergeCell":
            left, top, right, bottom = range_boundaries(attributes["ref"])
            self.sheet.merge(top, left, bottom, right)
        elif local == "col" and attributes.get("hidden") in ("1", "true"):
            self.sheet.hide_columns(int(attributes["min"]), int(attributes["max"]))
        else:
            super().start(tag, attributes)

    def end(self, tag: str) -> None:
        local = _local(tag)
        if local == "v":
            self.open = False
        elif local == "c" and self.cell is not None:
            self._finish(self.cell)
            self.cell = None
        else:
            super().end(tag)

    def _finish(self, cell: Attributes) -> None:
        text = self.taken()
        kind = cell.get("t", "n")
        if kind == "e" and text:
            raise self.sheet.refusal(self.row, self.column, f"是错误值 {text}，请更正后再导入。")
        if self.formula:
            if not text and kind != "str":  # the text "" is a result, too
                raise self.sheet.refusal(
                    self.row, self.column, "是公式，文件里没有保存它的结果，请改为文字后再导入。"
                )
            self.sheet.formula(self.row, self.column)
        if text:
            self.sheet.put(self.row, self.column, self._shown(kind, text, cell.get("s")))

    def _shown(self, kind: str, text: str, style: str | None) -> str:
        if kind == "s":
            return self.strings[int(text)]
        if kind == "b":
            return "是" if text in ("1", "true") else "否"
        if kind == "d":
            return text.replace("T", " ").removesuffix(" 00:00:00")
        if kind != "n":
            return text
        code = self.styles[int(style)] if style and int(style) < len(self.styles) else GENERAL
        number = float(text) if re.search(r"[.eE]", text) else int(text)
        return printed(number, code, mac=self.mac)


@lru_cache(maxsize=1000)
def _local(tag: str) -> str:
    return tag.rpartition(" ")[2]


def _place(reference: str) -> tuple[int, int]:
    found = CELL.fullmatch(reference)
    if not found:
        raise ValueError(reference)
    return int(found[2]), column_index_from_string(found[1])


def unescaped(text: str) -> str:
    return ESCAPED.sub(lambda found: chr(int(found[1], 16)), text) if "_x" in text else text
