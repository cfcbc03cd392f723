import io
from datetime import date

import openpyxl
import pytest

from core.spreadsheets import write_table


def read(data: bytes):
    return openpyxl.load_workbook(io.BytesIO(data)).active


def test_a_table_has_its_headings_and_its_values():
    sheet = read(write_table("事项", {"名称": 20, "天数": 8}, [["检查", 10], ["检查二", None]]))
    assert (sheet.title, sheet.freeze_panes) == ("事项", "A2")
    assert list(sheet.values) == [("名称", "天数"), ("检查", 10), ("检查二", None)]
    assert sheet.column_dimensions["A"].width == 20


def test_a_text_is_never_a_formula():
    cell = read(write_table("事项", {"名称": 20}, [["=HYPERLINK(1)"]]))["A2"]
    assert (cell.value, cell.data_type) == ("=HYPERLINK(1)", "s")


def test_a_date_stays_a_date():
    assert read(write_table("事项", {"自": 12}, [[date(2024, 12, 2)]]))["A2"].value.date() == date(
        2024, 12, 2
    )


def test_a_long_title_is_cut_to_what_a_sheet_may_be_called():
    assert read(write_table("长" * 40, {"名称": 20}, [])).title == "长" * 31


@pytest.mark.parametrize("text", ["=1+1", "+86", "-1", "@A1", "#N/A", "1.10"])
def test_a_text_stays_a_text_whatever_it_begins_with(text):
    cell = read(write_table("事项", {"名称": 20}, [[text]]))["A2"]
    assert (cell.value, cell.data_type) == (text, "s")


def test_a_control_character_does_not_stop_the_table():
    assert read(write_table("事项", {"名称": 20}, [["甲\x0b乙\n丙\x00\ufffe"]]))["A2"].value == "甲乙\n丙"
