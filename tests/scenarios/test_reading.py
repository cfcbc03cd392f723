import json

import pytest

from core.errors import DomainError
from core.spreadsheets import open_workbook
from scenarios.enums import STANDARD_COLUMNS, ColumnRole
from scenarios.services.importing.headings import plain
from scenarios.services.importing.reading import Reading, read_matrix
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
    assert [line.texts for line in jinjiang.lines] == [
        [str(row[column]) for column in columns] for row in expected["rows"]
    ]


def test_the_jinjiang_attachment_leaves_no_question(jinjiang):
    assert jinjiang.problems == []


def test_the_jinjiang_title_names_theme_and_lead(jinjiang):
    assert jinjiang.title == "“养老服务机构监管一件事”场景情形配置"
    assert jinjiang.theme == "养老服务机构基础安全监管一件事"
    assert (jinjiang.lead.text, jinjiang.lead.cell) == ("市民政局", "E2")


def test_rows_after_a_page_break_inherit_nothing_from_the_page_before(jinjiang):
    sectors = {line.texts[0]: line.texts[2] for line in jinjiang.lines}
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
    left_out = {line.line for line in jinjiang.lines if line.texts[0] in ("10", "16", "19")}
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
    reading = read(printed(), header=header)
    assert reading.text(reading.lines[0], ColumnRole.CHECK_DEPARTMENT) == "民政局"


def test_the_heading_printed_again_makes_no_parts_of_one_departments_column():
    reading = read(printed(), HEADER, printed(number=2))
    assert reading.header.roles == list(STANDARD_COLUMNS)


def test_two_columns_of_one_name_are_told_apart_by_the_item_before_them():
    reading = read(printed(by="民政局", body="市场监管局"))
    (line,) = reading.lines
    assert reading.text(line, ColumnRole.CHECK_DEPARTMENT) == "民政局"
    assert reading.text(line, ColumnRole.PENALTY_DEPARTMENT) == "市场监管局"


def test_columns_may_stand_in_another_order():
    header = ["条线", "序号", "处罚事项", "实施部门", "一件事情形", "检查事项", "实施部门"]
    reading = read(["民政", 1, "处罚甲", "消防部门", "情形甲", "检查甲", "民政局"], header=header)
    assert [reading.text(reading.lines[0], column) for column in STANDARD_COLUMNS] == [
        "1", "情形甲", "民政", "检查甲", "民政局", "处罚甲", "消防部门",
    ]  # fmt: skip


def test_columns_that_are_missing_are_no_hindrance():
    header = [*HEADER[:2], None, *HEADER[3:]]
    reading = read([*printed()[:2], None, *printed()[3:]], header=header)
    assert ColumnRole.SECTOR not in reading.header.roles
    assert (reading.problems, len(reading.lines)) == ([], 1)


def test_a_sheet_without_a_header_is_refused():
    assert refusal(["甲", "乙"], header=[], above=[]).startswith("“清单.xlsx”里没有找到事项清单的表头")


def test_a_header_without_rows_is_refused():
    assert refusal() == "文件“清单.xlsx”工作表“清单”的表头下面没有事项。"


def test_what_is_blank_without_a_merge_stays_blank():
    reading = read(printed(), printed(number=2, sector=None))
    assert [line.texts[2] for line in reading.lines] == ["民政", ""]


@pytest.mark.parametrize(("mark", "nothing"), [("/", True), ("无", True), ("—", True), ("处罚甲", False)])
def test_a_printed_mark_says_that_no_penalty_is_listed(mark, nothing):
    reading = read(printed(penalty=mark, body=None))
    assert reading.lists_nothing(reading.lines[0]) is nothing


def test_a_number_used_twice_is_noted_and_kept():
    reading = read(printed(), printed())
    assert reading.notes == ["第 4 行的序号“1”与第 3 行重复，按原样保留。"]
    assert (len(reading.lines), reading.problems) == (2, [])


def test_cells_merged_across_columns_are_a_problem():
    reading = read(printed(situation="民政", sector=None), merges=["B3:C3"])
    assert [(problem.cell, problem.key, problem.reason) for problem in reading.problems] == [
        ("B3", "cell:B3", "跨列合并，无法确定属于哪一列"),
        ("B3", "cell:C3", "跨列合并，无法确定属于哪一列"),
    ]


def test_a_heading_between_the_rows_is_asked_about():
    reading = read(["一、民政领域"], printed(), merges=["A3:G3"])
    (problem,) = reading.problems
    assert (problem.cell, problem.text, problem.key) == ("A3", "一、民政领域", "row:3")
    assert [line.line for line in reading.lines] == [4]


def test_a_note_below_the_table_is_asked_about_rather_than_dropped():
    reading = read(printed(), [None], ["注：本表自发布之日起施行。"])
    (problem,) = reading.problems
    assert (problem.cell, problem.text) == ("A5", "注：本表自发布之日起施行。")


def test_a_text_too_long_for_its_column_is_a_problem():
    (problem,) = read(printed(sector="条" * 65)).problems
    assert (problem.cell, problem.reason) == ("C3", "“条线”超过 64 个字")


def test_texts_are_kept_as_printed_inside_the_cell():
    (line,) = read(printed(check="人员资质\n检查")).lines
    assert line.texts[3] == "人员资质\n检查"


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
    assert [line.line for line in reading.lines] == [3, 5]
    assert (reading.repeats, reading.problems) == ([4], [])
