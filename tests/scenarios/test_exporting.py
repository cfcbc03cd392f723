import io
import random

import pytest
from openpyxl import load_workbook

from core.spreadsheets import open_workbook
from scenarios.models import MatrixRow, ScenarioVersion
from scenarios.services.exporting import export_version
from scenarios.services.importing import LEAD_KEY, THEME_KEY, import_workbook
from scenarios.services.importing.problems import (
    CONFIRMED,
    DEPARTMENT,
    NEW,
    NOBODY,
    Problem,
    UnresolvedError,
)
from scenarios.services.versions import content
from tests.factories.matrices import (
    HEADER,
    JINJIANG,
    ROOT,
    make_admin,
    make_bureaus,
    make_workbook,
    printed,
    saved,
)
from tests.factories.scenarios import make_version

pytestmark = pytest.mark.django_db

CITIES = ROOT / "tests/data/other-cities"


@pytest.fixture
def admin():
    make_bureaus()
    return make_admin()


@pytest.fixture
def jinjiang(admin) -> ScenarioVersion:
    return import_workbook(JINJIANG.read_bytes(), name=JINJIANG.name, actor=admin)


def take(data: bytes, actor, name: str = "清单.xlsx") -> ScenarioVersion:
    """Import, answering every question by what is proposed, as its first import was answered."""
    answers = {LEAD_KEY: f"{DEPARTMENT}minzheng", THEME_KEY: "一件事"}
    while True:
        try:
            return import_workbook(data, name=name, actor=actor, answers=answers, again=True)
        except UnresolvedError as error:
            answers |= {problem.key: _answer(problem) for problem in error.problems}


def _answer(problem: Problem) -> str:
    offered = [choice.value for choice in problem.choices]
    if problem.proposal:
        return problem.proposal
    usual = next((value for value in (CONFIRMED, NEW, NOBODY) if value in offered), "")
    return usual or (offered[0] if offered else f"{DEPARTMENT}minzheng")


def said(version: ScenarioVersion) -> dict:
    """What a version says; from which cell a text was inferred is a matter of the file it came in."""
    whole = content(version)
    rows = [row | {"inferred": sorted(row["inferred"])} for row in whole["rows"]]
    return whole | {"rows": sorted(rows, key=lambda row: (row["line"], row["part"], row["check_department"]))}


def sheet_of(version: ScenarioVersion):
    return load_workbook(io.BytesIO(export_version(version))).active


def test_the_jinjiang_matrix_survives_export_and_import(jinjiang, admin):
    again = import_workbook(export_version(jinjiang), name="导出.xlsx", actor=admin)
    assert content(again) == content(jinjiang)


@pytest.mark.parametrize("city", ["m01_junan_shandong", "m04_qingdao_2023", "m07_shantou_guangdong"])
def test_lists_of_other_cities_survive_export_and_import(city, admin):
    version = take((CITIES / f"{city}.xlsx").read_bytes(), admin)
    again = take(export_version(version), admin)
    assert said(again) == said(version)


def test_a_list_pasted_out_of_a_document_survives_with_what_was_inferred(admin):
    pasted = take((ROOT / "tests/data/jinjiang-pasted.txt").read_bytes(), admin, name="粘贴.txt")
    assert any(row.inferred for row in pasted.rows.all())
    again = take(export_version(pasted), admin)
    assert said(again) == said(pasted)


@pytest.mark.parametrize("seed", range(6))
def test_any_matrix_survives_export_and_import(seed, admin):
    seeded = random.Random(seed)
    rows, merges = [], []
    while len(rows) < 12:
        height = seeded.randint(1, 4)
        top = len(rows) + 3
        for at in range(height):
            text = seeded.choice([" =甲+乙", "分\n行", "_x0041_", "1.10", "长" * 60]) + str(len(rows))
            shared = f"情形{len(rows)}" if at == 0 else None
            sector = None if at else "民政"
            rows.append(
                printed(
                    number=len(rows) + 1, situation=shared, sector=sector, check=text, penalty=f"{text}的处罚"
                )
            )
        if height > 1:
            merges += [f"{column}{top}:{column}{top + height - 1}" for column in "BC"]
        if seeded.random() < 0.3:
            rows.append(HEADER)
    version = import_workbook(make_workbook(rows, merges=merges), name="清单.xlsx", actor=admin)
    again = import_workbook(export_version(version), name="导出.xlsx", actor=admin, again=True)
    assert content(again) == content(version)


