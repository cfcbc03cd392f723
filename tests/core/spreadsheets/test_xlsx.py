import io
import re
import zipfile
from datetime import date, datetime

import pytest
from openpyxl import Workbook
from openpyxl.comments import Comment
from openpyxl.utils.datetime import CALENDAR_MAC_1904

from core.spreadsheets import Merge, Sheet, coordinate, filling, open_workbook
from tests.core.spreadsheets.refusals import refusal
from tests.factories.matrices import saved
from tests.factories.tables import repacked, sheet_xml, with_sheet, workbook

SHEET = "xl/worksheets/sheet1.xml"
STYLES = """<styleSheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><numFmts>
<numFmt numFmtId="164" formatCode="0.0%%"/></numFmts><cellStyleXfs><xf numFmtId="9"/></cellStyleXfs>
<cellXfs>%s</cellXfs></styleSheet>"""


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


def test_notes_beside_cells_are_kept_apart_from_the_texts():
    book = Workbook()
    book.active["A1"] = "甲"
    book.active["A1"].comment = Comment("请核对\n此格", "某人")
    sheet = only_sheet(saved(book))
    assert (sheet.texts, sheet.comments) == ({(1, 1): "甲"}, {(1, 1): "请核对\n此格"})


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


def test_an_error_value_is_refused_by_its_cell():
    assert refusal(workbook(["甲"], ["#REF!"])) == (
        "文件“清单.xlsx”工作表“清单”单元格 A2：是错误值 #REF!，请更正后再导入。"
    )


