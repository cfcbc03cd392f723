"""Upload or paste, say what the columns mean, answer, save: by the pages a person uses."""

import json
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone

from core.errors import DomainError
from core.models import StoredFile
from departments.enums import Role
from departments.models import DepartmentAlias
from scenarios.enums import VersionState
from scenarios.models import ColumnLayout, MatrixUpload, Scenario, ScenarioVersion
from scenarios.services import uploads
from scenarios.services.importing import import_workbook
from scenarios.services.versions import publish
from tests.factories.departments import make_user
from tests.factories.matrices import HEADER, JINJIANG, ROOT, make_admin, make_bureaus, make_workbook, printed

pytestmark = pytest.mark.django_db

TOWN = "承接行政处罚权的乡镇（街道）"
THEME = "养老安全一件事"
REVIEW_QUERIES = 14


@pytest.fixture
def bureaus():
    return make_bureaus()


@pytest.fixture
def admin(bureaus):
    return make_admin()


@pytest.fixture
def clerk(bureaus):
    return make_user(bureaus["minzheng"], Role.HANDLER)


@pytest.fixture
def stranger(bureaus):
    """A clerk of a bureau that leads nothing."""
    return make_user(bureaus["shichang"], Role.HANDLER)


def url(name: str, *args) -> str:
    return reverse(f"scenarios:{name}", args=args)


def upload(client, data: bytes, name: str = "清单.xlsx") -> str:
    """Upload and return the address that follows."""
    response = client.post(url("upload"), {"file": SimpleUploadedFile(name, data)})
    assert response.status_code == 302
    return response["Location"]


def paste(client, text: str, html: str = "") -> str:
    response = client.post(url("upload"), {"text": text, "html": html})
    assert response.status_code == 302
    return response["Location"]


def answer(client, page: str, *choices: str, theme: str = THEME, **extra):
    """Answer the review page's open questions in their order, the others as they are shown."""
    form = client.get(page).context["form"]
    given = {name: form[name].initial for name in form.problems}
    open_names = [bound.name for bound in client.get(page).context["open"]]
    given |= dict(zip(open_names, choices, strict=True))
    return client.post(page, {**given, "theme": theme, **extra})


def accept(client, page: str):
    """Answer as proposed until nothing is asked any more."""
    for _ in range(5):
        form = client.get(page).context["form"]
        given = {
            name: form[name].initial or (problem.choices[0].value if problem.choices else "leave-out")
            for name, problem in form.problems.items()
        }
        response = client.post(page, {**given, "theme": form["theme"].initial})
        if response.status_code != 302 or response["Location"] != page:
            return response
    raise AssertionError("it goes on asking")


# --- Files ---------------------------------------------------------------------------------------------


def test_an_upload_without_questions_becomes_a_draft(client_as, admin):
    client = client_as(admin)
    page = upload(client, JINJIANG.read_bytes())
    assert client.get(page).context["plan"].asked == []
    assert ScenarioVersion.objects.count() == 0
    response = answer(client, page, theme="养老服务机构基础安全监管一件事")
    version = ScenarioVersion.objects.get()
    assert response["Location"] == url("version", version.pk)
    assert (version.state, version.rows.count(), version.created_by) == (VersionState.DRAFT, 28, admin)
    assert MatrixUpload.objects.count() == 0
    assert version.source_file == StoredFile.objects.get()


def test_the_theme_found_is_offered_and_may_be_corrected(client_as, admin):
    client = client_as(admin)
    page = upload(client, make_workbook([printed()]))
    assert client.get(page).context["form"]["theme"].initial == THEME
    answer(client, page, theme="食堂一件事")
    assert Scenario.objects.get().name == "食堂一件事"


def test_a_list_without_any_title_asks_what_it_is_about(client_as, admin):
    client = client_as(admin)
    page = upload(client, make_workbook([printed()], above=[]))
    response = answer(client, page, "department:minzheng", theme="")
    assert response.status_code == 422
    assert "请填写主题。" in response.content.decode()
    assert answer(client, page, theme="食堂一件事").status_code == 302


