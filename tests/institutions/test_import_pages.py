"""The import's pages as the institutions' register mounts them; every register has the same ones."""

import io
from functools import cache

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from openpyxl import load_workbook

from core import jobs
from core.enums import ImportState, JobState
from core.models import BackgroundJob, ImportRun
from core.registers import reading, runs, writing
from institutions.models import Institution
from institutions.services.importing import INSTITUTIONS
from tests.factories.departments import make_department, make_town, make_user
from tests.factories.institutions import USCCS, make_institution, make_keeper
from tests.factories.matrices import make_workbook

pytestmark = pytest.mark.django_db

HEADER = ["机构名称", "统一社会信用代码", "机构类型", "所属镇街", "地址", "备案状态"]
HOME = ["怡康养老院", USCCS[0], "民办养老机构", "英林镇", "英龙路118号", "未备案"]
BAD = ["龙山养老院", "52350582MJB000018J", "民办养老机构", "英林镇", "成功路1号", "未备案"]


@pytest.fixture(autouse=True)
def county(settings, tmp_path, monkeypatch):
    settings.MEDIA_ROOT = str(tmp_path)
    monkeypatch.setattr(jobs, "enqueue", lambda job: None)
    return make_town("英林镇", "350582112")


@pytest.fixture
def keeper():
    return make_keeper()


@pytest.fixture
def client(client_as, keeper):
    return client_as(keeper)


@cache
def made(rows: tuple) -> bytes:
    """A workbook has its moment in it: the same rows are the same file only when made once."""
    return make_workbook(rows, header=HEADER, above=())


def workbook(*rows, name="名录.xlsx"):
    return SimpleUploadedFile(name, made(tuple(map(tuple, rows))))


def upload(client, *rows) -> ImportRun:
    response = client.post(reverse("institutions:import"), {"file": workbook(*rows)})
    run = ImportRun.objects.first()
    assert response["Location"] == page(run)
    return run


def preview(client, *rows) -> ImportRun:
    run = upload(client, *rows)
    reading.read(runs.newest_job(run).pk, INSTITUTIONS)
    return run


def page(run, name="import_run", **query):
    return reverse(f"institutions:{name}", args=[run.pk], query=query)


def shown(client, run, **query):
    return client.get(page(run, **query)).content.decode()


# --- Upload -----------------------------------------------------------------------------


def test_an_upload_leads_to_its_progress(client):
    run = upload(client, HOME)
    said = shown(client, run)
    assert "读取并核对" in said
    assert f'hx-get="{page(run, "import_progress")}"' in said


def test_without_a_file_the_form_says_so(client):
    response = client.post(reverse("institutions:import"))
    assert response.status_code == 422
    assert "请选择要导入的工作簿。" in response.content.decode()


def test_a_file_too_large_is_refused_by_name(client, settings):
    settings.UPLOAD_MAX_BYTES = 100
    response = client.post(reverse("institutions:import"), {"file": workbook(HOME)})
    assert response.status_code == 422
    assert "文件“名录.xlsx”" in response.content.decode()


def test_the_template_can_be_filled_in(client):
    response = client.get(reverse("institutions:import_template"))
    sheet = load_workbook(io.BytesIO(response.content)).worksheets[0]
    assert sheet["A1"].value == "机构名称*"


def test_ones_own_imports_are_listed(client, client_as):
    upload(client, HOME)
    assert "名录.xlsx" in client.get(reverse("institutions:import")).content.decode()
    other = client_as(make_keeper()).get(reverse("institutions:import")).content.decode()
    assert "名录.xlsx" not in other


# --- Progress ------------------------------------------------------------------------------


def test_progress_is_asked_for_until_the_job_ends(client):
    run = upload(client, HOME)
    assert client.get(page(run, "import_progress")).status_code == 200
    reading.read(runs.newest_job(run).pk, INSTITUTIONS)
    response = client.get(page(run, "import_progress"))
    assert (response.status_code, response["HX-Refresh"]) == (286, "true")


def test_a_job_that_ends_while_the_page_is_made_does_not_leave_it_waiting(client, monkeypatch):
    run = upload(client, HOME)
    newest_job = runs.newest_job

    def ends_just_now(run):
        reading.read(newest_job(run).pk, INSTITUTIONS)
        return newest_job(run)

    monkeypatch.setattr(runs, "newest_job", ends_just_now)
    assert "逐行核对" in shown(client, run)


def test_a_job_that_gave_up_says_why_and_can_go_on(client):
    run = upload(client, HOME)
    BackgroundJob.objects.update(state=JobState.FAILED, error="磁盘已满")
    assert "磁盘已满" in shown(client, run)
    client.post(page(run, "import_retry"))
    assert runs.newest_job(run).state == JobState.QUEUED


# --- Preview --------------------------------------------------------------------------------


def test_errors_come_first_each_with_its_cell_content_and_reason(client):
    said = shown(client, preview(client, HOME, BAD))
    for text in (
        "B3",
        "52350582MJB000018J",
        "统一社会信用代码的校验位不符，请核对是否抄错",
        "只导入没有错误的 1 行",
    ):
        assert text in said
    assert "确认导入" not in said


def test_new_rows_are_shown_with_their_first_fields(client):
    said = shown(client, preview(client, HOME, BAD), show="NEW")
    assert "怡康养老院" in said
    assert "龙山养老院" not in said


def test_changes_are_shown_with_old_and_new(client, county):
    make_institution(county, name="旧名", uscc=USCCS[0])
    said = shown(client, preview(client, HOME))
    assert "<del>旧名</del>" in said
    assert "<ins>怡康养老院</ins>" in said