def test_overlapping_merges_are_refused():
    source = workbook(["甲", "乙"], ["丙", "丁"], merges=["A1:B1"])
    with zipfile.ZipFile(io.BytesIO(source)) as archive:
        part = archive.read("xl/worksheets/sheet1.xml")
    part = part.replace(b"</mergeCells>", b'<mergeCell ref="B1:B2"/></mergeCells>')
    assert refusal(repacked(source, {SHEET: part})) == (
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
    data = repacked(workbook(["甲"]), {"xl/externalLinks/externalLink1.xml": b"<externalLink/>"})
    assert open_workbook(data, "清单.xlsx").notes == ["文件含外部链接，已忽略，只读取文件内的文字。"]


def test_more_rows_than_any_matrix_has_are_refused(monkeypatch):
    monkeypatch.setattr(filling, "MAX_ROWS", 2)
    assert (
        refusal(workbook(["甲"], ["乙"], ["丙"]))
        == "文件“清单.xlsx”工作表“清单”超过 2 行或 200000 格，请拆分。"
    )


def test_a_text_far_to_the_right_is_refused_by_its_cell():
    book = Workbook()
    book.active.cell(1, 300).value = "甲"
    assert refusal(saved(book)) == "文件“清单.xlsx”工作表“Sheet”单元格 KN1：超出前 200 列，请删去多余的列。"


def test_a_damaged_part_is_refused():
    data = with_sheet(b"<worksheet><sheetData><row>")
    assert refusal(data) == "文件“清单.xlsx”已损坏，无法读取。请用 Excel 或 WPS 打开后另存为 .xlsx 再试。"


def test_a_formula_is_read_by_its_result_and_noted():
    rows = '<row r="1"><c r="A1" t="str"><f>B1&amp;"局"</f><v>民政局</v></c><c r="B1"><f>1+1</f><v>2</v></c></row>'
    book = open_workbook(with_sheet(sheet_xml(rows)), "清单.xlsx")
    assert book.sheets[0].texts == {(1, 1): "民政局", (1, 2): "2"}
    assert book.notes == ["工作表“清单”的 A1、B1是公式，按文件中保存的结果读取，请核对。"]


def test_of_many_formulas_the_first_are_named_and_all_counted():
    cells = "".join(f"<c><f>1+{place}</f><v>{place}</v></c>" for place in range(12))
    assert open_workbook(with_sheet(sheet_xml(f"<row>{cells}</row>")), "清单.xlsx").notes == [
        "工作表“清单”的 A1、B1、C1、D1、E1 等 12 处是公式，按文件中保存的结果读取，请核对。"
    ]


def test_a_formula_without_a_result_is_refused_by_its_cell():
    assert refusal(workbook(["甲", "=1+1"])) == (
        "文件“清单.xlsx”工作表“清单”单元格 B1：是公式，文件里没有保存它的结果，请改为文字后再导入。"
    )


def test_a_formula_with_a_blank_result_is_a_blank_cell():
    rows = '<row><c t="inlineStr"><is><t>甲</t></is></c><c t="str"><f>IF(A1="",1,"")</f><v></v></c></row>'
    assert only_sheet(with_sheet(sheet_xml(rows))).texts == {(1, 1): "甲"}


def test_the_error_a_formula_results_in_is_refused():
    rows = '<row r="3"><c r="C3" t="e"><f>A1/0</f><v>#DIV/0!</v></c></row>'
    assert refusal(with_sheet(sheet_xml(rows))) == (
        "文件“清单.xlsx”工作表“清单”单元格 C3：是错误值 #DIV/0!，请更正后再导入。"
    )


def test_hidden_rows_and_columns_are_read_and_noted():
    book = Workbook()
    for row in range(1, 7):
        book.active.append([f"甲{row}", None, f"丙{row}"])
    for row in (2, 4, 5, 6, 90):
        book.active.row_dimensions[row].hidden = True
    book.active.column_dimensions["B"].hidden = True
    book.active.column_dimensions["C"].hidden = True
    read = open_workbook(saved(book), "清单.xlsx")
    assert len(read.sheets[0].texts) == 12
    assert read.notes == [
        "工作表“Sheet”的第 2、4—6 行是隐藏的，已照常读取，请核对。",
        "工作表“Sheet”的 C 列是隐藏的，已照常读取，请核对。",
    ]


def test_cells_without_coordinates_stand_one_after_the_other():
    rows = "<row><c><v>1</v></c><c><v>2</v></c></row><row><c/><c><v>4</v></c></row>"
    assert only_sheet(with_sheet(sheet_xml(rows))).texts == {(1, 1): "1", (1, 2): "2", (2, 2): "4"}


def test_tags_with_a_prefix_and_of_the_strict_edition_are_read():
    part = (
        '<x:worksheet xmlns:x="http://purl.oclc.org/ooxml/spreadsheetml/main"><x:sheetData>'
        '<x:row r="1"><x:c r="B1" t="inlineStr"><x:is><x:t>乙</x:t></x:is></x:c></x:row>'
        '</x:sheetData><x:mergeCells><x:mergeCell ref="B1:B2"/></x:mergeCells></x:worksheet>'
    )
    sheet = only_sheet(with_sheet(part))
    assert (sheet.texts, sheet.merges) == ({(1, 2): "乙"}, [Merge(1, 2, 2, 2)])


def test_a_text_in_several_fonts_is_one_text_without_its_phonetic_guide():
    strings = (
        '<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><si><r><t>消防</t></r>'
        "<r><t>救援</t></r><rPh><t>xiaofang</t></rPh></si></sst>"
    )
    data = with_sheet(sheet_xml('<row><c t="s"><v>0</v></c></row>'), strings=strings)
    assert only_sheet(data).texts == {(1, 1): "消防救援"}


def test_a_shared_text_longer_than_excel_allows_is_refused_by_the_cell_that_shows_it():
    strings = f"<sst><si><t>{'长' * 40_000}</t></si><si><t>乙</t></si></sst>"
    rows = '<row r="1"><c r="A1" t="s"><v>1</v></c><c r="B1" t="s"><v>0</v></c></row>'
    assert refusal(with_sheet(sheet_xml(rows), strings=strings)) == (
        "文件“清单.xlsx”工作表“清单”单元格 B1：文字超过 32767 个字，请缩短后再导入。"
    )


def test_escaped_characters_are_those_meant_and_unprintable_ones_fall_away():
    rows = '<row><c t="str"><v>_x005F_x0041_甲_x0007_乙_x0000_</v></c></row>'
    assert only_sheet(with_sheet(sheet_xml(rows))).texts == {(1, 1): "_x0041_甲乙"}


@pytest.mark.parametrize(
    ("number", "value", "text"),
    [(0, "0.4", "0.4"), (9, "0.4", "40%"), (164, "0.405", "40.5%"), (57, "45628", "2024年12月")],
)
def test_the_number_format_is_that_of_the_cells_own_style(number, value, text):
    styles = STYLES % f'<xf numFmtId="{number}"/>'
    data = with_sheet(sheet_xml(f'<row><c s="0"><v>{value}</v></c></row>'), styles=styles)
    assert only_sheet(data).texts == {(1, 1): text}


def test_dates_of_a_macintosh_workbook_count_from_1904():
    book = Workbook()
    book.epoch = CALENDAR_MAC_1904
    book.active["A1"] = date(2024, 12, 2)
    assert only_sheet(saved(book)).texts == {(1, 1): "2024-12-02"}


def test_a_date_written_as_text_of_its_kind_is_read():
    rows = '<row><c t="d"><v>2024-12-02T00:00:00</v></c></row>'
    assert only_sheet(with_sheet(sheet_xml(rows))).texts == {(1, 1): "2024-12-02"}


def test_parts_are_found_whatever_their_slashes_and_capitals():
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(workbook(["甲"]))) as old, zipfile.ZipFile(buffer, "w") as new:
        for member in old.namelist():
            name = member.replace("/", "\\").replace("workbook", "Workbook")
            new.writestr(name, old.read(member))
    assert only_sheet(buffer.getvalue()).texts == {(1, 1): "甲"}