def test_an_unknown_department_is_asked_and_becomes_an_alias(client_as, admin, bureaus):
    client = client_as(admin)
    page = upload(client, make_workbook([printed(by="市消防支队", body="市消防支队")]))
    response = answer(client, page, "department:xiaofang")
    assert response.status_code == 302
    assert DepartmentAlias.objects.get(alias="市消防支队").department == bureaus["xiaofang"]
    row = ScenarioVersion.objects.get().rows.get()
    assert (row.check_department, row.penalty_department) == (bureaus["xiaofang"], bureaus["xiaofang"])


def test_a_question_left_open_saves_nothing_but_keeps_the_other_answers(client_as, admin):
    client = client_as(admin)
    rows = [printed(by="市信访局", body=TOWN), printed(number=2, penalty=None, body=None)]
    page = upload(client, make_workbook(rows))
    response = answer(client, page, "", "no-penalty")
    assert response.status_code == 422
    assert "请选择如何处理。" in response.content.decode()
    assert Scenario.objects.count() == 0
    assert MatrixUpload.objects.get().answers == {"penalty:4": "no-penalty", "theme": THEME}
    assert len(client.get(page).context["open"]) == 1


def test_an_answer_that_raises_another_question_leads_back_to_it(client_as, admin):
    client = client_as(admin)
    rows = [printed(sector=None, body=TOWN), printed(number=2, by=None, sector=None, body=TOWN)]
    page = upload(client, make_workbook(rows))
    assert answer(client, page, "blank")["Location"] == page
    assert answer(client, page, "department:ziran").status_code == 302
    assert [row.check_department.code for row in ScenarioVersion.objects.get().rows.all()] == [
        "minzheng",
        "ziran",
    ]


def test_a_given_answer_is_shown_and_may_be_changed(client_as, admin):
    client = client_as(admin)
    rows = [printed(sector=None, body=TOWN), printed(number=2, by=None, sector=None, body=TOWN)]
    page = upload(client, make_workbook(rows))
    answer(client, page, "blank")
    (answered,) = client.get(page).context["answered"]
    assert answered.initial == "blank"
    # The question that came of the first answer needs none any more.
    client.post(page, {answered.name: "line:3", "theme": THEME})
    assert [row.check_department.code for row in ScenarioVersion.objects.get().rows.all()] == [
        "minzheng",
        "minzheng",
    ]


def test_cells_in_question_are_marked_in_the_preview(client_as, admin):
    client = client_as(admin)
    page = upload(client, make_workbook([printed(body=TOWN), printed(number=2, situation=None, body=TOWN)]))
    rows = client.get(page).context["matrix"]["rows"]
    assert [cell.get("tone") for cell in rows[1]] == [None, "warning", None, None, None, None, None]


def test_inferred_cells_say_where_their_text_is_from(client_as, admin):
    client = client_as(admin)
    page = upload(client, make_workbook([printed(), printed(number=2, by=None)]))
    cell = client.get(page).context["matrix"]["rows"][1][4]
    assert (cell["text"], cell["note"]) == ("民政局", "原文空白，取自 E3")
    answer(client, page, "confirmed")
    version = ScenarioVersion.objects.get()
    assert "原文空白，取自 E3" in client.get(url("version", version.pk)).content.decode()


def test_a_row_is_left_out_on_purpose(client_as, admin):
    client = client_as(admin)
    page = upload(client, make_workbook([printed(body=TOWN), printed(number=2, situation=None, body=TOWN)]))
    answer(client, page, "leave-out")
    assert [row.number for row in ScenarioVersion.objects.get().rows.all()] == ["1"]


