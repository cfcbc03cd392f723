"""Tables as text: commas, tabs, semicolons or bars between the cells, a cell in quotes or not."""

import re
from collections import Counter
from collections.abc import Iterator
from itertools import islice

from core.errors import DomainError
from core.spreadsheets.filling import Filling, FillingSheet

DELIMITERS = "\t,;|"
# Excel's own first line that names the delimiter.
NAMED = re.compile(r"\ufeff?sep=(.)\r?\n")
# So many records, within so many characters, tell which delimiter it is.
SAMPLE_RECORDS = 200
SAMPLE_CHARACTERS = 200_000
MARKDOWN_RULE = re.compile(r"\s*\|?\s*:?-{2,}:?\s*(\|\s*:?-{2,}:?\s*)*\|?\s*")
BAR = re.compile(r"(?<!\\)\|")


def read_delimited(text: str, name: str) -> Filling:
    """The records of a .csv, .tsv or .txt file as one sheet; which cells were merged nobody knows.

    Raises DomainError naming the line where a quote is never closed.
    """
    book = Filling(name)
    sheet = book.sheet("表格", merges_known=False)
    for number, cells in enumerate(records(text, name), 1):
        _put(sheet, number, cells)
    return book


def records(text: str, name: str) -> Iterator[list[str]]:
    """The records of such a file one by one, however many."""
    named = NAMED.match(text)
    if named:
        text = text[named.end() :]
    text = _with_plain_breaks(text)
    return _records(text, named[1] if named else likeliest_delimiter(text) or ",", name)


def read_pasted(text: str, name: str) -> Filling:
    """What the clipboard holds as text: cells as Excel separates them, or lines with bars between."""
    book = Filling(name)
    sheet = book.sheet("表格", merges_known=False)
    text = _with_plain_breaks(text)
    delimiter = likeliest_delimiter(text)
    lines = _barred(text) if delimiter == "|" else _records(text, delimiter or "\t", name, pasted=True)
    for number, cells in enumerate(lines, 1):
        _put(sheet, number, cells)
    return book


def likeliest_delimiter(text: str) -> str:
    """The delimiter that cuts the most records into equally many cells; "" when none cuts any.

    A tab hardly ever stands inside a cell, so it need not be in more than half of them.
    """
    best, found = (0, 0), ""
    sample = text[:SAMPLE_CHARACTERS]
    for delimiter in DELIMITERS:
        cut = islice(_records(sample, delimiter, "", pasted=True), SAMPLE_RECORDS)
        filled = [len(cells) for cells in cut if any(cells)]
        widths = Counter(width for width in filled if width > 1)
        if delimiter == "\t" and widths.total() * 2 > len(filled):
            return delimiter
        width, count = max(widths.items(), key=lambda item: (item[1], item[0]), default=(0, 0))
        if (count, width) > best:
            best, found = (count, width), delimiter
    return found


def _put(sheet: FillingSheet, number: int, cells: list[str]) -> None:
    for column, cell in enumerate(cells, 1):
        sheet.put(number, column, cell)


def _records(text: str, delimiter: str, name: str, *, pasted: bool = False) -> Iterator[list[str]]:
    """The records of a text, cells of several lines in quotes.

    A quote that does not enclose its whole cell belongs to the text: "双随机"抽查. Excel quotes a
    copied cell only when it must, so in a paste quotes around a plain text are also kept.
    """
    edge = re.escape(delimiter)
    quoted = re.compile(rf' *"((?:[^"]|"")*+)" *(?={edge}|\n|\Z)')
    plain = re.compile(rf"[^{edge}\n]*")
    at, size, cells = 0, len(text), []
    while at < size:
        found = quoted.match(text, at) if text.startswith(('"', " "), at) else None
        if found and pasted and not re.search(rf'[\n"]|{edge}', found[1]):
            found = None
        if found:
            cells.append(found[1].replace('""', '"'))
        else:
            found = plain.match(text, at)
            if not pasted and _never_closed(found[0]):
                line = text.count("\n", 0, at) + 1
                raise DomainError(f"文件“{name}”第 {line} 行的引号没有成对，请更正后再试。")
            cells.append(found[0])
        at = found.end()
        if at < size and text[at] == delimiter:
            at += 1
            if at < size and text[at] != "\n":
                continue
            cells.append("")
        at += 1
        yield cells
        cells = []


def _never_closed(cell: str) -> bool:
    return cell.lstrip(" ").startswith('"') and cell.count('"') == 1


def _barred(text: str) -> Iterator[list[str]]:
    """Lines of cells with bars between, as Markdown has them; the rule below a heading is no row."""
    for line in text.split("\n"):
        if not line.strip() or MARKDOWN_RULE.fullmatch(line):
            continue
        line = line.strip()
        if line.startswith("|"):
            line = line[1:]
        if line.endswith("|") and not line.endswith("\\|"):
            line = line[:-1]
        yield [re.sub(r"<br ?/?>", "\n", cell.replace("\\|", "|")) for cell in BAR.split(line)]


def _with_plain_breaks(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")
