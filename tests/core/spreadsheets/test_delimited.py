import pytest

from core.spreadsheets import Sheet, open_pasted, open_workbook
from tests.core.spreadsheets.refusals import refusal
from tests.factories.matrices import ROOT

PASTED = ROOT / "tests" / "data" / "jinjiang-pasted.txt"


def read(text: str | bytes, name: str = "清单.csv") -> Sheet:
    data = text.encode() if isinstance(text, str) else text
    (sheet,) = open_workbook(data, name).sheets
    return sheet


def pasted(text: str) -> dict[tuple[int, int], str]:
    (sheet,) = open_pasted(text).sheets
    return sheet.texts


def grid(*rows: list[str]) -> dict[tuple[int, int], str]:
    return {(r, c): text for r, row in enumerate(rows, 1) for c, text in enumerate(row, 1) if text}


@pytest.mark.parametrize("delimiter", [",", "\t", ";", "|"])
def test_the_delimiter_is_found(delimiter):
    rows = [["序号", "事项", "部门"], ["1", "消防", "民政局"], ["2", "", "人社局"]]
    assert read("\n".join(delimiter.join(row) for row in rows)).texts == grid(*rows)


def test_the_delimiter_is_not_one_that_also_stands_inside_cells():
    rows = [["序号", "比例", "部门"], ["1", "40%;每年1次", "民政局"], ["2", "5%;每年1次", "人社局"]]
    assert read("\n".join(",".join(row) for row in rows)).texts == grid(*rows)
    assert read("\n".join("\t".join([*row[:2], "甲,乙,丙,丁"]) for row in rows)).last_column == 3


def test_a_title_above_does_not_hide_the_delimiter():
    assert read("养老服务事项清单\n\n序号;事项\n1;消防\n").texts == {
        (1, 1): "养老服务事项清单",
        (3, 1): "序号",
        (3, 2): "事项",
        (4, 1): "1",
        (4, 2): "消防",
    }


def test_excels_own_line_names_the_delimiter():
    assert read("sep=;\n甲,乙;丙\n").texts == grid(["甲,乙", "丙"])


def test_a_cell_in_quotes_may_have_line_breaks_delimiters_and_quotes():
    assert read('1,"第一行\r\n第二行, ""引用""",3\r\n4,5,6\r\n').texts == grid(
        ["1", '第一行\n第二行, "引用"', "3"], ["4", "5", "6"]
    )


def test_a_quote_that_encloses_only_part_of_a_cell_is_text():
    assert read('1,"双随机"抽查\n2,民政"局"\n').texts == grid(["1", '"双随机"抽查'], ["2", '民政"局"'])


def test_a_quote_never_closed_is_refused_by_its_line():
    assert refusal('1,甲\n2,"乙\n3,丙\n'.encode(), "清单.csv") == (
        "文件“清单.csv”第 2 行的引号没有成对，请更正后再试。"
    )


def test_rows_of_unequal_width_are_kept():
    assert read("1,2,3\n4\n5,6,\n,8").texts == grid(["1", "2", "3"], ["4"], ["5", "6"], ["", "8"])


def test_nobody_knows_which_cells_were_merged():
    assert not read("1,2\n3,4").merges_known


@pytest.mark.parametrize("name", ["清单.csv", "清单.tsv", "清单.txt"])
def test_a_single_column_is_a_table_when_the_name_says_so(name):
    assert read("甲\n乙\n", name).texts == grid(["甲"], ["乙"])


def test_a_table_called_xls_is_read_by_what_it_is():
    assert read("序号\t事项\n1\t消防\n", "清单.xls").texts == grid(["序号", "事项"], ["1", "消防"])


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030"])
def test_the_encoding_is_found(encoding):
    assert read("序号,事项\n1,养老机构㐀\n".encode(encoding)).texts == grid(
        ["序号", "事项"], ["1", "养老机构㐀"]
    )


def test_bytes_of_no_encoding_are_refused_by_their_line():
    data = "序号,事项\n1,消防\n2,".encode() + b"\xff\xff\n"
    assert refusal(data, "清单.csv") == (
        "文件“清单.csv”第 3 行有无法识别的字节（既不是 UTF-8 也不是 GB18030 编码），"
        "请另存为 .xlsx 或 UTF-8 编码的 .csv 后再试。"
    )


def test_half_a_character_after_a_byte_order_mark_is_refused():
    assert refusal("﻿甲,乙".encode("utf-16-le")[:-1], "清单.csv") == (
        "文件“清单.csv”的文字编码已损坏，请另存为 UTF-8 编码后再试。"
    )


def test_a_cell_longer_than_excel_allows_is_refused_by_its_cell():
    assert refusal(f"1,{'长' * 32_768}\n".encode(), "清单.csv") == (
        "文件“清单.csv”工作表“表格”单元格 B1：文字超过 32767 个字，请缩短后再导入。"
    )


def test_the_jinjiang_table_pasted_from_a_pdf_keeps_its_rows():
    (sheet,) = open_pasted(PASTED.read_text(encoding="utf-8")).sheets
    assert sheet.last_column == 7
    assert [line for line in sheet.lines if sheet.value(line, 1) == "序号"] == [2, 15, 27]
    assert [sheet.value(line, 1) for line in sheet.lines if sheet.value(line, 1).isdigit()] == [
        str(number) for number in range(1, 29)
    ]
    assert sheet.value(20, 3) == "市场监管"
    assert not sheet.merges_known


def test_a_pasted_cell_of_several_lines_is_one_cell():
    assert pasted('1\t"第一行\n""第二""行"\t3\r\n4\t5\t6') == grid(
        ["1", '第一行\n"第二"行', "3"], ["4", "5", "6"]
    )


def test_quotes_excel_did_not_add_stay_in_a_pasted_cell():
    assert pasted('1\t"双随机"\n2\t"一件事"清单\n3\t"只有一个') == grid(
        ["1", '"双随机"'], ["2", '"一件事"清单'], ["3", '"只有一个']
    )


@pytest.mark.parametrize(
    "text",
    [
        "| 序号 | 事项 |\n|---|:--:|\n| 1 | 消防 |",
        "序号 | 事项\n--- | ---\n1 | 消防",
        "  |序号|事项|\n\n  |1|消防|\n",
        "序号|事项\n1|消防",
    ],
)
def test_cells_may_be_separated_by_bars(text):
    assert pasted(text) == grid(["序号", "事项"], ["1", "消防"])


def test_a_bar_that_belongs_to_the_text_and_a_break_are_read_in_markdown():
    assert pasted("| 1 | 甲\\|乙<br>丙 |\n| 2 | |") == grid(["1", "甲|乙\n丙"], ["2"])


def test_a_single_pasted_column_is_read():
    assert pasted("甲\n乙") == grid(["甲"], ["乙"])
