"""Any file or paste that holds a table becomes a workbook: known by its content, not by its name."""

import re
from collections.abc import Iterator

from django.conf import settings

from core.errors import DomainError
from core.spreadsheets.archive import Limits
from core.spreadsheets.delimited import likeliest_delimiter, read_delimited, read_pasted, records
from core.spreadsheets.filling import MAX_CHARACTERS, Filling
from core.spreadsheets.grids import Workbook
from core.spreadsheets.html import declared_charset, has_table, read_html
from core.spreadsheets.office_xml import NAMESPACE, read_office_xml
from core.spreadsheets.ole import SIGNATURE
from core.spreadsheets.texts import decoded
from core.spreadsheets.xls import read_xls
from core.spreadsheets.xlsx import LIMITS, read_xlsx

PASTED = "粘贴的表格"
TEXT_NAMES = (".csv", ".tsv", ".txt")
# What else is sent by mistake, by how its bytes begin, and what to do about it.
PICTURE = "是图片，不是表格。请上传表格的工作簿（.xlsx），或从文件里复制表格后粘贴导入。"
ARCHIVE = "是压缩包，请解压后上传其中的表格。"
OTHERS = {
    b"%PDF": "是 PDF，不是工作簿。请上传表格的工作簿（.xlsx），或从 PDF 里复制表格后粘贴导入。",
    b"\x89PNG": PICTURE,
    b"\xff\xd8\xff": PICTURE,
    b"GIF8": PICTURE,
    b"BM": PICTURE,
    b"RIFF": PICTURE,
    b"II*\0": PICTURE,
    b"MM\0*": PICTURE,
    b"Rar!": ARCHIVE,
    b"7z\xbc\xaf": ARCHIVE,
    b"\x1f\x8b": ARCHIVE,
    b"{\\rtf": "是 RTF 文档，请把其中的表格复制后粘贴导入，或存入工作簿（.xlsx）。",
    b"MIME-Version:": "是单个文件的网页（.mht），请用 Excel 或 WPS 打开后另存为 .xlsx。",
    b"MZ": "是程序，不是表格。",
}


def open_workbook(data: bytes, name: str, *, limits: Limits = LIMITS) -> Workbook:
    """Read every visible sheet of a workbook (.xlsx, .xls), a web page or a text with delimiters.

    `limits` are those of an .xlsx archive. Raises DomainError naming the file, and the cell where
    there is one: when it is no table, too large, has macros, a password, error values, formulas
    without a result, or merged areas that overlap.
    """
    if len(data) > settings.UPLOAD_MAX_BYTES:
        size, most = len(data) / 1024 / 1024, settings.UPLOAD_MAX_BYTES / 1024 / 1024
        raise DomainError(f"文件“{name}”有 {size:.1f} MB，超过上限 {most:.0f} MB。")
    if not data.strip():
        raise DomainError(f"文件“{name}”是空的。")
    if data.startswith(SIGNATURE):
        return read_xls(data, name).workbook()
    if data.startswith(b"PK"):
        return read_xlsx(data, name, limits).workbook()
    for beginning, sentence in OTHERS.items():
        if data.startswith(beginning):
            raise DomainError(f"文件“{name}”{sentence}")
    return _read_text(data, name).workbook()


def open_pasted(text: str, *, html: str = "") -> Workbook:
    """Read what was pasted: the clipboard's web page when it holds a table, otherwise its text.

    Raises DomainError as open_workbook does.
    """
    if len(text) > MAX_CHARACTERS or len(html) > MAX_CHARACTERS:
        raise DomainError(f"{PASTED}超过 {MAX_CHARACTERS // 10_000} 万字，请分次导入。")
    if has_table(html):
        return read_html(html, PASTED).workbook()
    if not text.strip():
        raise DomainError("没有粘贴任何内容，请先在 Excel、WPS 或网页中复制表格。")
    return read_pasted(text, PASTED).workbook()


def open_records(data: bytes, name: str) -> Iterator[list[str]] | None:
    """The records of a text with delimiters, one by one and however many; None for any other file."""
    if data.startswith((SIGNATURE, b"PK", *OTHERS)) or data.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"<"):
        return None
    return records(decoded(data, name, most=len(data)), name)


def _read_text(data: bytes, name: str) -> Filling:
    text = decoded(data, name, declared=declared_charset(data))
    if text.lstrip().startswith("<"):
        if NAMESPACE in text[:10_000] and "<Workbook" in text[:10_000]:
            return read_office_xml(text, name)
        if has_table(text) or re.match(r"\s*<(!doctype html|html|head|body|meta)\b", text, re.I):
            return read_html(text, name)
    if not likeliest_delimiter(text) and not name.lower().endswith(TEXT_NAMES):
        raise DomainError(f"文件“{name}”里没有表格，请上传 .xlsx、.xls 或 .csv 文件。")
    return read_delimited(text, name)
