from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from core.spreadsheets import open_workbook
from departments.enums import Role
from scenarios.enums import VersionState
from scenarios.models import ScenarioVersion
from scenarios.services.importing import import_workbook
from scenarios.services.versions import publish
from tests.factories.departments import make_user
from tests.factories.matrices import JINJIANG, THEME, make_admin, make_bureaus, make_workbook, printed

pytestmark = pytest.mark.django_db

TOWN = "承接行政处罚权的乡镇（街道）"


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
    return make_user(bureaus["shichang"], Role.HANDLER)


def url(name: str, *args) -> str:
    return reverse(f"scenarios:{name}", args=args)


def imported(admin, *rows) -> ScenarioVersion:
    return import_workbook(make_workbook(rows or [printed()]), name="清单.xlsx", actor=admin, again=True)


# --- What was in force on a day, and retirement ---------------------------------------------------------


def test_the_scenario_page_says_which_version_ruled_a_day(client_as, admin, stranger):
    first = publish(imported(admin), actor=admin, effective_from=timezone.localdate() - timedelta(days=90))
    publish(imported(admin, printed(check="新的检查")), actor=admin)
    day = timezone.localdate() - timedelta(days=30)
    response = client_as(stranger).get(url("detail", first.scenario_id), {"on": day.isoformat()})
    assert (response.context["day"], response.context["in_force"]) == (day, first)
    assert url("version", first.pk) in response.content.decode()


def test_on_a_day_before_the_first_version_none_was_in_force(client_as, admin):
    first = publish(imported(admin), actor=admin)
    response = client_as(admin).get(url("detail", first.scenario_id), {"on": "2020-01-01"})
    assert response.context["in_force"] is None
    assert "没有有效的版本" in response.content.decode()


def test_a_day_that_is_none_is_refused_in_words(client_as, admin):
    first = publish(imported(admin), actor=admin)
    response = client_as(admin).get(url("detail", first.scenario_id), {"on": "去年"})
    assert response.context["day"] is None
    assert "请填写日期，如 2025-03-01。" in response.content.decode()


def test_a_version_is_retired_from_its_page(client_as, admin, clerk):
    version = publish(imported(admin), actor=admin)
    client, today = client_as(clerk), timezone.localdate()
    assert client.get(url("version", version.pk)).context["may_retire"] is True
    response = client.post(
        url("retire", version.pk), {"last_day": today.isoformat(), "reason": "文件废止"}, follow=True
    )
    assert f"施行至 {today}。" in response.content.decode()
    assert "原因：文件废止" in response.content.decode()
    version.refresh_from_db()
    assert version.state == VersionState.RETIRED


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"last_day": "2099-01-01", "reason": "废止"}, "不能晚于今天"),
        ({"last_day": "2024-01-01", "reason": "废止"}, "不能早于"),
        ({"last_day": "", "reason": ""}, "请填写停用原因。"),
    ],
)
def test_a_refused_retirement_shows_the_form_again(client_as, admin, clerk, given, message):
    version = publish(imported(admin), actor=admin)
    response = client_as(clerk).post(url("retire", version.pk), given)
    assert response.status_code == 422
    assert message in response.content.decode()
    version.refresh_from_db()
    assert version.state == VersionState.PUBLISHED


def test_a_stranger_is_not_offered_to_retire(client_as, admin, stranger):
    version = publish(imported(admin), actor=admin)
    client = client_as(stranger)
    assert client.get(url("version", version.pk)).context["may_retire"] is False
    assert client.get(url("retire", version.pk)).status_code == 403


# --- Comparison --------------------------------------------------------------------------------------------


def test_a_draft_says_on_its_page_what_it_changes(client_as, admin):
    publish(imported(admin), actor=admin)
    draft = imported(admin, printed(body=TOWN), printed(number=2, penalty="另一处罚"))
    page = client_as(admin).get(url("version", draft.pk))
    assert (len(page.context["comparison"].changed), len(page.context["comparison"].added)) == (1, 1)
    assert "新增 1 行，删除 0 行，修改 1 行，处罚去向变化 2 项" in " ".join(page.content.decode().split())