def test_a_chart_sheet_is_passed_over():
    book = Workbook()
    book.active["A1"] = "甲"
    book.create_chartsheet("图表")
    assert [sheet.name for sheet in open_workbook(saved(book), "清单.xlsx").sheets] == ["Sheet"]


def test_a_workbook_of_hidden_sheets_only_is_refused():
    book = Workbook()
    book.create_sheet("底稿").sheet_state = "hidden"
    data = saved(book)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        contents = archive.read("xl/workbook.xml").replace(b'state="visible"', b'state="hidden"')
    assert refusal(repacked(data, {"xl/workbook.xml": contents})) == "文件“清单.xlsx”没有可见的工作表。"


def test_a_text_below_thousands_of_blank_rows_is_read():
    rows = "".join(f'<row r="{row}"><c r="A{row}" s="0"/></row>' for row in range(1, 50_000))
    rows += '<row r="50000"><c r="B50000"><v>1</v></c></row>'
    sheet = only_sheet(with_sheet(sheet_xml(rows)))
    assert (sheet.lines, sheet.last_row) == ([50_000], 50_000)


def test_a_text_far_below_is_refused_by_its_cell():
    rows = '<row r="1048576"><c r="A1048576"><v>1</v></c></row>'
    assert refusal(with_sheet(sheet_xml(rows))) == (
        "文件“清单.xlsx”工作表“清单”单元格 A1048576：超出前 200000 行，请删去上面的空白行。"
    )


def test_texts_too_far_apart_are_refused():
    rows = '<row r="1"><c r="GR1"><v>1</v></c></row><row r="99999"><c r="A99999"><v>1</v></c></row>'
    assert refusal(with_sheet(sheet_xml(rows))) == (
        "文件“清单.xlsx”工作表“清单”从 A1 到 GR99999 范围过大，请删去空白的行和列。"
    )


@pytest.mark.parametrize("reference", ["A", "1", "AAAA1", "A99999999", "甲1"])
def test_a_coordinate_no_sheet_has_is_a_damaged_file(reference):
    rows = f'<row r="1"><c r="{reference}"><v>1</v></c></row>'
    assert "已损坏" in refusal(with_sheet(sheet_xml(rows)))


def test_a_cell_longer_than_excel_allows_is_refused_by_its_cell():
    text = "长" * 32_768
    rows = f'<row r="1"><c r="B1" t="inlineStr"><is><t>{text}</t></is></c></row>'
    assert refusal(with_sheet(sheet_xml(rows))) == (
        "文件“清单.xlsx”工作表“清单”单元格 B1：文字超过 32767 个字，请缩短后再导入。"
    )


def test_a_sheet_without_a_part_is_a_damaged_file():
    data = workbook(["甲"])
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        contents = re.sub(rb' \w+:id="\w+"', b"", archive.read("xl/workbook.xml"))
    assert "已损坏" in refusal(repacked(data, {"xl/workbook.xml": contents}))
