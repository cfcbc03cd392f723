"""The streaming reader against openpyxl, and what it does with sheets nobody wrote by hand."""

import io
import zipfile
from datetime import date, datetime

import pytest
from openpyxl import Workbook, load_workbook
from openpyxl.cell.rich_text import CellRichText, TextBlock
from openpyxl.cell.text import InlineFont

from core.errors import DomainError
from core.spreadsheets import streaming
from core.spreadsheets.archive import Limits
from core.spreadsheets.streaming import stream_xlsx
from tests.factories.matrices import saved

SHEET = (
    '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>{}</sheetData>'
    "{}</worksheet>"
)


def streamed(data, notes=None):
    """Title and rows of each visible sheet."""
    notes = [] if notes is None else notes
    return [(title, list(rows)) for title, _, rows in stream_xlsx(data, "名录.xlsx", notes, Limits())]


def workbook_of(rows_xml, after=""):
    """A workbook whose only sheet holds this XML."""
    book = Workbook()
    data = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(saved(book))) as old, zipfile.ZipFile(data, "w") as new:
        for member in old.namelist():
            content = SHEET.format(rows_xml, after) if "sheet1" in member else old.read(member)
            new.writestr(member, content)
    return data.getvalue()


def test_values_are_those_openpyxl_reads():
    book = Workbook()
    sheet = book.active
    sheet.append(
        ["甲院", 80, 4860.5, True, date(2024, 5, 1), datetime(2024, 5, 1, 9, 30), None, 0, "  空格 "]
    )
    sheet.append([None, None, "第二行", -1e-7, 1.5e20])
    sheet["B4"] = "隔一行"
    data = saved(book)
    theirs = [list(row) for row in load_workbook(io.BytesIO(data)).active.iter_rows(values_only=True)]
    ((_, mine),) = streamed(data)
    assert [row + [None] * (9 - len(row)) for row in mine] == theirs


def test_runs_of_different_fonts_are_one_text():
    book = Workbook()
    book.active["A1"] = CellRichText(["晋江市", TextBlock(InlineFont(b=True), "民政局")])
    assert streamed(saved(book)) == [("Sheet", [["晋江市民政局"]])]


def test_shared_strings_and_results_of_formulas_are_read():
    rows = (
        '<row r="1"><c r="A1" t="str"><f>B1&amp;"院"</f><v>甲院</v></c><c r="B1"><f>40*2</f><v>80</v></c>'
        '<c r="C1" t="str"><f>""</f><v></v></c><c r="D1" t="e"><v>#N/A</v></c><c r="E1"><f>1+1</f></c></row>'
    )
    assert streamed(workbook_of(rows)) == [("Sheet", [["甲院", 80, None, "#N/A", streaming.NO_RESULT]])]


def test_cells_and_rows_need_no_references():
    assert streamed(workbook_of("<row><c><v>1</v></c><c><v>2</v></c></row><row><c><v>3</v></c></row>")) == [
        ("Sheet", [[1, 2], [3]])
    ]


def test_tags_with_a_prefix_are_the_same_tags():
    data = workbook_of('<row r="1"><c r="A1"><v>1</v></c></row>')
    with zipfile.ZipFile(io.BytesIO(data)) as old:
        sheet = old.read("xl/worksheets/sheet1.xml").decode()
    prefixed = sheet.replace("<", "<x:").replace("<x:/", "</x:").replace("xmlns=", "xmlns:x=")
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w") as new:
        for member in old.namelist():
            new.writestr(member, prefixed if "sheet1" in member else old.read(member))
    assert streamed(out.getvalue()) == [("Sheet", [[1]])]


def test_phonetic_guides_are_no_part_of_the_text():
    rows = '<row r="1"><c r="A1" t="inlineStr"><is><t>晋江</t><rPh sb="0" eb="2"><t>jinjiang</t></rPh></is></c></row>'
    assert streamed(workbook_of(rows)) == [("Sheet", [["晋江"]])]


def test_a_date_no_calendar_has_stays_a_number():
    book = Workbook()
    book.active["A1"] = date(2024, 5, 1)
    data = saved(book)
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w") as new:
        for member in old.namelist():
            content = old.read(member)
            new.writestr(
                member, content.replace(b">45413<", b">999999999<") if "sheet1" in member else content
            )
    assert streamed(out.getvalue()) == [("Sheet", [[999999999.0]])]


def test_merged_areas_are_filled_across_columns_too():
    book = Workbook()
    book.active["A1"] = "甲"
    book.active["D3"] = "末"
    book.active.merge_cells("A1:B2")
    assert streamed(saved(book)) == [("Sheet", [["甲", "甲"], ["甲", "甲"], [None, None, None, "末"]])]


def test_hidden_sheets_are_passed_over_and_named():
    book = Workbook()
    book.active["A1"] = "甲"
    book.create_sheet("旧").sheet_state = "hidden"
    notes = []
    assert [title for title, _ in streamed(saved(book), notes)] == ["Sheet"]
    assert notes == ["工作表“旧”是隐藏的，未读取。"]


def test_too_many_merged_cells_are_refused(monkeypatch):
    monkeypatch.setattr(streaming, "MOST_COVERED", 3)
    book = Workbook()
    book.active["A1"] = "甲"
    book.active.merge_cells("A1:B2")
    with pytest.raises(DomainError, match="合并的单元格过多"):
        streamed(saved(book))


@pytest.mark.parametrize(
    "rows",
    ['<row r="2"/><row r="1"/>', '<row r="x"/>', "<row", '<row r="1"><c r="A1" t="s"><v>7</v></c></row>'],
)
def test_a_damaged_sheet_is_not_read_as_something_else(rows):
    with pytest.raises(Exception):  # noqa: B017 - whatever the parser makes of it; rows.py says it in words
        streamed(workbook_of(rows))
