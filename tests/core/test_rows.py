import struct
from datetime import datetime

import pytest
from openpyxl import Workbook

from core.errors import DomainError
from core.spreadsheets import rows as module
from core.spreadsheets.rows import open_table, plain_heading
from core.spreadsheets.streaming import NO_RESULT
from tests.factories.matrices import make_workbook, saved
from tests.factories.tables import label, number, old_excel, record, sheet_xml, with_sheet

HEADINGS = {"name": ("机构名称", "名称"), "beds": ("床位数", "核定床位"), "area": ("建筑面积（平方米）",)}


def table(rows, *, header=("机构名称", "床位数"), above=(), required=(), **options):
    data = make_workbook(rows, header=header, above=above, **options)
    with open_table(data, "名录.xlsx", HEADINGS, required=required) as found:
        return found, list(found.lines)


def refusal(data, **options):
    with pytest.raises(DomainError) as refused, open_table(data, "名录.xlsx", HEADINGS, **options) as found:
        list(found.lines)
    return refused.value.message


def test_records_come_with_their_line_number_in_the_order_of_the_columns():
    found, lines = table([["甲院", 10], ["乙院", 20]])
    assert (found.sheet, found.header_line, found.positions) == ("清单", 1, {"name": 1, "beds": 2})
    assert [(line, tuple(cells)) for line, cells in lines] == [(2, ("甲院", 10)), (3, ("乙院", 20))]


def test_the_header_is_found_below_title_lines():
    found, lines = table([["甲院", 10]], above=[["晋江市养老机构名录"], ["填报日期：", "2025年3月"]])
    assert (found.header_line, lines[0][0]) == (3, 4)


@pytest.mark.parametrize(
    "heading", ["核定床位", "床 位\n数", "床位数*", "床位数（必填）", "＊床位数", "床位数(张)", " 床位数："]
)
def test_a_heading_is_known_in_other_spellings(heading):
    found, _ = table([["甲院", 10]], header=["机构名称", heading])
    assert found.positions == {"name": 1, "beds": 2}


def test_a_unit_that_belongs_to_the_heading_is_known_with_and_without_it():
    assert table([["甲", 1, 2]], header=["名称", "床位数", "建筑面积(平方米)"])[0].positions["area"] == 3


def test_columns_nobody_asked_for_are_named():
    found, lines = table([["甲院", "某某", 10]], header=["机构名称", "院 训", "床位数"])
    assert found.unknown == ["院 训"]
    assert tuple(lines[0][1]) == ("甲院", 10)


def test_blank_lines_and_repeated_headers_are_passed_over():
    _, lines = table([["甲院", 10], [None, " "], ["机构名称", "床位数"], [None, None], ["乙院", 20]])
    assert [line for line, _ in lines] == [2, 3, 6]


def test_a_short_line_is_filled_up():
    book = Workbook()
    for row in (["机构名称", "床位数"], ["甲院"]):
        book.active.append(row)
    with open_table(saved(book), "名录.xlsx", HEADINGS) as found:
        assert [tuple(cells) for _, cells in found.lines] == [("甲院", None)]


def test_the_first_sheet_with_a_header_is_read_and_the_others_are_named():
    book = Workbook()
    book.active.title = "说明"
    book.active.append(["请填写名录"])
    sheet = book.create_sheet("名录")
    for row in (["机构名称", "床位数"], ["甲院", 10]):
        sheet.append(row)
    hidden = book.create_sheet("旧", 0)
    hidden.sheet_state = "hidden"
    with open_table(saved(book), "名录.xlsx", HEADINGS) as found:
        assert found.sheet == "名录"
        assert found.notes == ["工作表“旧”是隐藏的，未读取。", "工作表“说明”没有表头，未读取。"]


def test_a_formula_without_its_result_is_told_from_a_blank_cell():
    book = Workbook()
    for row in (["机构名称", "床位数"], ["甲院", "=10*2"]):
        book.active.append(row)
    # Excel keeps the result beside the formula; openpyxl does not.
    with open_table(saved(book), "名录.xlsx", HEADINGS) as found:
        assert [tuple(cells) for _, cells in found.lines] == [("甲院", NO_RESULT)]


def test_merged_cells_give_their_value_to_every_row_they_cover():
    _, lines = table([["甲院", 10], ["乙院", None], ["丙院", None], ["丁院", 5]], merges=["B2:B4"])
    assert [tuple(cells) for _, cells in lines] == [("甲院", 10), ("乙院", 10), ("丙院", 10), ("丁院", 5)]


