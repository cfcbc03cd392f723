import io
import zipfile
from datetime import date, datetime

import pytest
from openpyxl import Workbook

from core.errors import DomainError
from core.spreadsheets import Limits, Merge, Sheet, coordinate, open_workbook, xlsx
from tests.factories.matrices import saved


def workbook(*rows, merges=(), title="清单") -> bytes:
    book = Workbook()
    book.active.title = title
    for row in rows:
        book.active.append(list(row))
    for area in merges:
        book.active.merge_cells(area)
    return saved(book)


def repacked(data: bytes, **parts: bytes) -> bytes:
    """The same archive with parts added or replaced; `__` in a name stands for `/`."""
    replaced = {
        name.replace("__", "/").replace("_xml", ".xml").replace("_bin", ".bin"): part
        for name, part in parts.items()
    }
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as new:
        for member in old.infolist():
            if member.filename not in replaced:
                new.writestr(member.filename, old.read(member))
        for name, part in replaced.items():
            new.writestr(name, part)
    return buffer.getvalue()


def refusal(data: bytes, name: str = "清单.xlsx", **options) -> str:
    with pytest.raises(DomainError) as caught:
        open_workbook(data, name, **options)
    return caught.value.message


def only_sheet(data: bytes) -> Sheet:
    (sheet,) = open_workbook(data, "清单.xlsx").sheets
    return sheet


def test_texts_stand_at_their_coordinates():
    sheet = only_sheet(workbook(["甲", None, "丙"], [None, "乙", None]))
    assert sheet.texts == {(1, 1): "甲", (1, 3): "丙", (2, 2): "乙"}
    assert (sheet.last_row, sheet.last_column) == (2, 3)


def test_a_merged_area_gives_its_text_to_every_cell_it_covers():
    sheet = only_sheet(workbook(["甲", "乙"], [None, "丙"], [None, "丁"], merges=["A1:A3"]))
    assert [sheet.value(row, 1) for row in (1, 2, 3)] == ["甲", "甲", "甲"]
    assert sheet.merge_at(3, 1) == Merge(1, 1, 3, 1)
    assert sheet.anchor(3, 1) == (1, 1)
    assert sheet.merge_at(3, 2) is None


def test_coordinates_are_those_of_excel():
    assert [coordinate(14, 3), coordinate(1, 27)] == ["C14", "AA1"]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1, "1"),
        (2.0, "2"),
        (0.1, "0.1"),
        (True, "是"),
        (date(2024, 12, 2), "2024-12-02"),
        (datetime(2024, 12, 2, 9, 30), "2024-12-02 09:30"),
        ("  两端  空白 \n", "两端  空白"),
        ("换_x000D_\n行", "换\n行"),
    ],
)
def test_values_become_the_text_a_reader_sees(value, text):
    assert only_sheet(workbook([value])).texts == {(1, 1): text}


def test_a_percentage_keeps_its_sign():
    book = Workbook()
    book.active["A1"] = 0.4
    book.active["A1"].number_format = "0%"
    assert only_sheet(saved(book)).texts == {(1, 1): "40%"}


def test_blank_rows_do_not_count_however_many():
    book = Workbook()
    book.active["A1"] = "甲"
    book.active.cell(100_000, 1).number_format = "0%"
    assert only_sheet(saved(book)).last_row == 1


def test_a_formula_is_refused_by_its_cell():
    assert (
        refusal(workbook(["甲", "=1+1"]))
        == "文件“清单.xlsx”工作表“清单”单元格 B1：是公式，请改为文字后再导入。"
    )


def test_an_error_value_is_refused_by_its_cell():
    assert refusal(workbook(["甲"], ["#REF!"])) == (
        "文件“清单.xlsx”工作表“清单”单元格 A2：是错误值 #REF!，请更正后再导入。"
    )


def test_overlapping_merges_are_refused():
    source = workbook(["甲", "乙"], ["丙", "丁"], merges=["A1:B1"])
    with zipfile.ZipFile(io.BytesIO(source)) as archive:
        part = archive.read("xl/worksheets/sheet1.xml")
    part = part.replace(b"</mergeCells>", b'<mergeCell ref="B1:B2"/></mergeCells>')
    assert refusal(repacked(source, xl__worksheets__sheet1_xml=part)) == (
        "文件“清单.xlsx”工作表“清单”单元格 B1：合并区域互相重叠，无法读取。"
    )


