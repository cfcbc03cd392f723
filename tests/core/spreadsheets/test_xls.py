import struct

import pytest
from python_calamine import CalamineWorkbook

from core.errors import DomainError
from core.spreadsheets import Merge, Workbook, open_workbook
from tests.factories.matrices import JINJIANG, ROOT
from tests.factories.tables import container, label, number, old_excel, record

JINJIANG_XLS = ROOT / "tests" / "data" / "jinjiang-matrix.xls"


def read(data: bytes) -> Workbook:
    return open_workbook(data, "清单.xls")


def refusal(data: bytes) -> str:
    with pytest.raises(DomainError) as caught:
        read(data)
    return caught.value.message


def texts(*records: bytes, before: bytes = b"") -> dict[tuple[int, int], str]:
    return read(old_excel(b"".join(records), before=before)).sheets[0].texts


def formula(row: int, column: int, result: bytes) -> bytes:
    return record(0x06, struct.pack("<HHH", row, column, 0) + result + bytes(8))


def test_the_jinjiang_matrix_reads_as_it_does_from_xlsx():
    (old,) = read(JINJIANG_XLS.read_bytes()).sheets
    (new,) = open_workbook(JINJIANG.read_bytes(), "清单.xlsx").sheets
    assert old.texts == new.texts
    assert set(old.merges) == set(new.merges)
    assert old.merges_known


def test_an_independent_reader_sees_the_same_texts():
    (sheet,) = read(JINJIANG_XLS.read_bytes()).sheets
    with CalamineWorkbook.from_path(JINJIANG_XLS) as book:
        rows = book.get_sheet_by_index(0).to_python(skip_empty_area=False)
    shown = {
        (row, column): f"{value:.15g}" if isinstance(value, float) else str(value).strip()
        for row, values in enumerate(rows, 1)
        for column, value in enumerate(values, 1)
        if value != ""
    }
    assert sheet.texts == shown


