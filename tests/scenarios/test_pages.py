import pytest
from django.urls import reverse

from departments.enums import Role
from scenarios.enums import VersionState
from scenarios.models import Scenario, ScenarioVersion
from scenarios.services.importing import import_workbook
from scenarios.services.library import load_texts
from scenarios.services.versions import publish
from tests.factories.departments import make_user
from tests.factories.matrices import JINJIANG, TEXTS, make_admin, make_bureaus, make_workbook, printed
from tests.factories.scenarios import make_version

pytestmark = pytest.mark.django_db


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


@pytest.fixture
def jinjiang(admin):
    return import_workbook(JINJIANG.read_bytes(), name=JINJIANG.name, actor=admin)


def url(name: str, *args) -> str:
    return reverse(f"scenarios:{name}", args=args)


# --- The matrix as printed --------------------------------------------------------------------------


def test_the_version_page_prints_the_matrix_with_its_merged_cells(client_as, admin, jinjiang):
    response = client_as(admin).get(url("version", jinjiang.pk))
    matrix = response.context["matrix"]
    assert [len(row) for row in matrix["rows"]] == [
        7, 5, 5, 5, 5, 5, 5, 5, 7, 7, 5, 7, 7, 7, 5, 3, 5, 5, 3, 7, 3, 3, 3, 3, 3, 3, 3, 3,
    ]  # fmt: skip
    assert matrix["rows"][0][2] == {"text": "民政", "align": "center", "rowspan": 8}
    assert [cell["text"] for cell in matrix["title_row"]] == [
        "主题：养老服务机构基础安全监管一件事",
        "牵头部门：市民政局",
    ]
    assert [cell["text"] for cell in matrix["header"][0]].count("实施部门") == 2


def test_the_version_page_notes_whom_a_penalty_goes_to(client_as, admin, jinjiang):
    rows = client_as(admin).get(url("version", jinjiang.pk)).context["matrix"]["rows"]
    assert [rows[number - 1][-1]["note"] for number in (10, 24, 28)] == [
        "机构所在镇街，按行政处罚权赋权清单",
        "机构所在镇街，按消防赋权清单",
        "市消防救援大队",
    ]


def test_the_version_page_counts_what_the_attachment_has(client_as, admin, jinjiang):
    counts = client_as(admin).get(url("version", jinjiang.pk)).context["counts"]
    assert (counts.rows, counts.situations, counts.sectors) == (28, 11, 7)
    assert (counts.check_items, counts.penalty_items) == (17, 27)


def test_the_version_page_marks_and_counts_doubtful_bases(client_as, admin, jinjiang):
    load_texts(TEXTS, actor=admin)
    context = client_as(admin).get(url("version", jinjiang.pk)).context
    assert context["doubtful"] == {"unverified": 17 + 26, "repealed": 1}
    assert [cell["chips"] for cell in context["matrix"]["rows"][2] if "chips" in cell] == [
        [{"value": "REPEALED", "label": "已废止"}]
    ]


def test_a_draft_is_invisible_to_other_departments(client_as, stranger, jinjiang):
    assert client_as(stranger).get(url("version", jinjiang.pk)).status_code == 404
    assert client_as(stranger).get(url("detail", jinjiang.scenario_id)).status_code == 404


def test_a_published_version_is_everybodys_reading(client_as, admin, stranger, jinjiang):
    publish(jinjiang, actor=admin)
    response = client_as(stranger).get(url("version", jinjiang.pk))
    assert response.status_code == 200
    assert response.context["may_edit"] is False


def test_the_source_file_is_for_those_who_keep_the_scenario(client_as, clerk, admin, stranger, jinjiang):
    publish(jinjiang, actor=admin)
    response = client_as(clerk).get(url("source", jinjiang.pk))
    assert b"".join(response.streaming_content) == JINJIANG.read_bytes()
    assert client_as(stranger).get(url("source", jinjiang.pk)).status_code == 404


def test_a_note_names_the_department_only_where_another_name_is_printed(client_as, admin, jinjiang):
    rows = client_as(admin).get(url("version", jinjiang.pk)).context["matrix"]["rows"]
    assert "note" not in rows[0][-1]  # 民政局, which is 市民政局
    assert rows[27][-1] == {"text": "消防部门", "note": "市消防救援大队", "align": "center"}


# --- Lists --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [1, 3])
def test_the_list_asks_the_same_number_of_queries(client_as, clerk, number, django_assert_num_queries):
    for _ in range(number):
        make_version()
    client = client_as(clerk)
    with django_assert_num_queries(11):
        assert len(client.get(url("list")).context["listing"].page.object_list) == number


@pytest.mark.parametrize("number", [1, 3])
def test_the_detail_page_asks_the_same_number_of_queries(client_as, admin, number, django_assert_num_queries):
    for at in range(number):
        import_workbook(make_workbook([printed(check=f"检查{at}")]), name="清单.xlsx", actor=admin)
    client = client_as(admin)
    with django_assert_num_queries(10):
        assert len(client.get(url("detail", Scenario.objects.get().pk)).context["versions"]) == number


@pytest.mark.parametrize("number", [1, 3])
def test_the_version_page_asks_the_same_number_of_queries(
    client_as, admin, number, django_assert_num_queries
):
    rows = [printed(number=at, check=f"检查{at}") for at in range(number)]
    version = import_workbook(make_workbook(rows), name="清单.xlsx", actor=admin)
    client = client_as(admin)
    with django_assert_num_queries(13):
        assert len(client.get(url("version", version.pk)).context["matrix"]["rows"]) == number


def test_without_a_matrix_the_list_says_what_to_do_next(client_as, admin, clerk, bureaus):
    assert "导入 Excel 清单" in client_as(admin).get(url("list")).content.decode()
    officer = make_user(bureaus["shichang"], Role.OFFICER)
    assert "牵头部门发布后" in client_as(officer).get(url("list")).content.decode()


# --- Publish, discard -----------------------------------------------------------------------------------


def test_publishing_from_the_page(client_as, clerk, jinjiang):
    client = client_as(clerk)
    response = client.post(url("publish", jinjiang.pk), {"effective_from": "2024-12-02"}, follow=True)
    assert "内容不再更改" in response.content.decode()
    jinjiang.refresh_from_db()
    assert (jinjiang.state, jinjiang.effective_from.isoformat()) == (VersionState.PUBLISHED, "2024-12-02")


def test_a_refused_publication_says_why(client_as, clerk, jinjiang):
    response = client_as(clerk).post(
        url("publish", jinjiang.pk), {"effective_from": "2099-01-01"}, follow=True
    )
    assert "生效日期不能晚于今天，请在生效当日发布。" in response.content.decode()


def test_only_the_lead_publishes(client_as, admin, stranger, jinjiang):
    assert client_as(stranger).post(url("publish", jinjiang.pk)).status_code == 404
    publish(jinjiang, actor=admin)
    assert client_as(stranger).post(url("publish", jinjiang.pk)).status_code == 403
    assert client_as(stranger).post(url("discard", jinjiang.pk)).status_code == 403


def test_discarding_from_the_page(client_as, admin, jinjiang):
    response = client_as(admin).post(url("discard", jinjiang.pk), follow=True)
    assert response.status_code == 200
    assert ScenarioVersion.objects.count() == 0


def test_publish_and_discard_are_no_links(client_as, admin, jinjiang):
    client = client_as(admin)
    assert client.get(url("publish", jinjiang.pk)).status_code == 405
    assert client.get(url("discard", jinjiang.pk)).status_code == 405
