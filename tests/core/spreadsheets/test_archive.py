import struct

import pytest

from core.spreadsheets import Limits
from tests.core.spreadsheets.refusals import refusal
from tests.factories.tables import archive, repacked, workbook

SHEET = "xl/worksheets/sheet1.xml"


@pytest.mark.parametrize("part", ["xl/vbaProject.bin", "xl/macrosheets/sheet1.xml"])
def test_macros_are_refused_whatever_the_file_is_called(part):
    data = repacked(workbook(["甲"]), {part: b"x"})
    assert refusal(data) == "文件“清单.xlsx”含有宏，请另存为不含宏的 .xlsx。"
    assert refusal(data, "清单.xlsm") == "文件“清单.xlsm”含有宏，请另存为不含宏的 .xlsx。"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_document_type_is_refused(encoding):
    bomb = '<!DOCTYPE a [<!ENTITY b "bb">]><worksheet>&b;</worksheet>'.encode(encoding)
    assert refusal(repacked(workbook(["甲"]), {SHEET: bomb})) == (
        f"文件“清单.xlsx”的部件“{SHEET}”含有不允许的声明，不予读取。"
    )


def test_a_document_type_across_two_pieces_is_found():
    bomb = b" " * (1024 * 1024 - 4) + b"<!DOCTYPE a><worksheet/>"
    assert "不允许的声明" in refusal(repacked(workbook(["甲"]), {SHEET: bomb}))


def test_a_zip_bomb_is_refused_before_it_is_unpacked():
    data = repacked(workbook(["甲"]), {"xl/media/zeros.bin": bytes(40 * 1024 * 1024)})
    assert len(data) < 100_000
    assert refusal(data) == "文件“清单.xlsx”解压后超过 32 MB 或部件过多，不予读取。"


def test_a_part_larger_than_it_says_is_refused():
    data = bytearray(repacked(workbook(["甲"]), {"xl/media/zeros.xml": bytes(40 * 1024 * 1024)}))
    # The size unpacked, in the part's own header and in the directory at the end.
    for mark, offset in ((b"PK\1\2", 24), (b"PK\3\4", 22)):
        struct.pack_into("<I", data, data.rfind(mark) + offset, 100)
    assert refusal(bytes(data)) == "文件“清单.xlsx”不是 Excel 工作簿（.xlsx），或已损坏。"


def test_too_many_members_are_refused():
    assert "部件过多" in refusal(workbook(["甲"]), limits=Limits(members=3))


def test_more_cells_than_a_parser_should_bear_are_refused():
    assert refusal(workbook(["甲"]), limits=Limits(tags=100)) == (
        "文件“清单.xlsx”的单元格过多（含带格式的空白单元格），请删去空白行列后再试。"
    )


@pytest.mark.parametrize(
    ("members", "sentence"),
    [
        ({"readme_txt": b"x"}, "是压缩包，不是工作簿，请解压后上传其中的表格。"),
        ({"清单_xlsx": b"x"}, "是压缩包，不是工作簿，请解压后上传其中的表格。"),
        ({"xl__workbook_bin": b"x"}, "是二进制工作簿（.xlsb），请用 WPS 或 Excel 打开后另存为 .xlsx。"),
        (
            {"word__document_xml": b"x"},
            "是 WPS/Word 文档，请把其中的表格复制后粘贴导入，或存入工作簿（.xlsx）。",
        ),
        (
            {"ppt__presentation_xml": b"x"},
            "是 WPS/PowerPoint 演示文稿，请把其中的表格存入工作簿（.xlsx）。",
        ),
        (
            {"content_xml": b"x"},
            "是 OpenDocument 文件（.ods、.odt），请用 WPS 或 Excel 打开后另存为 .xlsx。",
        ),
        (
            {"OFD_xml": b"x"},
            "是 OFD 版式文件，请向发文单位索取表格的工作簿（.xlsx），或把表格复制后粘贴导入。",
        ),
    ],
)
def test_another_archive_is_told_by_what_it_is(members, sentence):
    assert refusal(archive(**members)) == f"文件“清单.xlsx”{sentence}"


def test_a_cut_off_file_is_refused():
    assert refusal(workbook(["甲"])[:-200]) == "文件“清单.xlsx”不是 Excel 工作簿（.xlsx），或已损坏。"


def test_an_archive_with_a_password_is_refused():
    data = bytearray(workbook(["甲"]))
    struct.pack_into("<H", data, data.find(b"PK\1\2") + 8, 1)
    struct.pack_into("<H", data, data.find(b"PK\3\4") + 6, 1)
    assert refusal(bytes(data)) == "文件“清单.xlsx”不是 Excel 工作簿（.xlsx），或已损坏。"


def test_a_directory_that_points_before_the_file_is_refused():
    data = bytearray(workbook(["甲"]))
    end = data.rfind(b"PK\5\6")
    struct.pack_into("<I", data, end + 12, struct.unpack_from("<I", data, end + 12)[0] + 15)
    assert refusal(bytes(data)) == "文件“清单.xlsx”不是 Excel 工作簿（.xlsx），或已损坏。"
