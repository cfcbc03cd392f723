"""Bytes that may be text: which encoding, and where the first byte stands that is none."""

import codecs
import re

from core.errors import DomainError
from core.spreadsheets.filling import MAX_CHARACTERS

BYTE_ORDER_MARKS = {
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}
# GB18030 reads whatever says GB2312 or GBK.
CHINESE = re.compile(r"^(gb|chinese|x-gbk|cp936|windows-936)", re.I)
CONTROLS = re.compile(r"[\x00-\x08\x0e-\x1f]")
BINARY = re.compile(CONTROLS.pattern.encode())
NO_TABLE = "文件“{name}”不是表格，请上传 .xlsx、.xls 或 .csv 文件。"


def decoded(data: bytes, name: str, *, declared: str = "", most: int = MAX_CHARACTERS) -> str:
    """The text of a file in UTF-8, UTF-16 with its mark, or GB18030; `declared` is tried first.

    Raises DomainError naming file and line where no encoding fits, and for bytes that are no text.
    """
    for mark, encoding in BYTE_ORDER_MARKS.items():
        if data.startswith(mark):
            text = _strictly(data[len(mark) :], encoding)
            if text is None:
                raise DomainError(f"文件“{name}”的文字编码已损坏，请另存为 UTF-8 编码后再试。")
            return _checked(text, name, most)
    encodings = ["utf-8", "gb18030"]
    if CHINESE.match(declared):
        encodings.reverse()
    for encoding in encodings:
        if (text := _strictly(data, encoding)) is not None:
            return _checked(text, name, most)
    if BINARY.search(data):
        raise DomainError(NO_TABLE.format(name=name))
    raise DomainError(
        f"文件“{name}”第 {_bad_line(data)} 行有无法识别的字节（既不是 UTF-8 也不是 GB18030 编码），"
        "请另存为 .xlsx 或 UTF-8 编码的 .csv 后再试。"
    )


def _strictly(data: bytes, encoding: str) -> str | None:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        return None


def _bad_line(data: bytes) -> int:
    """The line of the first byte neither encoding reads, going by the one that gets further."""
    reached = 0
    for encoding in ("utf-8", "gb18030"):
        try:
            data.decode(encoding)
        except UnicodeDecodeError as error:
            reached = max(reached, error.start)
    return data.count(b"\n", 0, reached) + 1


def _checked(text: str, name: str, most: int) -> str:
    if CONTROLS.search(text):
        raise DomainError(NO_TABLE.format(name=name))
    if len(text) > most:
        raise DomainError(f"文件“{name}”的文字超过 {most // 10_000} 万字，请拆分。")
    return text