def test_a_table_without_header_is_refused():
    said = refusal(make_workbook([["甲院", 10]], header=["甲", "乙"], above=()))
    assert said == (
        "文件“名录.xlsx”每张工作表的前30行里都没有找到表头（应有机构名称、床位数、建筑面积（平方米）等列）。"
        "可下载模板对照。"
    )


def test_a_missing_required_column_is_named():
    data = make_workbook([["甲院", 10]], header=["机构名称", "床位数"], above=())
    assert refusal(data, required=["name", "area"]) == (
        "文件“名录.xlsx”工作表“清单”第1行的表头缺少必填列：建筑面积（平方米）。"
    )


def test_a_heading_that_stands_there_twice_is_refused():
    data = make_workbook([["甲", 1, 2]], header=["机构名称", "床位数", "核定床位"], above=())
    assert refusal(data) == "文件“名录.xlsx”工作表“清单”第1行：B、C 两列都是“床位数”，请只留一列。"


def test_too_many_lines_are_refused(monkeypatch):
    monkeypatch.setattr(module, "MAX_LINES", 2)
    data = make_workbook([["甲", 1], ["乙", 2], ["丙", 3]], header=["机构名称", "床位数"], above=())
    assert refusal(data) == "文件“名录.xlsx”工作表“清单”第1行以下超过 2 行，请拆分后分批导入。"


@pytest.mark.parametrize(
    "data", [b"%PDF-1.7", b"PK\x03\x04broken", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1broken"]
)
def test_what_is_no_workbook_is_refused_by_name(data):
    assert refusal(data).startswith("文件“名录.xlsx”")


def test_an_error_of_the_reader_is_not_taken_for_a_damaged_file():
    data = make_workbook([["甲院", 10]], header=["机构名称", "床位数"], above=())
    with pytest.raises(KeyError), open_table(data, "名录.xlsx", HEADINGS) as found:
        {}[next(found.lines)[0]]


def test_headings_are_compared_plainly():
    assert plain_heading("建筑面积 （㎡）\n*") == "建筑面积(m2)"
    assert plain_heading(None) == ""


def read(data, name):
    with open_table(data, name, HEADINGS) as found:
        return [(line, tuple(cells)) for line, cells in found.lines]


def test_old_workbooks_give_numbers_and_dates_as_such_and_errors_by_name():
    raw = "yyyy-mm-dd".encode("utf-16-le")
    styles = record(0x41E, struct.pack("<HHB", 164, len(raw) // 2, 1) + raw)
    styles += record(0xE0, struct.pack("<HH16x", 0, 0)) + record(0xE0, struct.pack("<HH16x", 0, 164))
    cells = label(1, 0, "机构名称") + label(1, 1, "床位数") + label(3, 0, "甲院") + number(3, 1, 10.0)
    cells += number(4, 0, 0.5) + number(4, 1, 45628, 1)
    cells += record(0x205, struct.pack("<HHHBB", 5, 1, 0, 0x17, 1))
    assert read(old_excel(cells, before=styles), "名录.xls") == [
        (4, ("甲院", 10)),
        (5, (0.5, datetime(2024, 12, 2))),
        (6, (None, "#REF!")),
    ]


def test_cells_of_an_old_workbook_out_of_order_are_refused():
    cells = label(0, 0, "机构名称") + label(0, 1, "床位数")
    cells += b"".join(label(40 - row, 0, "甲院") for row in range(30))
    with pytest.raises(DomainError) as refused:
        read(old_excel(cells), "名录.xls")
    assert refused.value.message == (
        "文件“名录.xls”工作表“表1”的单元格没有按行存放，请用 Excel 或 WPS 另存为 .xlsx 后再试。"
    )


def test_a_text_with_delimiters_may_have_more_lines_than_a_matrix():
    text = "机构名称,床位数\n" + "甲院,10\n" * 6000
    assert len(read(text.encode("gb18030"), "名录.csv")) == 6000


def test_a_web_page_is_read_as_a_table():
    page = "<table><tr><th>机构名称<th>床位数<tr><td>甲院<td>10</table>"
    assert read(page.encode(), "名录.xls") == [(2, ("甲院", "10"))]


def test_a_row_beyond_the_end_of_any_sheet_is_refused(monkeypatch):
    monkeypatch.setattr(module, "LAST_LINE", 50)
    heads = '<c t="inlineStr"><is><t>机构名称</t></is></c><c t="inlineStr"><is><t>床位数</t></is></c>'
    rows = f'<row r="1">{heads}</row><row r="99999999999"><c><v>1</v></c></row>'
    assert refusal(with_sheet(sheet_xml(rows))) == (
        "文件“名录.xlsx”工作表“清单”第1行以下的行号超过 50，文件已损坏，请另存为 .xlsx 再试。"
    )