@pytest.mark.parametrize(
    ("format_code", "value", "text"),
    [
        ("General", 3.0, "3"),
        ("General", 0.1, "0.1"),
        ("0%", 0.4, "40%"),
        ("000", 7, "007"),
        ('yyyy"年"m"月"d"日"', 45628, "2024年12月2日"),
    ],
)
def test_numbers_are_printed_by_their_format(format_code, value, text):
    raw = format_code.encode("utf-16-le")
    styles = record(0x41E, struct.pack("<HHB", 164, len(raw) // 2, 1) + raw)
    styles += record(0xE0, struct.pack("<HH16x", 0, 164))
    assert texts(number(0, 0, value), before=styles) == {(1, 1): text}


def test_packed_numbers_are_unpacked():
    whole = struct.pack("<I", (12 << 2) | 2)
    hundredth = struct.pack("<I", (1234 << 2) | 3)
    upper = struct.pack("<d", 1.5)[4:]
    several = struct.pack("<HH", 1, 0) + struct.pack("<H", 0) + hundredth + struct.pack("<H", 0) + upper
    packed = record(0x27E, struct.pack("<HHH", 0, 0, 0) + whole) + record(
        0xBD, several + struct.pack("<H", 1)
    )
    assert texts(packed) == {(1, 1): "12", (2, 1): "12.34", (2, 2): "1.5"}


def test_booleans_are_yes_and_no():
    assert texts(record(0x205, struct.pack("<HHHBB", 0, 0, 0, 1, 0))) == {(1, 1): "是"}


def test_a_shared_text_goes_on_in_the_next_record_in_another_width():
    # 甲乙 begins wide and goes on with "ab" in single bytes.
    start = struct.pack("<IIHB", 1, 1, 4, 1) + "甲乙".encode("utf-16-le")
    strings = record(0xFC, start) + record(0x3C, b"\0ab")
    assert texts(record(0xFD, struct.pack("<HHHI", 0, 0, 0, 0)), before=strings) == {(1, 1): "甲乙ab"}


def test_fonts_and_phonetic_guides_of_a_text_are_passed_over():
    rich = struct.pack("<HBHI", 2, 1 | 4 | 8, 1, 3) + "甲乙".encode("utf-16-le") + b"fontguide"[:7]
    strings = record(0xFC, struct.pack("<II", 2, 2) + rich + struct.pack("<HB", 1, 0) + b"x")
    cells = [record(0xFD, struct.pack("<HHHI", 0, place, 0, place)) for place in (0, 1)]
    assert texts(*cells, before=strings) == {(1, 1): "甲乙", (1, 2): "x"}


def test_merged_areas_are_read():
    area = record(0xE5, struct.pack("<HHHHH", 1, 0, 2, 0, 0))
    (sheet,) = read(old_excel(label(0, 0, "甲") + label(2, 1, "乙") + area)).sheets
    assert sheet.merges == [Merge(1, 1, 3, 1)]
    assert sheet.value(3, 1) == "甲"


def test_results_of_formulas_are_read_and_noted():
    string = "文字".encode("utf-16-le")
    cells = (
        label(0, 0, "甲")
        + formula(0, 1, struct.pack("<d", 3.0))
        + formula(0, 2, b"\0\0\0\0\0\0\xff\xff")
        + record(0x207, struct.pack("<HB", 2, 1) + string)
    )
    book = read(old_excel(cells))
    assert book.sheets[0].texts == {(1, 1): "甲", (1, 2): "3", (1, 3): "文字"}
    assert book.notes == ["工作表“表1”的 B1、C1是公式，按文件中保存的结果读取，请核对。"]


def test_an_error_value_is_refused_by_its_cell():
    sentence = "文件“清单.xls”工作表“表1”单元格 B1：是错误值 #REF!，请更正后再导入。"
    assert refusal(old_excel(record(0x205, struct.pack("<HHHBB", 0, 1, 0, 0x17, 1)))) == sentence
    assert refusal(old_excel(formula(0, 1, b"\x02\0\x17\0\0\0\xff\xff"))) == sentence


def test_hidden_sheets_are_passed_over_and_named():
    book = read(old_excel(label(0, 0, "甲"), label(0, 0, "乙"), states=[0, 2]))
    assert [sheet.name for sheet in book.sheets] == ["表1"]
    assert book.notes == ["工作表“表2”是隐藏的，未读取。"]


def test_hidden_rows_and_columns_are_read_and_noted():
    hidden = record(0x208, struct.pack("<HHHHHHI", 1, 0, 1, 0, 0, 0, 0x20))
    hidden += record(0x7D, struct.pack("<HHHHHH", 2, 3, 0, 0, 1, 0))
    book = read(old_excel(hidden + label(0, 0, "甲") + label(1, 2, "乙")))
    assert book.notes == [
        "工作表“表1”的第 2 行是隐藏的，已照常读取，请核对。",
        "工作表“表1”的 C 列是隐藏的，已照常读取，请核对。",
    ]


def test_a_chart_inside_a_sheet_is_passed_over():
    chart = record(0x809, bytes(16)) + label(0, 0, "图") + record(0x0A)
    assert texts(label(0, 0, "甲"), chart, label(1, 0, "乙")) == {(1, 1): "甲", (2, 1): "乙"}


def test_a_password_is_said():
    locked = "文件“清单.xls”设有打开密码，请去掉密码后再上传。"
    assert refusal(old_excel(b"", before=record(0x2F, bytes(6)))) == locked
    assert refusal(container({"EncryptionInfo": b"x", "EncryptedPackage": b"x"})) == locked


@pytest.mark.parametrize("kind", [1, 6])
def test_macro_sheets_are_refused(kind):
    assert refusal(old_excel(b"", kind=kind)) == "文件“清单.xls”含有宏，请另存为不含宏的 .xlsx。"


def test_macros_are_refused():
    data = container({"Workbook": b"x", "_VBA_PROJECT_CUR": b"x"})
    assert refusal(data) == "文件“清单.xls”含有宏，请另存为不含宏的 .xlsx。"


@pytest.mark.parametrize(
    ("stream", "sentence"),
    [
        ("WordDocument", "是 WPS/Word 文档，请把其中的表格复制后粘贴导入，或存入工作簿（.xlsx）。"),
        ("PowerPoint Document", "不是工作簿，请上传 .xlsx、.xls 或 .csv 文件。"),
    ],
)
def test_another_old_document_is_told_by_what_it_is(stream, sentence):
    assert refusal(container({stream: b"x"})) == f"文件“清单.xls”{sentence}"


@pytest.mark.parametrize("size", [8, 100, 600, 4096, 8000, 12_000])
def test_a_cut_off_file_is_refused(size):
    assert refusal(JINJIANG_XLS.read_bytes()[:size]) == (
        "文件“清单.xls”已损坏，无法读取。请用 Excel 或 WPS 打开后另存为 .xlsx 再试。"
    )


def test_a_chain_that_bites_its_tail_is_refused():
    data = bytearray(JINJIANG_XLS.read_bytes())
    (table,) = struct.unpack_from("<I", data, 76)
    at = (table + 1) * 512
    data[at : at + 512] = struct.pack("<128I", *[0] * 128)
    assert "已损坏" in refusal(bytes(data))
