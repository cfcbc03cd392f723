"""Blank cells: a table copied out of a PDF must come out as it was printed, after few questions, none in silence."""

import json
from random import Random

import pytest

from core.spreadsheets import Sheet, Workbook
from departments.services.naming import core_of
from scenarios.enums import ColumnRole
from scenarios.services.importing.inferring import Inference
from scenarios.services.importing.problems import ABOVE, ASK, BELOW, BLANK, CONFIRMED, Problem
from scenarios.services.importing.reading import Reading, read_matrix
from tests.factories.matrices import HEADER, ROOT, printed

JINJIANG = json.loads((ROOT / "tests/data/jinjiang-matrix.json").read_text(encoding="utf-8"))
COLUMNS = ["序号", "情形", "条线", "检查事项", "检查实施部门", "处罚事项", "处罚实施部门"]
EXPECTED = [[str(row[column]) for column in COLUMNS] for row in JINJIANG["rows"]]
MERGED = {"B": 1, "C": 2, "D": 3, "E": 4}


def as_sheet(rows: list[list], *, merges_known: bool = False) -> Sheet:
    sheet = Sheet("粘贴", merges_known=merges_known)
    for row, texts in enumerate(rows, start=1):
        for column, text in enumerate(texts, start=1):
            if text not in (None, ""):
                sheet.texts[row, column] = str(text)
    return sheet


def copied(place) -> list[list[str]]:
    """The Jinjiang table with each merged text on the one line that `place(first, last)` chooses, heads repeated."""
    rows = [list(row) for row in EXPECTED]
    for merge in JINJIANG["merges"]:
        column, first, last = MERGED[merge["column_letter"]], merge["from_row"], merge["to_row"]
        kept = place(first, last)
        for number in range(first, last + 1):
            if number != kept:
                rows[number - 1][column] = ""
    header = JINJIANG["header_cells_as_published"]
    pages = [rows[page["rows"][0] - 1 : page["rows"][1]] for page in JINJIANG["pages"]]
    return [row for page in pages for row in [header, *page]]


def read(rows: list[list], **how) -> Reading:
    return read_matrix(Workbook("粘贴的表格", [as_sheet(rows, **how)]))


def infer(reading: Reading, answers: dict[str, str]) -> tuple[Inference, list[Problem]]:
    inference = Inference(reading, identity=core_of, answers=answers)
    return inference, inference.infer()


def texts(reading: Reading) -> list[list[str]]:
    return [line.texts for line in reading.lines]


def truthful(problem: Problem, rows: list[list]) -> str:
    """The answer of somebody who has the printed page before them."""
    by_line = dict(zip([line.line for line in read(rows).lines], EXPECTED, strict=True))
    if problem.key == "inferred":
        return CONFIRMED
    columns = [ord(letter) - ord("A") for letter in problem.key.rpartition(":")[2].split("+")]
    for choice in problem.choices:
        reading = read(rows)
        infer(reading, {problem.key: choice.value})
        after = {line.line: line.texts for line in reading.lines}
        if all(after[line][column] == by_line[line][column] for line in problem.lines for column in columns):
            return choice.value
    raise AssertionError(f"no choice of {problem.key} is what is printed")


def came_out(rows: list[list]) -> tuple[Reading, int]:
    """The reading after every question was answered truthfully, and how many there were."""
    answers: dict[str, str] = {}
    while True:
        reading = read(rows)
        inference, asked = infer(reading, answers)
        settled = {(reading.lines[number].line, column) for number, column in inference.settled}
        by_line = dict(zip([line.line for line in reading.lines], EXPECTED, strict=True))
        for line in reading.lines:
            for column, text in enumerate(line.texts):
                if (line.line, column) in settled:
                    assert text == by_line[line.line][column], f"settled wrongly: {line.line} {column}"
        wanted = [problem for problem in asked if problem.key not in answers]
        if not wanted:
            return reading, len(answers)
        answers |= {problem.key: truthful(problem, rows) for problem in wanted}


# --- The Jinjiang table out of a PDF -----------------------------------------------------------------