def test_remarks_can_be_looked_at_apart(client, county):
    make_institution(county, name="怡康养老院")
    said = shown(client, preview(client, HOME), show="REMARKED")
    assert "将补填统一社会信用代码" in said


def test_a_file_that_says_nothing_new_is_not_offered_to_confirm(client, county):
    run = preview(client, HOME)
    writing.write(runs.confirm(run, INSTITUTIONS, actor=make_keeper()).pk, INSTITUTIONS)
    said = shown(client, preview(client, HOME))
    assert "不必导入" in said
    assert "这个文件导入过" in said
    assert "确认导入" not in said


def test_an_unreadable_file_says_why(client):
    run = upload(client, HOME)
    ImportRun.objects.filter(pk=run.pk).update(state=ImportState.REFUSED, refusal="文件“名录.xlsx”已损坏。")
    said = shown(client, run)
    assert "文件“名录.xlsx”已损坏。" in said
    assert "重新上传" in said


@pytest.mark.parametrize("rows", [1, 3])
@pytest.mark.parametrize("show", ["FAULTY", "NEW"])
def test_the_preview_costs_the_same_for_any_number(client, rows, show, django_assert_num_queries):
    good = [[f"第{n}院", None, *HOME[2:]] for n in range(rows)]
    run = preview(client, *good, *[BAD] * rows)
    with django_assert_num_queries(14):
        client.get(page(run, show=show))


def test_faulty_rows_are_returned_marked(client):
    run = preview(client, HOME, BAD)
    sheet = load_workbook(io.BytesIO(client.get(page(run, "import_faulty")).content)).active
    assert (sheet["A2"].value, sheet["D2"].value) == (3, "52350582MJB000018J")
    assert sheet["D2"].comment.text == "统一社会信用代码的校验位不符，请核对是否抄错"


# --- Confirming and throwing away -----------------------------------------------------------


def test_confirming_imports_and_says_where_to_look(client):
    run = preview(client, HOME)
    assert client.post(page(run, "import_confirm"))["Location"] == page(run)
    assert "导入" in shown(client, run)
    writing.write(runs.newest_job(run).pk, INSTITUTIONS)
    said = shown(client, run)
    assert "导入完成" in said
    assert reverse("institutions:list") in said
    assert Institution.objects.count() == 1


def test_a_stopped_import_says_why_what_was_written_and_offers_another_upload(client, county, settings):
    settings.IMPORT_CHUNK = 2
    run = preview(client, HOME, ["龙山养老院", USCCS[1], *HOME[2:]])
    make_institution(county, uscc=USCCS[1])
    client.post(page(run, "import_confirm"))
    writing.write(runs.newest_job(run).pk, INSTITUTIONS)
    said = shown(client, run)
    assert "导入中止" in said
    assert "第3行与现在的登记不符：预览后已由他人登记。请重新上传。" in said
    assert "此前的 1 行已写入机构名录并记入全过程留痕，其余 1 行没有写入" in said
    assert reverse("institutions:import") in said
    assert page(run, "import_discard") not in said


def test_faulty_rows_are_left_out_only_on_purpose(client):
    run = preview(client, HOME, BAD)
    client.post(page(run, "import_confirm"))
    assert "没有导入任何一行" in shown(client, run)
    client.post(page(run, "import_confirm"), {"leave_out": "1"})
    writing.write(runs.newest_job(run).pk, INSTITUTIONS)
    assert "有误，未导入" in shown(client, run)
    assert Institution.objects.count() == 1


def test_throwing_away_leaves_nothing(client):
    run = preview(client, HOME)
    assert client.post(page(run, "import_discard"))["Location"] == reverse("institutions:import")
    assert not ImportRun.objects.exists()


def test_a_finished_import_cannot_be_thrown_away(client):
    run = preview(client, HOME)
    client.post(page(run, "import_confirm"))
    client.post(page(run, "import_discard"))
    assert "不能放弃" in shown(client, run)


def test_anothers_import_is_not_there(client, client_as):
    run = preview(client, HOME)
    other = client_as(make_keeper())
    for name in ("import_run", "import_progress", "import_faulty"):
        assert other.get(page(run, name)).status_code == 404
    for name in ("import_confirm", "import_discard", "import_retry"):
        assert other.post(page(run, name)).status_code == 404


def test_another_bureau_may_not_import(client_as):
    clerk = client_as(make_user(make_department("shichang")))
    assert clerk.get(reverse("institutions:import")).status_code == 403
    assert clerk.post(reverse("institutions:import"), {"file": workbook(HOME)}).status_code == 403


# --- Export ------------------------------------------------------------------------------------


def test_the_export_holds_what_the_filter_finds(client, county):
    make_institution(county, name="甲院", beds=10)
    make_institution(make_town("安海镇", "350582101"), name="乙院", beds=20)
    response = client.get(reverse("institutions:export") + "?town=350582112")
    sheet = load_workbook(io.BytesIO(response.content)).active
    assert [sheet.cell(line, 1).value for line in range(1, sheet.max_row + 1)] == ["机构名称", "甲院"]


def test_a_town_exports_its_own_only(client_as, county):
    make_institution(county, name="甲院")
    make_institution(make_town("安海镇", "350582101"), name="乙院")
    clerk = client_as(make_user(make_department("zhen-yinglin", county)))
    sheet = load_workbook(io.BytesIO(clerk.get(reverse("institutions:export")).content)).active
    assert [sheet.cell(line, 1).value for line in range(2, sheet.max_row + 1)] == ["甲院"]


def test_the_list_links_its_export_with_the_filter(client, county):
    make_institution(county)
    said = client.get(reverse("institutions:list") + "?town=350582112").content.decode()
    assert f'href="{reverse("institutions:export")}?town=350582112"' in said
