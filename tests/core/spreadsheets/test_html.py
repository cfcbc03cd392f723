import pytest

from core.spreadsheets import Merge, Sheet, open_workbook
from tests.core.spreadsheets.refusals import refusal


def sheets(page: str, encoding: str = "utf-8") -> list[Sheet]:
    return open_workbook(page.encode(encoding), "清单.xls").sheets


def only(page: str) -> Sheet:
    (sheet,) = sheets(page)
    return sheet


def texts(rows: str) -> dict[tuple[int, int], str]:
    return only(f"<table>{rows}</table>").texts


def test_spans_become_merged_areas():
    sheet = only(
        "<table><tr><th colspan=3>清单</th></tr><tr><td rowspan=2>甲</td><td>乙</td><td>丙</td></tr>"
        "<tr><td>丁</td><td>戊</td></tr></table>"
    )
    assert sheet.merges == [Merge(1, 1, 1, 3), Merge(2, 1, 3, 1)]
    assert [sheet.value(3, column) for column in (1, 2, 3)] == ["甲", "丁", "戊"]
    assert sheet.merges_known


def test_a_span_ends_with_the_table():
    sheet = only("<table><tr><td rowspan=9>甲</td><td>乙</td></tr><tr><td rowspan=0>丙</td></tr></table>")
    assert sheet.merges == [Merge(1, 1, 2, 1)]


def test_a_wide_cell_ends_where_a_tall_one_stands():
    sheet = only(
        "<table><tr><td>1</td><td>2</td><td rowspan=2>3</td></tr><tr><td colspan=3>4</td></tr></table>"
    )
    assert sheet.merges == [Merge(1, 3, 2, 3), Merge(2, 1, 2, 2)]


def test_rows_and_cells_nobody_closed_are_read():
    assert texts("<tr><td>1<td>2<tr><td>3<td>4") == {(1, 1): "1", (1, 2): "2", (2, 1): "3", (2, 2): "4"}


def test_breaks_and_paragraphs_are_line_breaks_and_those_of_the_source_are_not():
    assert texts(
        "<tr><td><p>第一行</p>\n <p>第二<br/>行</p></td><td>养老\r\n  机构 <b>A\n B</b>&nbsp;</td></tr>"
    ) == {
        (1, 1): "第一行\n第二\n行",
        (1, 2): "养老机构 A B",
    }


def test_characters_written_by_name_or_number_are_read():
    assert texts("<tr><td>&lt;甲&gt; &amp; &#20057;</td></tr>") == {(1, 1): "<甲> & 乙"}


def test_scripts_styles_and_comments_are_ignored():
    assert texts(
        "<script>var a = '<td>坏</td>'</script><tr><td><style>td{}</style>甲<!-- 注 --></td></tr>"
    ) == {(1, 1): "甲"}


def test_words_conditional_marks_are_ignored():
    assert texts("<![if supportMisalignedColumns]><tr><td>甲<o:p></o:p></td></tr><![endif]>") == {
        (1, 1): "甲"
    }


def test_several_tables_are_several_sheets():
    found = sheets(
        "<html><table><tr><td>甲</td></tr></table><p>文字</p><table><tr><td>乙</td></tr></table></html>"
    )
    assert [(sheet.name, sheet.texts) for sheet in found] == [
        ("表格1", {(1, 1): "甲"}),
        ("表格2", {(1, 1): "乙"}),
    ]


def test_a_table_inside_a_cell_is_a_sheet_of_its_own():
    found = sheets("<table><tr><td>外<table><tr><td>内</td></tr></table>部</td></tr></table>")
    assert [sheet.texts for sheet in found] == [{(1, 1): "外部"}, {(1, 1): "内"}]


def test_tables_that_only_hold_others_in_place_are_no_sheets():
    page = "<table><tr><td>&nbsp;<table><tr><td>甲</td></tr></table></td></tr></table><table><tr><td></table>"
    assert [sheet.texts for sheet in sheets(page)] == [{(1, 1): "甲"}]


def test_a_caption_is_the_row_above():
    sheet = only(
        "<table><caption>清单</caption><tr><td>1</td><td rowspan=2>2</td></tr><tr><td>3</td></tr></table>"
    )
    assert sheet.texts == {(1, 1): "清单", (2, 1): "1", (2, 2): "2", (3, 1): "3"}
    assert sheet.merges == [Merge(2, 2, 3, 2)]


def test_hidden_cells_take_no_place_and_hidden_rows_are_noted():
    page = (
        "<table><tr><td rowspan=2>甲</td><td>1</td></tr>"
        "<tr style='height:0; display: none'><td style='display:none'>甲</td><td>2</td></tr></table>"
    )
    book = open_workbook(page.encode(), "清单.xls")
    assert book.sheets[0].texts == {(1, 1): "甲", (1, 2): "1", (2, 2): "2"}
    assert book.notes == ["工作表“表格”的第 2 行是隐藏的，已照常读取，请核对。"]


@pytest.mark.parametrize(
    ("encoding", "declared"), [("gb18030", "gb2312"), ("utf-8", "utf-8"), ("gb18030", "")]
)
def test_the_encoding_is_the_one_the_page_says_or_the_one_that_fits(encoding, declared):
    meta = f'<meta http-equiv="Content-Type" content="text/html; charset={declared}">' if declared else ""
    page = f"<html><head>{meta}</head><body><table><tr><td>养老机构</td></tr></table></body></html>"
    assert sheets(page, encoding)[0].texts == {(1, 1): "养老机构"}


def test_a_page_without_a_table_is_refused():
    assert refusal("<!DOCTYPE html><html><body>登录已过期</body></html>".encode()) == (
        "文件“清单.xlsx”是网页，里面没有表格。"
    )


def test_a_cell_far_to_the_right_is_refused():
    page = "<table><tr>" + "<td colspan=100>甲" * 3
    assert refusal(page.encode()) == (
        "文件“清单.xlsx”工作表“表格”单元格 GS1：超出前 200 列，请删去多余的列。"
    )


@pytest.mark.parametrize(
    "piece",
    [
        "<!--",
        "<a ",
        "<a",
        "<",
        "</",
        "<![CDATA[",
        "<!",
        "<?",
        "&#",
        '<a b="',
        "<a b='x' ",
        "<a/",
        "<script>",
        "<td>&amp",
    ],
)
def test_a_page_of_broken_tags_is_soon_read_or_refused(piece):
    page = "<table><tr><td>甲</td></tr></table>" + piece * 100_000
    assert sheets(page)[0].texts[1, 1] == "甲"


def test_a_page_of_more_tags_than_any_list_has_is_refused():
    assert refusal(b"<table>" + b"<td>" * 500_001) == ("文件“清单.xlsx”的网页内容过多，请只保留表格后再试。")


def test_a_character_of_a_number_without_end_is_refused():
    page = f"<table><tr><td>甲&#{'9' * 5000};</td></tr></table>"
    assert refusal(page.encode()) == "文件“清单.xlsx”的网页内容已损坏，无法读取。"
