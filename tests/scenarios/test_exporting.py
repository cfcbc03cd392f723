import io

import pytest
from openpyxl import load_workbook

from core.spreadsheets import open_workbook
from scenarios.models import MatrixRow, ScenarioVersion
from scenarios.services.exporting import export_version
from scenarios.services.importing import import_workbook
from scenarios.services.versions import content
from tests.factories.matrices import JINJIANG, make_admin, make_bureaus, make_workbook, printed
from tests.factories.scenarios import make_version

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin():
    make_bureaus()
    return make_admin()


@pytest.fixture
def jinjiang(admin) -> ScenarioVersion:
    return import_workbook(JINJIANG.read_bytes(), name=JINJIANG.name, actor=admin)


def sheet_of(version: ScenarioVersion):
    return load_workbook(io.BytesIO(export_version(version))).active


def test_the_jinjiang_matrix_survives_export_and_import(jinjiang, admin):
    again = import_workbook(export_version(jinjiang), name="导出.xlsx", actor=admin)
    assert content(again) == content(jinjiang)


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
    assert sheet["C4"].comment.text == "推断：原文空白，取自 C3"
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