def test_a_row_without_a_penalty_is_confirmed(client_as, admin):
    client = client_as(admin)
    page = upload(client, make_workbook([printed(penalty=None, body=None)]))
    answer(client, page, "no-penalty")
    assert ScenarioVersion.objects.get().rows.get().penalty_body == "NONE"


def test_a_file_that_is_no_table_is_refused_beside_the_field(client_as, admin):
    response = client_as(admin).post(url("upload"), {"file": SimpleUploadedFile("清单.pdf", b"%PDF-1.7")})
    assert response.status_code == 422
    assert "是 PDF" in response.context["form"].errors["file"][0]
    assert StoredFile.objects.count() == 0


def test_neither_file_nor_text_is_refused(client_as, admin):
    response = client_as(admin).post(url("upload"), {"text": "  "})
    assert response.context["form"].errors == {"file": ["请选择要导入的文件，或粘贴表格。"]}


def test_the_same_file_again_needs_a_second_word(client_as, admin):
    version = import_workbook(JINJIANG.read_bytes(), name=JINJIANG.name, actor=admin)
    client = client_as(admin)
    page = upload(client, JINJIANG.read_bytes())
    assert client.get(page).context["duplicate"] == version
    theme = version.scenario.name
    assert answer(client, page, theme=theme).status_code == 422
    assert answer(client, page, theme=theme, again="1").status_code == 302
    assert [version.number for version in ScenarioVersion.objects.order_by("number")] == [1, 2]


def test_an_upload_is_given_up_with_its_file(client_as, admin):
    client = client_as(admin)
    upload(client, JINJIANG.read_bytes())
    client.post(url("forget_upload", MatrixUpload.objects.get().pk))
    assert (MatrixUpload.objects.count(), StoredFile.objects.count()) == (0, 0)


def test_an_upload_is_nobody_elses(client_as, admin, clerk):
    page = upload(client_as(admin), JINJIANG.read_bytes())
    assert client_as(clerk).get(page).status_code == 404
    assert client_as(clerk).get(url("columns", MatrixUpload.objects.get().pk)).status_code == 404


def test_another_department_may_not_import_for_the_lead(client_as, stranger):
    response = client_as(stranger).post(
        url("upload"), {"file": SimpleUploadedFile("清单.xlsx", JINJIANG.read_bytes())}
    )
    assert response.status_code == 403
    assert StoredFile.objects.count() == 0


def test_the_lead_departments_clerk_imports_its_own(client_as, clerk):
    client = client_as(clerk)
    answer(client, upload(client, JINJIANG.read_bytes()), theme="养老服务机构基础安全监管一件事")
    assert ScenarioVersion.objects.get().created_by == clerk


def test_an_officer_has_no_upload_page(client_as, bureaus):
    officer = make_user(bureaus["minzheng"], Role.OFFICER)
    assert client_as(officer).get(url("upload")).status_code == 403


@pytest.mark.parametrize("number", [1, 3])
def test_the_review_page_asks_the_same_number_of_queries(client_as, admin, number, django_assert_num_queries):
    client = client_as(admin)
    rows = [printed(number=at, by=f"市第{at}局", body=TOWN) for at in range(number)]
    page = upload(client, make_workbook(rows))
    with django_assert_num_queries(REVIEW_QUERIES):
        client.get(page)


# --- Against the version in force ----------------------------------------------------------------------


def test_an_upload_is_compared_with_the_version_in_force_before_it_is_imported(client_as, admin):
    publish(import_workbook(make_workbook([printed()]), name="一.xlsx", actor=admin), actor=admin)
    client = client_as(admin)
    page = upload(
        client, make_workbook([printed(body="市场监管局"), printed(number=2, check="食堂检查", penalty="乙")])
    )
    changes = url("changes", MatrixUpload.objects.get().pk)
    assert changes in client.get(page).content.decode()
    comparison = client.get(changes).context["comparison"]
    assert (len(comparison.added), len(comparison.changed), len(comparison.removed)) == (1, 1, 0)
    assert [route.after for route in client.get(changes).context["routes"]]
    assert ScenarioVersion.objects.count() == 1


