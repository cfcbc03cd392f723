import json

import pytest

from core.errors import DomainError
from core.spreadsheets import open_workbook
from scenarios.enums import STANDARD_COLUMNS, ColumnRole
from scenarios.services.reading import Reading, plain, read_matrix
from tests.factories.matrices import HEADER, JINJIANG, ROOT, THEME, make_workbook, printed


@pytest.fixture(scope="module")
def jinjiang() -> Reading:
    return read_matrix(open_workbook(JINJIANG.read_bytes(), JINJIANG.name))


@pytest.fixture(scope="module")
def expected() -> dict:
    return json.loads((ROOT / "tests/data/jinjiang-matrix.json").read_text(encoding="utf-8"))


def read(*rows, **sheet) -> Reading:
    return read_matrix(open_workbook(make_workbook(rows, **sheet), "清单.xlsx"))


def refusal(*rows, **sheet) -> str:
    with pytest.raises(DomainError) as caught:
        read(*rows, **sheet)
    return caught.value.message


def test_the_jinjiang_attachment_reads_cell_by_cell(jinjiang, expected):
    columns = ["序号", "情形", "条线", "检查事项", "检查实施部门", "处罚事项", "处罚实施部门"]
    assert [[row.text(column) for column in STANDARD_COLUMNS] for row in jinjiang.rows] == [
        [str(row[column]) for column in columns] for row in expected["rows"]
    ]


def test_the_jinjiang_attachment_leaves_no_question(jinjiang):
    assert jinjiang.problems == []


def test_the_jinjiang_title_names_theme_and_lead(jinjiang):
    assert jinjiang.title == "“养老服务机构监管一件事”场景情形配置"
    assert jinjiang.theme == "养老服务机构基础安全监管一件事"
    assert (jinjiang.lead.text, jinjiang.lead.cell) == ("市民政局", "E2")


def test_rows_after_a_page_break_inherit_nothing_from_the_page_before(jinjiang):
    sectors = {row.text(ColumnRole.NUMBER): row.text(ColumnRole.SECTOR) for row in jinjiang.rows}
    assert [sectors[number] for number in ("13", "14", "15")] == ["住房城乡建设", "市场监管", "市场监管"]
    assert [sectors[number] for number in ("19", "20", "23")] == ["市场监管", "消防救援", "消防救援"]


def test_the_jinjiang_layout_keeps_merges_and_repeated_headers(jinjiang, expected):
    layout = jinjiang.layout()
    order = ["序号", "一件事情形", "条线", "对应的行政检查事项名称", "实施部门(检查)"]
    assert layout["merges"] == sorted(
        [
            merge["from_row"] - 1,
            order.index(merge["column"]),
            merge["to_row"] - 1,
            order.index(merge["column"]),
        ]
        for merge in expected["merges"]
    )
    assert layout["repeat_header_after"] == [10, 18]
    assert [column["text"] for column in layout["columns"]] == expected["header_cells_as_published"]
    assert layout["title"][1] == [
        {"text": "主题：养老服务机构基础安全监管一件事", "colspan": 4},
        {"text": "牵头部门：市民政局", "colspan": 3},
    ]


def test_a_row_left_out_closes_the_merges_over_it(jinjiang):
    left_out = {row.line for row in jinjiang.rows if row.text(ColumnRole.NUMBER) in ("10", "16", "19")}
    merges = jinjiang.layout(left_out)["merges"]
    # 10–11 and 15–16 became single rows; the fire rows 20–28 moved up by three.
    assert [merge for merge in merges if merge[1] == 1] == [[16, 1, 24, 1]]
    assert jinjiang.layout(left_out)["repeat_header_after"] == [9, 15]


def test_spaces_and_line_breaks_inside_headings_do_not_matter():
    header = [
        "序 号",
        "一件事\n情形",
        "条线",
        "对应的行政\n检查事项名称",
        "实施 部门",
        "对应的行政处罚事项名称",
        "实施\n部门",
    ]
    (row,) = read(printed(), header=header).rows
    assert row.text(ColumnRole.CHECK_DEPARTMENT) == "民政局"


def test_two_columns_of_one_name_are_told_apart_by_the_item_before_them():
    (row,) = read(printed(by="民政局", body="市场监管局")).rows
    assert row.text(ColumnRole.CHECK_DEPARTMENT) == "民政局"
    assert row.text(ColumnRole.PENALTY_DEPARTMENT) == "市场监管局"


def test_columns_may_stand_in_another_order():
    header = ["条线", "序号", "处罚事项", "实施部门", "一件事情形", "检查事项", "实施部门"]
    (row,) = read(["民政", 1, "处罚甲", "消防部门", "情形甲", "检查甲", "民政局"], header=header).rows
    assert [row.text(column) for column in STANDARD_COLUMNS] == [
        "1", "情形甲", "民政", "检查甲", "民政局", "处罚甲", "消防部门",
    ]  # fmt: skip


