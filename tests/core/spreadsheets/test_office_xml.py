import pytest

from core.spreadsheets import Merge, Workbook, open_workbook
from tests.core.spreadsheets.refusals import refusal

PAGE = """<?xml version="1.0" encoding="%s"?><?mso-application progid="Excel.Sheet"?>
<Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet" xmlns:x="urn:schemas-microsoft-com:office:excel"
 xmlns:ss="urn:schemas-microsoft-com:office:spreadsheet" xmlns:html="http://www.w3.org/TR/REC-html40">
<Styles><Style ss:ID="p"><NumberFormat ss:Format="0%%"/></Style></Styles>%s</Workbook>"""


def sheet(rows: str, title: str = "清单", after: str = "") -> str:
    return f'<Worksheet ss:Name="{title}"><Table>{rows}</Table>{after}</Worksheet>'


def read(*worksheets: str, encoding: str = "utf-8") -> Workbook:
    return open_workbook((PAGE % (encoding, "".join(worksheets))).encode(encoding), "清单.xls")


def cell(text: str, kind: str = "String", more: str = "") -> str:
    return f'<Cell{more}><Data ss:Type="{kind}">{text}</Data></Cell>'


def test_texts_stand_where_rows_and_cells_say():
    there = cell("丙", more=' ss:Index="4"')
    rows = f'<Row>{cell("甲")}</Row><Row ss:Index="4">{cell("乙")}{there}</Row>'
    assert read(sheet(rows)).sheets[0].texts == {(1, 1): "甲", (4, 1): "乙", (4, 4): "丙"}


def test_merged_areas_are_read():
    merged = cell("甲", more=' ss:MergeAcross="1" ss:MergeDown="2"')
    (found,) = read(sheet(f"<Row>{merged}{cell('乙')}</Row>")).sheets
    assert (found.texts, found.merges) == ({(1, 1): "甲", (1, 3): "乙"}, [Merge(1, 1, 3, 2)])
    assert found.merges_known


@pytest.mark.parametrize(
    ("kind", "text", "shown"),
    [
        ("Number", "3", "3"),
        ("Number", "0.50", "0.5"),
        ("DateTime", "2024-12-02T00:00:00.000", "2024-12-02"),
        ("DateTime", "2024-12-02T09:30:00.000", "2024-12-02 09:30:00"),
        ("Boolean", "1", "是"),
        ("String", "<html:B>粗</html:B>体&#10;行", "粗体\n行"),
    ],
)
def test_values_become_the_text_a_reader_sees(kind, text, shown):
    assert read(sheet(f"<Row>{cell(text, kind)}</Row>")).sheets[0].texts == {(1, 1): shown}


def test_a_percentage_keeps_its_sign():
    share = cell("0.4", "Number", ' ss:StyleID="p"')
    assert read(sheet(f"<Row>{share}</Row>")).sheets[0].texts == {(1, 1): "40%"}


def test_formulas_hidden_rows_and_hidden_sheets_are_noted():
    options = "<x:WorksheetOptions><x:Visible>SheetHidden</x:Visible></x:WorksheetOptions>"
    sum_ = cell("3", "Number", ' ss:Formula="=1+2"')
    hidden = f'<Row ss:Hidden="1">{sum_}</Row>'
    book = read(sheet(hidden), sheet(f"<Row>{cell('乙')}</Row>", "底稿", options))
    assert [found.name for found in book.sheets] == ["清单"]
    assert book.notes == [
        "工作表“底稿”是隐藏的，未读取。",
        "工作表“清单”的 A1是公式，按文件中保存的结果读取，请核对。",
        "工作表“清单”的第 1 行是隐藏的，已照常读取，请核对。",
    ]


def test_the_encoding_is_the_one_that_fits():
    assert read(sheet(f"<Row>{cell('养老')}</Row>"), encoding="gb2312").sheets[0].texts == {(1, 1): "养老"}


def test_an_error_value_is_refused_by_its_cell():
    data = PAGE % ("utf-8", sheet(f"<Row>{cell('#REF!', 'Error')}</Row>"))
    assert refusal(data.encode()) == (
        "文件“清单.xlsx”工作表“清单”单元格 A1：是错误值 #REF!，请更正后再导入。"
    )


def test_a_document_type_is_refused():
    bomb = '<!DOCTYPE a [<!ENTITY b "bb">]>'
    data = (PAGE % ("utf-8", sheet("<Row/>"))).replace("<Workbook", bomb + "<Workbook", 1)
    assert refusal(data.encode()) == "文件“清单.xlsx”含有不允许的声明，不予读取。"


def test_a_damaged_file_is_refused():
    data = (PAGE % ("utf-8", sheet("<Row>"))).encode()
    assert refusal(data) == "文件“清单.xlsx”已损坏，无法读取。请用 Excel 或 WPS 打开后另存为 .xlsx 再试。"