def as_the_ocr_found_it(first: int, last: int) -> int:
    found = {
        merge["ocr_text_found_at_row"]
        for merge in JINJIANG["merges"]
        if (merge["from_row"], merge["to_row"]) == (first, last)
    }
    return max(found)


@pytest.mark.parametrize(
    ("place", "most"),
    [
        (as_the_ocr_found_it, 6),
        (lambda first, last: first, 6),
        (lambda first, last: last, 6),
        (lambda first, last: (first + last) // 2, 6),
    ],
    ids=["as the OCR found it", "first line", "last line", "middle line"],
)
def test_the_jinjiang_table_comes_out_of_a_pdf_after_a_few_confirmations(place, most):
    reading, questions = came_out(copied(place))
    assert texts(reading) == EXPECTED
    assert questions <= most


def test_the_jinjiang_merges_are_found_again():
    reading, _ = came_out(copied(as_the_ocr_found_it))
    assert reading.layout()["merges"] == sorted(
        [
            merge["from_row"] - 1,
            MERGED[merge["column_letter"]],
            merge["to_row"] - 1,
            MERGED[merge["column_letter"]],
        ]
        for merge in JINJIANG["merges"]
    )


@pytest.mark.parametrize("seed", range(40))
def test_wherever_a_merged_text_is_printed_nothing_is_wrong_without_a_question(seed):
    dice = Random(seed)
    reading, questions = came_out(copied(dice.randint))
    assert texts(reading) == EXPECTED
    assert questions <= 20


def test_what_was_inferred_says_from_which_cell():
    reading, _ = came_out(copied(as_the_ocr_found_it))
    row_14 = next(line for line in reading.lines if line.texts[0] == "14")
    row_16 = next(line for line in reading.lines if line.texts[0] == "16")
    assert row_14.inferred == {2: row_16.cells[2].cell, 4: row_16.cells[4].cell}
    assert row_16.inferred == {1: f"B{row_16.line - 1}", 3: f"D{row_16.line - 1}"}


# --- Rules ---------------------------------------------------------------------------------------------


TOWN = "承接行政处罚权的乡镇（街道）"


def questions(*rows, **how) -> list[Problem]:
    return infer(read([HEADER, *rows], **how), {})[1]


def test_a_penalty_department_settles_who_inspects_and_wants_one_confirmation():
    rows = [printed(), printed(number=2, by=None)]
    (problem,) = questions(*rows)
    assert (problem.key, problem.cell, problem.lines) == ("inferred", "E3", (3,))
    reading = read([HEADER, *rows])
    infer(reading, {})
    assert reading.lines[1].texts[4] == "民政局"
    assert reading.lines[1].inferred == {4: "E2"}


def test_without_a_check_the_text_above_is_proposed_not_taken():
    rows = [printed(sector=None), printed(number=2, sector=None, by=None, body=TOWN)]
    (problem,) = questions(*rows)
    assert (problem.key, problem.proposal) == ("gap:3-3:E", "line:2")
    assert [choice.value for choice in problem.choices] == ["line:2", BLANK]
    reading = read([HEADER, *rows])
    infer(reading, {})
    assert reading.lines[1].texts[4] == ""


def test_a_penalty_department_of_another_bureau_contradicts_the_text_above():
    rows = [
        printed(sector="住房城乡建设", by="城管执法局", body=TOWN),
        printed(number=2, sector=None, by="市场监管局", body="市场监管局"),
        printed(number=3, sector="市场监管", by="市场监管局", body="市场监管局"),
    ]
    (problem,) = questions(*rows)
    assert problem.key == "inferred"
    reading = read([HEADER, *rows])
    infer(reading, {})
    assert reading.lines[1].texts[2] == "市场监管"


def test_nothing_is_carried_across_a_repeated_header():
    rows = [printed(), HEADER, printed(number=2, sector=None, body=TOWN)]
    (problem,) = questions(*rows)
    assert problem.proposal == ""
    assert [choice.label for choice in problem.choices] == ["续上一页，同第 2 行：民政", "原文就是空白"]


def test_the_fire_list_of_the_towns_speaks_for_the_fire_brigade():
    fire = "承接消防行政处罚权的乡镇（街道）"
    rows = [
        printed(sector="市场监管", by="市场监管局", body="市场监管局"),
        printed(number=2, sector=None, by=None, body=fire),
        printed(number=3, sector="消防救援", by="消防救援大队", body=fire),
    ]
    (problem,) = questions(*rows)
    assert problem.key == "inferred"


def test_what_other_columns_settled_is_asked_cell_by_cell_when_a_person_doubts_it():
    rows = [printed(), printed(number=2, by=None)]
    reading = read([HEADER, *rows])
    _, asked = infer(reading, {"inferred": ASK})
    assert [(problem.key, problem.proposal) for problem in asked] == [
        ("inferred", ASK),
        ("gap:3-3:E", "line:2"),
    ]
    assert reading.lines[1].texts[4] == ""


def test_between_two_texts_every_border_may_be_chosen():
    rows = [
        printed(sector="民政", body=TOWN),
        *(printed(number=number, sector=None, by="某局", body=TOWN) for number in (2, 3)),
        printed(number=4, sector="公安", body=TOWN),
    ]
    (problem,) = questions(*rows)
    assert [choice.value for choice in problem.choices] == [ABOVE, BELOW, "from:4", BLANK]
    reading = read([HEADER, *rows])
    infer(reading, {problem.key: "from:4"})
    assert [line.texts[2] for line in reading.lines] == ["民政", "民政", "公安", "公安"]


def test_an_answer_for_two_columns_holds_when_they_are_asked_apart():
    rows = [printed(body=TOWN), printed(number=2, sector=None, situation=None, by="某局", body=TOWN)]
    reading = read([HEADER, *rows])
    assert infer(reading, {"gap:3-3:B+C": "line:2"})[0].pending == []
    assert reading.lines[1].texts[1:3] == ["对养老机构的监管", "民政"]


def test_an_answer_that_does_not_fit_is_no_answer():
    rows = [printed(sector=None), printed(number=2, sector=None, by=None, body=TOWN)]
    _, (problem,) = infer(read([HEADER, *rows]), {"gap:3-3:E": "below"})
    assert problem.key == "gap:3-3:E"


def test_said_to_be_blank_it_stays_blank():
    reading = read([HEADER, printed(body=TOWN), printed(number=2, sector=None, body=TOWN)])
    inference, _ = infer(reading, {"gap:3-3:C": BLANK})
    assert inference.pending == []
    assert (reading.lines[1].texts[2], reading.lines[1].inferred) == ("", {})


def test_a_workbook_that_knows_its_merges_is_asked_only_about_what_a_line_needs():
    header = [*HEADER, "备注", "检查方式"]
    rows = [[*printed(), "甲", "现场"], [*printed(number=2, sector=None), None, None]]
    assert [problem.key for problem in questions(*rows, merges_known=True) if problem.key != "inferred"] == []
    reading = read_matrix(Workbook("清单", [as_sheet([header, *rows], merges_known=True)]))
    inference, _ = infer(reading, {})
    assert {column for _, column in inference.settled} == {2}


def test_remarks_and_penalties_are_each_lines_own():
    header = [*HEADER, "备注"]
    rows = [[*printed(), "重点"], [*printed(number=2, penalty=None, body=None), None]]
    reading = read([header, *rows])
    assert infer(reading, {})[1] == []
    assert reading.has(ColumnRole.REMARK)


def test_a_partners_own_items_are_proposed_to_be_blank():
    header = ["序号", "联合抽查事项", "检查部门", "检查部门", "权责清单事项"]
    rows = [["1", "联合检查甲", "发起", "民政局", "权责甲"], ["", "", "配合", "市场监管局", ""]]
    problems = infer(read([header, *rows]), {})[1]
    assert [(problem.key, problem.proposal) for problem in problems] == [
        ("gap:3-3:A+B", "line:2"),
        ("gap:3-3:E", BLANK),
    ]