def test_the_first_draft_has_nothing_to_be_compared_with(client_as, admin):
    draft = imported(admin)
    client = client_as(admin)
    assert client.get(url("version", draft.pk)).context["comparison"] is None
    assert "只有这一个版本" in client.get(url("version_compare", draft.pk)).content.decode()


def test_the_comparison_marks_what_changed(client_as, admin):
    publish(imported(admin), actor=admin)
    draft = imported(admin, printed(penalty="人员资格不符合国家规定的处罚"))
    response = client_as(admin).get(url("version_compare", draft.pk))
    assert response.context["base"].number == 1
    assert "<ins>国家</ins>" in response.content.decode()


def test_any_two_versions_are_compared(client_as, admin, stranger):
    versions = [
        publish(imported(admin, printed(check=name)), actor=admin) for name in ("甲查", "乙查", "丙查")
    ]
    page = client_as(stranger).get(url("version_compare", versions[0].pk), {"base": versions[2].pk})
    assert [change.title for change in page.context["comparison"].removed] == [
        "丙查 → 人员资格不符合规定的处罚"
    ]


def test_versions_that_say_the_same_are_said_to(client_as, admin):
    publish(imported(admin), actor=admin)
    response = client_as(admin).get(url("version_compare", imported(admin).pk))
    assert "两版逐行相同" in response.content.decode()


def test_a_draft_others_may_not_see_is_no_base(client_as, admin, stranger):
    version = publish(imported(admin), actor=admin)
    draft = imported(admin, printed(check="机密检查"))
    response = client_as(stranger).get(url("version_compare", version.pk), {"base": draft.pk})
    assert response.context["base"] is None
    assert "机密检查" not in response.content.decode()


@pytest.mark.parametrize("number", [1, 3])
def test_comparing_asks_the_same_number_of_queries(client_as, admin, number, django_assert_num_queries):
    publish(imported(admin), actor=admin)
    draft = imported(admin, *(printed(number=at, check=f"检查{at}") for at in range(number)))
    client = client_as(admin)
    with django_assert_num_queries(14):
        client.get(url("version_compare", draft.pk))


# --- Paper and Excel -----------------------------------------------------------------------------------------


def test_the_printed_page_has_the_titles_the_headings_and_the_pages_of_the_attachment(client_as, admin):
    version = import_workbook(JINJIANG.read_bytes(), name=JINJIANG.name, actor=admin)
    paper = client_as(admin).get(url("version_print", version.pk)).context["paper"]
    assert [[cell["text"] for cell in row] for row in paper["titles"]][-1] == [
        "主题：养老服务机构基础安全监管一件事",
        "牵头部门：市民政局",
    ]
    assert [len(page) for page in paper["pages"]] == [11, 8, 9]
    assert paper["pages"][0][0][2] == {"text": "民政", "align": "center", "rowspan": 8}


def test_the_printed_page_leaves_blank_what_was_inferred(client_as, admin):
    version = imported(admin, printed(), printed(number=2, penalty="另一处罚"))
    version.rows.filter(line=1).update(inferred={"2": "C3"})
    paper = client_as(admin).get(url("version_print", version.pk)).context["paper"]
    assert [row[2]["text"] for row in paper["pages"][0]] == ["民政", ""]


@pytest.mark.parametrize("number", [1, 3])
def test_printing_asks_the_same_number_of_queries(client_as, admin, number, django_assert_num_queries):
    version = imported(admin, *(printed(number=at, check=f"检查{at}") for at in range(number)))
    client = client_as(admin)
    with django_assert_num_queries(9):
        client.get(url("version_print", version.pk))


def test_a_version_is_downloaded_as_a_workbook_of_its_name(client_as, admin, stranger):
    version = publish(imported(admin), actor=admin)
    response = client_as(stranger).get(url("version_export", version.pk))
    workbook = open_workbook(response.content, "导出.xlsx")
    assert workbook.sheets[0].texts[1, 1] == THEME[0]
    assert "%E7%AC%AC1%E7%89%88.xlsx" in response["Content-Disposition"]