def test_whoever_writes_over_an_inferred_text_has_made_it_the_lists(admin):
    rows = [printed(number=1), printed(number=2, penalty="另一处罚")]
    version = import_workbook(make_workbook(rows), name="清单.xlsx", actor=admin)
    version.rows.filter(line=1).update(inferred={"2": "C3"})
    book = load_workbook(io.BytesIO(export_version(version)))
    book.active["C4"] = "人社"
    again = import_workbook(saved(book), name="导出.xlsx", actor=admin)
    assert (again.rows.get(line=1).cells[2], again.rows.get(line=1).inferred) == ("人社", {})


def test_the_export_prints_what_the_attachment_prints_cell_by_cell(jinjiang):
    exported = open_workbook(export_version(jinjiang), "导出.xlsx").sheets[0]
    original = open_workbook(JINJIANG.read_bytes(), JINJIANG.name).sheets[0]
    squeezed = [
        {place: "".join(text.split()) for place, text in sheet.texts.items()}
        for sheet in (exported, original)
    ]
    assert squeezed[0] == squeezed[1]
    assert sorted(map(repr, exported.merges)) == sorted(map(repr, original.merges))


def test_the_export_is_set_up_for_a4_on_its_side(jinjiang):
    sheet = sheet_of(jinjiang)
    assert (sheet.page_setup.orientation, sheet.page_setup.paperSize) == ("landscape", 9)
    assert (sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight) == (1, 0)
    assert [each.id for each in sheet.row_breaks.brk] == [14, 23]


def test_headings_that_stand_once_are_repeated_by_excel(admin):
    version = import_workbook(make_workbook([printed()]), name="清单.xlsx", actor=admin)
    assert sheet_of(version).print_title_rows == "$2:$2"


def test_a_text_that_looks_like_a_formula_stays_a_text(admin):
    version = import_workbook(make_workbook([printed()]), name="清单.xlsx", actor=admin)
    cells = version.rows.get().cells
    version.rows.update(cells=[*cells[:5], "=1+1", *cells[6:]])
    cell = sheet_of(version)["F3"]
    assert (cell.value, cell.data_type) == ("=1+1", "s")


def test_an_inferred_text_is_grey_and_says_where_it_comes_from(admin):
    rows = [printed(number=1), printed(number=2, penalty="另一处罚")]
    version = import_workbook(make_workbook(rows), name="清单.xlsx", actor=admin)
    version.rows.filter(line=1).update(inferred={"2": "C9"})
    sheet = sheet_of(version)
    assert (sheet["C4"].value, sheet["C4"].font.italic) == ("民政", True)
    assert sheet["C4"].comment.text == "推断：C4 原文空白，取自 C3"
    assert sheet["C3"].comment is None


def test_an_area_whose_lines_no_longer_say_one_thing_is_not_merged(admin):
    rows = [printed(number=1), printed(number=2, sector=None, penalty="另一处罚")]
    version = import_workbook(make_workbook(rows, merges=["C3:C4"]), name="清单.xlsx", actor=admin)
    assert [str(area) for area in sheet_of(version).merged_cells.ranges] == ["C3:C4"]
    row = version.rows.get(line=1)
    MatrixRow.objects.filter(pk=row.pk).update(cells=[*row.cells[:2], "人社", *row.cells[3:]])
    assert [str(area) for area in sheet_of(version).merged_cells.ranges] == []


def test_a_version_without_lines_is_its_headings(admin):
    version = import_workbook(make_workbook([printed()]), name="清单.xlsx", actor=admin)
    version.rows.all().delete()
    assert sheet_of(version).max_row == 1


def test_exporting_takes_the_same_queries_for_any_number_of_lines(django_assert_num_queries):
    version = ScenarioVersion.objects.select_related("scenario").get(pk=make_version().pk)
    with django_assert_num_queries(1):
        export_version(version)
