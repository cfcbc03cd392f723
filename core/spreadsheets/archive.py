"""Is a workbook's archive, sent by a stranger, safe to unpack, and is it free of macros?"""

import io
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from core.errors import DomainError

PIECE = 1024 * 1024
# An office file never declares a document type; entity bombs do. Also as UTF-16 spells it.
DOCTYPE = re.compile(
    b"|".join(re.escape("<!DOCTYPE".encode(code)) for code in ("ascii", "utf-16-le", "utf-16-be"))
)
MACROS = re.compile(r"vbaproject\.bin$|^xl/macrosheets/", re.I)
SAVE_AS = "请用 WPS 或 Excel 打开后另存为 .xlsx。"
# The member that tells what a zip archive is, when it is no workbook of ours.
OTHERS = {
    "xl/workbook.bin": f"是二进制工作簿（.xlsb），{SAVE_AS}",
    "word/document.xml": "是 WPS/Word 文档，请把其中的表格复制后粘贴导入，或存入工作簿（.xlsx）。",
    "ppt/presentation.xml": "是 WPS/PowerPoint 演示文稿，请把其中的表格存入工作簿（.xlsx）。",
    "content.xml": f"是 OpenDocument 文件（.ods、.odt），{SAVE_AS}",
    "ofd.xml": "是 OFD 版式文件，请向发文单位索取表格的工作簿（.xlsx），或把表格复制后粘贴导入。",
}


@dataclass(frozen=True)
class Limits:
    """How much of an archive is read at most."""

    members: int = 1000
    unpacked: int = 32 * 1024 * 1024
    # Of all parts together; a parser's time and memory go with the tags, however short each is.
    tags: int = 2_000_000


def check_archive(data: bytes, name: str, limits: Limits) -> list[str]:
    """The member names of a workbook, once sizes, kinds and document types were found harmless.

    Raises DomainError naming the file otherwise.
    """
    with opened(data, name) as archive:
        members = archive.infolist()
        # zipfile never unpacks more of a member than the size checked here.
        if len(members) > limits.members or sum(member.file_size for member in members) > limits.unpacked:
            most = limits.unpacked / 1024 / 1024
            raise DomainError(f"文件“{name}”解压后超过 {most:.0f} MB 或部件过多，不予读取。")
        names = [member.filename for member in members]
        _check_kind(names, name)
        tags = 0
        for member in members:
            if not member.filename.lower().endswith((".xml", ".rels")):
                continue
            with archive.open(member) as part:
                tags += _check_part(part, f"文件“{name}”的部件“{member.filename}”", limits.tags - tags)
                if tags > limits.tags:
                    raise DomainError(
                        f"文件“{name}”的单元格过多（含带格式的空白单元格），请删去空白行列后再试。"
                    )
    return names


@contextmanager
def opened(data: bytes, name: str) -> Iterator[zipfile.ZipFile]:
    """The archive to read from. Raises DomainError where it turns out damaged or encrypted."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            yield archive
    except (
        zipfile.BadZipFile,
        zipfile.LargeZipFile,
        zlib.error,
        struct.error,
        NotImplementedError,
        RuntimeError,
        ValueError,
        OSError,
        EOFError,
    ) as error:
        raise DomainError(f"文件“{name}”不是 Excel 工作簿（.xlsx），或已损坏。") from error


def _check_kind(names: list[str], name: str) -> None:
    if any(MACROS.search(member) for member in names):
        raise DomainError(f"文件“{name}”含有宏，请另存为不含宏的 .xlsx。")
    lowered = {member.lower().replace("\\", "/") for member in names}
    for member, sentence in OTHERS.items():
        if member in lowered:
            raise DomainError(f"文件“{name}”{sentence}")
    if "[content_types].xml" not in lowered or not any(part.startswith("xl/") for part in lowered):
        raise DomainError(f"文件“{name}”是压缩包，不是工作簿，请解压后上传其中的表格。")


def _check_part(part: zipfile.ZipExtFile, place: str, most: int) -> int:
    """How many tags a part has, counted no further than just above `most`."""
    tags, end = 0, b""
    while tags <= most and (piece := part.read(PIECE)):
        if DOCTYPE.search(end + piece):
            raise DomainError(f"{place}含有不允许的声明，不予读取。")
        tags += piece.count(b"<")
        end = piece[-20:]
    return tags