def test_a_missing_column_is_named_with_its_row():
    header = [*HEADER[:2], None, *HEADER[3:]]
    assert refusal(printed(), header=header) == "文件“清单.xlsx”工作表“清单”第 2 行的表头缺少：条线。"


def test_a_sheet_without_a_header_is_refused():
    assert refusal(["甲", "乙"], header=[], above=[]).startswith("文件“清单.xlsx”里没有找到事项清单的表头")


def test_a_header_without_rows_is_refused():
    assert refusal() == "文件“清单.xlsx”工作表“清单”的表头下面没有事项。"


@pytest.mark.parametrize(
    ("cell", "column", "where"),
    [
        ("situation", ColumnRole.SITUATION, "B4"),
        ("sector", ColumnRole.SECTOR, "C4"),
        ("number", ColumnRole.NUMBER, "A4"),
        ("body", ColumnRole.PENALTY_DEPARTMENT, "G4"),
    ],
)
def test_a_blank_cell_without_a_merge_is_a_problem_not_a_copy_of_the_row_above(cell, column, where):
    reading = read(printed(), printed(**({"number": 2} | {cell: None})))
    (problem,) = reading.problems
    assert (problem.sheet, problem.cell, problem.lines) == ("清单", where, (4,))
    assert problem.reason == f"“{column.label}”空白，且不是合并单元格，不能推断"
    assert reading.rows[1].text(column) == ""


def test_a_merged_area_without_a_text_is_a_problem_in_each_row():
    reading = read(printed(sector=None), printed(number=2, sector=None), merges=["C3:C4"])
    assert [(problem.cell, problem.reason) for problem in reading.problems] == [
        ("C3", "“条线”空白，不能推断"),
        ("C4", "“条线”空白，不能推断"),
    ]


def test_a_row_without_any_penalty_asks_whether_none_is_meant():
    (problem,) = read(printed(penalty=None, body=None)).problems
    assert (problem.cell, problem.key) == ("F3", "penalty:3")


@pytest.mark.parametrize("mark", ["/", "无", "—"])
def test_a_printed_mark_for_no_penalty_is_no_problem(mark):
    assert read(printed(penalty=mark, body=None)).problems == []


def test_a_number_used_twice_is_a_problem():
    (problem,) = read(printed(), printed()).problems
    assert (problem.cell, problem.text, problem.reason) == ("A4", "1", "序号与第 3 行重复")


def test_cells_merged_across_columns_are_a_problem():
    reading = read(printed(situation="民政", sector=None), merges=["B3:C3"])
    assert [(problem.cell, problem.reason) for problem in reading.problems] == [
        ("B3", "跨列合并，无法确定属于哪一列"),
        ("B3", "跨列合并，无法确定属于哪一列"),
    ]


def test_a_heading_between_the_rows_is_asked_about():
    reading = read(["一、民政领域"], printed(), merges=["A3:G3"])
    (problem,) = reading.problems
    assert (problem.cell, problem.text, problem.key) == ("A3", "一、民政领域", "row:3")
    assert [row.line for row in reading.rows] == [4]


def test_a_note_below_the_table_is_asked_about_rather_than_dropped():
    reading = read(printed(), [None], ["注：本表自发布之日起施行。"])
    (problem,) = reading.problems
    assert (problem.cell, problem.text) == ("A5", "注：本表自发布之日起施行。")


def test_a_text_too_long_for_its_column_is_a_problem():
    (problem,) = read(printed(sector="条" * 65)).problems
    assert (problem.cell, problem.reason) == ("C3", "“条线”超过 64 个字")


def test_texts_are_kept_as_printed_inside_the_cell():
    (row,) = read(printed(check="人员资质\n检查")).rows
    assert row.text(ColumnRole.CHECK) == "人员资质\n检查"


def test_names_are_matched_without_the_spaces_of_their_cells():
    assert plain("人员资质\n 检查 A B") == "人员资质检查A B"


def test_without_theme_and_lead_above_they_are_left_open():
    reading = read(printed(), above=[["附件"]])
    assert (reading.title, reading.theme, reading.lead) == ("附件", "", None)


def test_a_second_sheet_with_a_matrix_is_asked_about():
    from_two = make_workbook([printed()])
    book = open_workbook(from_two, "清单.xlsx")
    book.sheets.append(open_workbook(make_workbook([printed()], sheet="另一张"), "清单.xlsx").sheets[0])
    (problem,) = read_matrix(book).problems
    assert (problem.sheet, problem.cell, problem.key) == ("另一张", "A2", "sheet:另一张")


def test_the_theme_row_is_not_a_header():
    assert read(printed(), above=[THEME, THEME]).header.top == 3


def test_a_repeated_header_with_a_misprint_is_still_no_row():
    reading = read(printed(), [*HEADER[:4], "责任部门", *HEADER[5:]], printed(number=2))
    assert [row.line for row in reading.rows] == [3, 5]
    assert (reading.repeats, reading.problems) == ([4], [])