def test_with_open_questions_or_nothing_in_force_the_comparison_says_what_to_do(client_as, admin):
    client = client_as(admin)
    upload(client, make_workbook([printed(by="市信访局")]))
    assert "还有问题没有确认" in client.get(url("changes", MatrixUpload.objects.get().pk)).content.decode()
    client.post(url("forget_upload", MatrixUpload.objects.get().pk))
    page = upload(client, make_workbook([printed()]))
    assert "与现行版本对比" not in client.get(page).content.decode()
    assert (
        "没有可对比的现行版本" in client.get(url("changes", MatrixUpload.objects.get().pk)).content.decode()
    )


# --- Pasted tables ---------------------------------------------------------------------------------------


def test_the_jinjiang_table_pasted_out_of_its_pdf_comes_out_right_after_a_few_confirmations(client_as, admin):
    client = client_as(admin)
    page = paste(client, (ROOT / "tests/data/jinjiang-pasted.txt").read_text(encoding="utf-8"))
    shown = client.get(page)
    assert len(shown.context["open"]) == 6
    assert accept(client, page).status_code == 302
    expected = json.loads((ROOT / "tests/data/jinjiang-matrix.json").read_text(encoding="utf-8"))["rows"]
    columns = ["序号", "情形", "条线", "检查事项", "检查实施部门", "处罚事项", "处罚实施部门"]
    version = ScenarioVersion.objects.get()
    assert [row.cells for row in version.rows.all()] == [
        [str(row[name]) for name in columns] for row in expected
    ]
    assert version.scenario.name == "养老服务机构基础安全监管一件事"
    uploaded = import_workbook(JINJIANG.read_bytes(), name=JINJIANG.name, actor=admin)
    assert version.layout["merges"] == uploaded.layout["merges"]


def test_a_pasted_web_table_keeps_its_merged_cells(client_as, admin):
    client = client_as(admin)
    cells = lambda row: "".join(f"<td>{text}</td>" for text in row)  # noqa: E731 - a row of the table
    first, second = printed(body=TOWN), printed(number=2, body=TOWN, penalty="另一处罚")
    merged = f"<tr><td>1</td><td rowspan=2>{first[1]}</td>{cells(first[2:])}</tr>"
    html = f"<table><tr>{cells(HEADER)}</tr>{merged}<tr><td>2</td>{cells(second[2:])}</tr></table>"
    page = paste(client, "见表", html)
    answer(client, page, "department:minzheng")
    version = ScenarioVersion.objects.get()
    assert version.layout["merges"] == [[0, 1, 1, 1]]
    assert [row.situation for row in version.rows.all()] == ["对养老机构的监管"] * 2


# --- What the columns mean ---------------------------------------------------------------------------------


def test_headings_nobody_knows_lead_to_what_the_columns_mean(client_as, admin):
    client = client_as(admin)
    header = ["序号", "监督事项", "牵头科室", "主管局"]
    page = upload(client, make_workbook([["1", "检查甲", "养老科", "民政局"]], header=header))
    kept = MatrixUpload.objects.get()
    assert page == url("columns", kept.pk)
    shown = client.get(page)
    assert [column["heading"] for column in shown.context["columns"]] == header
    assert [column["samples"] for column in shown.context["columns"]] == [
        ["1"],
        ["检查甲"],
        ["养老科"],
        ["民政局"],
    ]
    roles = {"column-1": "NUMBER", "column-2": "CHECK", "column-3": "OTHER", "column-4": "CHECK_DEPARTMENT"}
    assert client.post(page, roles)["Location"] == url("review", kept.pk)
    answer(client, url("review", kept.pk))
    row = ScenarioVersion.objects.get().rows.get()
    assert (row.check_text, row.check_department.code, row.cells) == (
        "检查甲", "minzheng", ["1", "检查甲", "养老科", "民政局"],
    )  # fmt: skip