def test_hidden_sheets_are_passed_over_and_named():
    book = Workbook()
    book.active["A1"] = "甲"
    hidden = book.create_sheet("底稿")
    hidden["A1"] = "=1+1"
    hidden.sheet_state = "veryHidden"
    read = open_workbook(saved(book), "清单.xlsx")
    assert [sheet.name for sheet in read.sheets] == ["Sheet"]
    assert read.notes == ["工作表“底稿”是隐藏的，未读取。"]


def test_external_links_are_ignored_and_mentioned():
    data = repacked(workbook(["甲"]), xl__externalLinks__externalLink1_xml=b"<externalLink/>")
    assert open_workbook(data, "清单.xlsx").notes == ["文件含外部链接，已忽略，只读取文件内的文字。"]


def test_macros_are_refused():
    assert (
        refusal(repacked(workbook(["甲"]), xl__vbaProject_bin=b"x"))
        == "文件“清单.xlsx”含有宏，请另存为不含宏的 .xlsx。"
    )


def test_a_document_type_is_refused():
    bomb = b'<!DOCTYPE a [<!ENTITY b "bb">]><worksheet>&b;</worksheet>'
    assert "不允许的声明" in refusal(repacked(workbook(["甲"]), xl__worksheets__sheet1_xml=bomb))


def test_a_zip_bomb_is_refused_before_it_is_unpacked():
    data = repacked(workbook(["甲"]), xl__media__zeros_bin=bytes(40 * 1024 * 1024))
    assert len(data) < 100_000
    assert refusal(data) == "文件“清单.xlsx”解压后超过 32 MB 或部件过多，不予读取。"


def test_too_many_members_are_refused():
    assert "部件过多" in refusal(workbook(["甲"]), limits=Limits(members=3))


def test_more_cells_than_a_parser_should_bear_are_refused():
    assert "的单元格过多" in refusal(workbook(["甲"]), limits=Limits(tags=100))


def test_a_file_over_the_upload_limit_is_refused(settings):
    settings.UPLOAD_MAX_BYTES = 1024 * 1024
    assert refusal(bytes(3 * 1024 * 1024)) == "文件“清单.xlsx”有 3.0 MB，超过上限 1 MB。"


def test_more_rows_than_any_matrix_has_are_refused(monkeypatch):
    monkeypatch.setattr(xlsx, "MAX_ROWS", 2)
    assert (
        refusal(workbook(["甲"], ["乙"], ["丙"]))
        == "文件“清单.xlsx”工作表“清单”超过 2 行或 200000 格，请拆分。"
    )


def test_a_text_far_to_the_right_is_refused_by_its_cell():
    book = Workbook()
    book.active.cell(1, 300).value = "甲"
    assert refusal(saved(book)) == "文件“清单.xlsx”工作表“Sheet”单元格 KN1：超出前 200 列，请删去多余的列。"


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"not a workbook", "文件“清单.xlsx”不是 Excel 工作簿（.xlsx），或已损坏。"),
        (b"", "文件“清单.xlsx”不是 Excel 工作簿（.xlsx），或已损坏。"),
        (
            b"\xd0\xcf\x11\xe0\xa1\xb1",
            "文件“清单.xlsx”是旧版 .xls 或加了密码的工作簿，请去掉密码并另存为 .xlsx。",
        ),
    ],
)
def test_what_is_no_workbook_is_refused(data, sentence):
    assert refusal(data) == sentence


def test_a_zip_that_is_no_workbook_is_refused():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("readme.txt", "x")
    assert refusal(buffer.getvalue()) == "文件“清单.xlsx”不是 Excel 工作簿（.xlsx）。"


def test_a_damaged_part_is_refused():
    data = repacked(workbook(["甲"]), xl__worksheets__sheet1_xml=b"<worksheet><sheetData><row>")
    assert refusal(data) == "文件“清单.xlsx”已损坏，无法读取。请用 Excel 或 WPS 打开后另存为 .xlsx 再试。"


def test_a_cut_off_file_is_refused():
    assert refusal(workbook(["甲"])[:-200]) == "文件“清单.xlsx”不是 Excel 工作簿（.xlsx），或已损坏。"
