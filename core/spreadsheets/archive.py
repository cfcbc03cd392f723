"""Is an archive that a stranger sent safe to unpack, and a workbook without macros?"""

import io
import zipfile
from dataclasses import dataclass

from django.conf import settings

from core.errors import DomainError

OLD_EXCEL = b"\xd0\xcf\x11\xe0"


@dataclass(frozen=True)
class Limits:
    """How much of an archive is read at most."""

    members: int = 1000
    unpacked: int = 32 * 1024 * 1024
    # Of all parts together; a parser's time and memory go with the tags, however short each is.
    tags: int = 2_000_000


def check_archive(data: bytes, name: str, limits: Limits) -> list[str]:
    """The member names, once sizes, kinds and document types were found harmless.

    Raises DomainError naming the file otherwise.
    """
    if len(data) > settings.UPLOAD_MAX_BYTES:
        size, most = len(data) / 1024 / 1024, settings.UPLOAD_MAX_BYTES / 1024 / 1024
        raise DomainError(f"文件“{name}”有 {size:.1f} MB，超过上限 {most:.0f} MB。")
    if data.startswith(OLD_EXCEL):
        raise DomainError(f"文件“{name}”是旧版 .xls 或加了密码的工作簿，请去掉密码并另存为 .xlsx。")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = archive.infolist()
            # zipfile never unpacks more of a member than the size checked here.
            if len(members) > limits.members or sum(member.file_size for member in members) > limits.unpacked:
                most = limits.unpacked / 1024 / 1024
                raise DomainError(f"文件“{name}”解压后超过 {most:.0f} MB 或部件过多，不予读取。")
            names = [member.filename for member in members]
            if any(member.endswith("vbaProject.bin") for member in names):
                raise DomainError(f"文件“{name}”含有宏，请另存为不含宏的 .xlsx。")
            if "[Content_Types].xml" not in names or not any(
                part.startswith("xl/worksheets/") for part in names
            ):
                raise DomainError(f"文件“{name}”不是 Excel 工作簿（.xlsx）。")
            tags = 0
            for member in members:
                if not member.filename.endswith((".xml", ".rels")):
                    continue
                part = archive.read(member)
                # An office file never declares a document type; entity bombs do.
                if b"<!DOCTYPE" in part:
                    raise DomainError(f"文件“{name}”的部件“{member.filename}”含有不允许的声明，不予读取。")
                tags += part.count(b"<")
                if tags > limits.tags:
                    raise DomainError(
                        f"文件“{name}”的单元格过多（含带格式的空白单元格），请删去空白行列后再试。"
                    )
    except (
        zipfile.BadZipFile,
        zipfile.LargeZipFile,
        NotImplementedError,
        RuntimeError,
        OSError,
        EOFError,
    ) as error:
        raise DomainError(f"文件“{name}”不是 Excel 工作簿（.xlsx），或已损坏。") from error
    return names