def test_what_columns_were_said_to_mean_is_remembered_for_their_headings(client_as, admin):
    client = client_as(admin)
    header = ["序号", "监督事项", "牵头科室", "主管局"]
    page = upload(client, make_workbook([["1", "检查甲", "养老科", "民政局"]], header=header))
    roles = {"column-1": "NUMBER", "column-2": "CHECK", "column-3": "OTHER", "column-4": "CHECK_DEPARTMENT"}
    review = client.post(page, roles)["Location"]
    # Only an import says that the meaning was right: nothing is remembered of what is given up.
    assert ColumnLayout.objects.count() == 0
    answer(client, review)
    assert ColumnLayout.objects.get().headings == header
    again = upload(client, make_workbook([["2", "检查乙", "养老科", "市场监管局"]], header=header))
    assert again == url("review", MatrixUpload.objects.order_by("created_at").last().pk)


def test_one_column_must_be_the_check_items_and_no_meaning_is_given_twice(client_as, admin):
    client = client_as(admin)
    header = ["序号", "监督事项", "牵头科室", "主管局"]
    page = upload(client, make_workbook([["1", "检查甲", "养老科", "民政局"]], header=header))
    roles = {"column-1": "NUMBER", "column-2": "OTHER", "column-3": "CONTENT", "column-4": "CONTENT"}
    response = client.post(page, roles)
    assert response.status_code == 422
    assert response.context["form"].errors == {
        "column-4": ["“检查内容”已由“牵头科室”一列担任。"],
        "__all__": ["请指出哪一列是检查事项。"],
    }
    assert ColumnLayout.objects.count() == 0


def test_the_header_is_where_a_person_says_it_is(client_as, admin):
    client = client_as(admin)
    page = upload(client, make_workbook([["甲", "乙"], ["子", "丑"]], header=["一", "二"], above=[["题"]]))
    shown = client.get(page, {"sheet": "清单", "top": 3, "bottom": 3})
    assert [column["heading"] for column in shown.context["columns"]] == ["甲", "乙"]


def test_a_file_without_any_text_is_refused_and_not_kept(client_as, admin):
    response = client_as(admin).post(
        url("upload"), {"file": SimpleUploadedFile("空.xlsx", make_workbook([], header=[], above=[]))}
    )
    assert response.status_code == 422
    assert (MatrixUpload.objects.count(), StoredFile.objects.count()) == (0, 0)


def test_an_upload_saved_in_another_tab_is_not_saved_twice(client_as, admin):
    client = client_as(admin)
    upload(client, make_workbook([printed()]))
    kept = MatrixUpload.objects.get()
    uploads.answer(kept, {"theme": THEME})
    uploads.save_as_draft(kept, uploads.opened(kept), actor=admin)
    stale = MatrixUpload(pk=MatrixUpload().pk, file=StoredFile.objects.get(), uploaded_by=admin)
    with pytest.raises(DomainError, match="这次导入已保存或已放弃。"):
        uploads.save_as_draft(stale, uploads.opened(stale), actor=admin, again=True)
    assert ScenarioVersion.objects.count() == 1


def test_uploads_nobody_came_back_to_are_given_up(client_as, admin):
    upload(client_as(admin), make_workbook([printed()]))
    assert uploads.forget_old() == 0
    MatrixUpload.objects.update(created_at=timezone.now() - timedelta(days=8))
    assert (uploads.forget_old(), StoredFile.objects.count()) == (1, 0)


def test_columns_can_be_said_anew_from_the_review(client_as, admin):
    client = client_as(admin)
    page = upload(client, make_workbook([printed()]))
    kept = MatrixUpload.objects.get()
    assert url("columns", kept.pk) in client.get(page).content.decode()
    assert client.get(url("columns", kept.pk)).status_code == 200
