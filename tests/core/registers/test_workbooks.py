import io

import pytest
from openpyxl import load_workbook

from core.registers import workbooks
from tests.core.registers.counters import HEADER, CounterRegister, make_ready
from tests.factories.matrices import saved

pytestmark = pytest.mark.django_db

COLUMNS = CounterRegister().columns("user:1")


def opened(book):
    return load_workbook(io.BytesIO(saved(book)))


def rows(sheet):
    return [[cell.value for cell in row] for row in sheet.iter_rows()]


def test_the_template_has_the_headings_and_explains_each_column():
    book = opened(workbooks.template(CounterRegister(), COLUMNS))
    assert rows(book["编号簿"]) == [["发文单位*", "文书*", "年度*", "末号"]]
    explained = rows(book["填写说明"])
    assert explained[1] == ["发文单位", "必填", "文字，最多20字", "晋江市民政局", None]
    assert explained[2] == ["文书", "必填", "填：通知书 / 笔录", None, None]
    assert explained[3][4] == "也可写作：年份。"
    assert explained[4] == ["末号", "选填", "整数，0至1000", None, "最后用掉的号。"]


def test_the_template_offers_choices_as_a_list():
    sheet = opened(workbooks.template(CounterRegister(), COLUMNS))["编号簿"]
    assert [offered.formula1 for offered in sheet.data_validations.dataValidation] == ['"通知书,笔录"']


def test_a_filled_in_template_is_read():
    book = workbooks.template(CounterRegister(), COLUMNS)
    for column, value in enumerate(["民政局", "笔录", "2025", "3"], start=1):
        book.active.cell(2, column, value)
    assert make_ready([], data=saved(book)).new == 1


def test_faulty_rows_come_back_with_the_wrong_cells_marked():
    run = make_ready([["民政局", "通知书", 2025, 1], ["民政局", "公告", 2025, "许多"], ["甲", "笔录", "", 2]])
    sheet = opened(workbooks.faulty_rows(run, CounterRegister()))["有误的行"]
    assert rows(sheet) == [
        ["原行号", "错误", *HEADER],
        [3, "文书：应为通知书 / 笔录之一；末号：应为数字", "民政局", "公告", 2025, "许多"],
        [4, "年度：必填，不能为空", "甲", "笔录", None, 2],
    ]
    wrong = [cell.coordinate for row in sheet.iter_rows(min_row=2) for cell in row if cell.comment]
    assert wrong == ["D2", "F2", "E3"]
    assert {sheet[place].fill.fgColor.rgb for place in wrong} == {"00FFC7CE"}
    assert sheet["D2"].comment.text == "应为通知书 / 笔录之一"


def test_the_returned_rows_can_be_corrected_and_imported_as_they_are():
    run = make_ready([["民政局", "公告", 2025, 1]])
    book = opened(workbooks.faulty_rows(run, CounterRegister()))
    book.active["D2"] = "笔录"
    assert make_ready([], data=saved(book)).new == 1


def test_a_cell_with_a_control_character_comes_back_without_it():
    run = make_ready([["民政局", "公告", 2025, 1]])
    run.rows.update(errors={"kind": ["公\x0b告", "不认识“公\x0b告”"]})
    sheet = opened(workbooks.faulty_rows(run, CounterRegister())).active
    assert [sheet[place].value for place in ("B2", "D2")] == ["文书：不认识“公告”", "公告"]


def test_an_endless_list_of_errors_is_cut_and_says_so(monkeypatch):
    monkeypatch.setattr(workbooks, "MOST_FAULTY", 1)
    run = make_ready([["民政局", "公告", 2025, 1], ["民政局", "公告", 2026, 1]])
    sheet = opened(workbooks.faulty_rows(run, CounterRegister())).active
    assert sheet["B3"].value == "只列出前 1 行，共 2 行有误；更正后重新上传可看其余。"


def test_an_export_is_read_back_as_it_is():
    values = [
        {"issuer": "民政局", "kind": "NOTICE", "year": 2025, "last": 3},
        {"issuer": "=cmd", "kind": "RECORD"},
    ]
    book = workbooks.export("编号簿", COLUMNS, values)
    sheet = load_workbook(io.BytesIO(book)).active
    assert rows(sheet) == [HEADER, ["民政局", "通知书", 2025, 3], ["=cmd", "笔录", None, None]]
    assert sheet["A3"].data_type == "s"


def test_a_control_character_does_not_stop_an_export():
    book = workbooks.export("编号簿", COLUMNS, [{"issuer": "民政\x0b局", "kind": "NOTICE"}])
    assert load_workbook(io.BytesIO(book)).active["A2"].value == "民政局"
