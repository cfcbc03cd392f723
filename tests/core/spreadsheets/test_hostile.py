"""Files made to exhaust whoever opens them, opened by a process whose memory is measured."""

import io
import struct
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.factories.matrices import ROOT
from tests.factories.tables import label, old_excel, record, repacked, sheet_xml, with_sheet, workbook

MOST_MEGABYTES = 300
MB = 1024 * 1024
# Its peak is asked of the kernel: what getrusage says begins with the memory of whoever started it.
MEASURED = """
import re, sys
from django.conf import settings
settings.configure(UPLOAD_MAX_BYTES=20 * 1024 * 1024)
from core.errors import DomainError
from core.spreadsheets import open_workbook
from core.spreadsheets.rows import open_table
try:
    with open(sys.argv[1], "rb") as file:
        data = file.read()
    %s
except DomainError as error:
    print(error)
with open("/proc/self/status") as status:
    print(int(re.search(r"VmHWM:\\s+(\\d+) kB", status.read())[1]) // 1024)
"""
READER = MEASURED % 'print("read", sum(len(sheet.texts) for sheet in open_workbook(data, "清单").sheets))'
REGISTER_READER = (
    MEASURED
    % """with open_table(data, "名录", {"name": ["名称"], "beds": ["床位"]}) as found:
        print("read", len(list(found.lines)))"""
)


def merges(areas: str) -> str:
    return f"<mergeCells>{areas}</mergeCells>"


def inline(reference: str, text: str) -> str:
    return f'<c r="{reference}" t="inlineStr"><is><t>{text}</t></is></c>'


def zip_bomb() -> bytes:
    """A thousandfold archive, and inside it another of its kind."""
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros", bytes(100 * MB))
    return repacked(workbook(["甲"]), {"xl/media/1.zip": inner.getvalue(), "xl/media/2.bin": bytes(33 * MB)})


def lying_bomb() -> bytes:
    """A sheet that says it has 100 bytes, and unpacks to 100 MB."""
    data = bytearray(with_sheet(b"<worksheet>" + bytes(100 * MB)))
    for mark, offset in ((b"PK\1\2", 24), (b"PK\3\4", 22)):
        at = data.find(mark)
        while data.find(b"sheet1.xml", at) - at > 100:
            at = data.find(mark, at + 4)
        struct.pack_into("<I", data, at + offset, 100)
    return bytes(data)


def billion_laughs() -> bytes:
    entities = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    return with_sheet(f'<!DOCTYPE w [<!ENTITY l0 "haha">{entities}]><worksheet>&l9;</worksheet>')


def blank_rows() -> bytes:
    rows = "".join(
        f'<row r="{row}"><c r="A{row}" s="0"/><c r="B{row}" s="0"/></row>' for row in range(2, 100_002)
    )
    real = f'<row r="1">{inline("A1", "甲")}</row>', f'<row r="100002">{inline("B100002", "乙")}</row>'
    return with_sheet(sheet_xml(real[0] + rows + real[1]))


def tiny_merges() -> bytes:
    areas = "".join(f'<mergeCell ref="A{row}:B{row}"/>' for row in range(1, 1001)) * 1000
    return with_sheet(sheet_xml(f'<row r="1">{inline("A1", "甲")}</row>', merges(areas)))


def wide_merges() -> bytes:
    areas = "".join(f'<mergeCell ref="A{row}:XFD{row}"/>' for row in range(1, 100_000))
    return with_sheet(sheet_xml(f'<row r="9">{inline("GR9", "甲")}</row>', merges(areas)))


def overlapping_merges() -> bytes:
    areas = "".join(f'<mergeCell ref="A1:GR{row}"/>' for row in range(2, 90_000))
    return with_sheet(sheet_xml(f'<row r="1">{inline("A1", "甲")}</row>', merges(areas)))


def shared_bomb() -> bytes:
    """One long text, shown by two hundred thousand cells."""
    rows = ("<row>" + '<c t="s"><v>0</v></c>' * 100 + "</row>") * 2000
    return with_sheet(sheet_xml(rows), strings=f"<sst><si><t> {'长' * 32_000}</t></si></sst>")


def many_strings() -> bytes:
    return with_sheet(sheet_xml("<row/>"), strings="<sst>" + "<si><t>a</t></si>" * 490_000 + "</sst>")


def long_cell() -> bytes:
    return with_sheet(sheet_xml(f"<row>{inline('A1', '长' * 10_000_000)}</row>"))


def far_cells() -> bytes:
    """Two cells of an old workbook, at its two ends."""
    return old_excel(label(0, 0, "甲") + label(65_535, 255, "乙"))


def blank_records() -> bytes:
    """20 MB of blank cells, which all the sheets share."""
    blank = record(0x201, bytes(6)) * (19 * MB // 10)
    return old_excel(blank + label(0, 0, "甲"))


def many_texts() -> bytes:
    strings = struct.pack("<II", 6_000_000, 6_000_000)
    return old_excel(label(0, 0, "甲"), before=record(0xFC, strings) + record(0x3C, b"\1\0\0a" * 2000) * 2000)


def wide_page() -> bytes:
    return b"<table>" + b"<tr><td rowspan=65534 colspan=1000>x" * 120_000


def long_text() -> bytes:
    return ("甲,乙\n" * 3_000_000).encode("gb18030")


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (zip_bomb, "文件“清单”解压后超过 32 MB 或部件过多，不予读取。"),
        (lying_bomb, "文件“清单”不是 Excel 工作簿（.xlsx），或已损坏。"),
        (billion_laughs, "文件“清单”的部件“xl/worksheets/sheet1.xml”含有不允许的声明，不予读取。"),
        (blank_rows, "read 2"),
        (tiny_merges, "文件“清单”工作表“清单”的合并区域超过 100000 处，请拆分。"),
        (wide_merges, "文件“清单”工作表“清单”的合并区域过大，请取消不需要的合并后再试。"),
        (overlapping_merges, "文件“清单”工作表“清单”单元格 A1：合并区域互相重叠，无法读取。"),
        (shared_bomb, "文件“清单”的文字超过 1000 万字，请拆分。"),
        (many_strings, "read 0"),
        (long_cell, "文件“清单”工作表“清单”单元格 A1：文字超过 32767 个字，请缩短后再导入。"),
        (far_cells, "文件“清单”工作表“表1”单元格 IV65536：超出前 200 列，请删去多余的列。"),
        (blank_records, "read 1"),
        (many_texts, "文件“清单”的文字超过 500000 条，请拆分。"),
        (wide_page, "文件“清单”工作表“表格”单元格 GS2：超出前 200 列，请删去多余的列。"),
        (long_text, "文件“清单”的文字超过 1000 万字，请拆分。"),
    ],
    ids=lambda value: value.__name__ if callable(value) else "",
)
def test_a_hostile_file_costs_little_and_is_told_why(made: Callable[[], bytes], said: str, tmp_path):
    path = tmp_path / "file"
    path.write_bytes(made())
    assert_cheap(READER, path, said)


def test_a_register_of_two_far_cells_costs_little(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(old_excel(label(0, 0, "名称") + label(0, 1, "床位") + label(65_535, 255, "乙")))
    assert_cheap(REGISTER_READER, path, "read 0")


def assert_cheap(reader: str, path: Path, said: str) -> None:
    run = subprocess.run(
        [sys.executable, "-c", reader, str(path)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    sentence, megabytes = run.stdout.splitlines()
    assert sentence == said
    assert int(megabytes) < MOST_MEGABYTES
