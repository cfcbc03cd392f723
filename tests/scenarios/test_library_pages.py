"""Pages of the item library and the published list."""

import io
from datetime import date, timedelta

import openpyxl
import pytest
from django.urls import reverse
from django.utils import timezone

from departments.enums import Role
from scenarios.enums import BasisState
from scenarios.models import CheckItem, PenaltyItem, PublishedItem, ScenarioVersion
from scenarios.services import items
from scenarios.services.importing import import_workbook
from scenarios.services.library import load_texts
from scenarios.services.versions import publish
from tests.factories.departments import make_department, make_user
from tests.factories.matrices import JINJIANG, TEXTS, make_admin, make_bureaus
from tests.factories.scenarios import Row, make_version

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


def sheet(response) -> list[tuple]:
    return list(openpyxl.load_workbook(io.BytesIO(response.content)).active.iter_rows(values_only=True))


# --- Check items ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [1, 3])
def test_the_item_list_asks_the_same_number_of_queries(client_as, clerk, number, django_assert_num_queries):
    for at in range(number):
        CheckItem.objects.create(department=make_department("minzheng"), name=f"检查{at}")
    client = client_as(clerk)
    with django_assert_num_queries(10):
        assert len(client.get(url("item_list")).context["listing"].page.object_list) == number


def test_the_item_list_filters_by_department_state_and_word(client_as, clerk, admin, jinjiang):
    client = client_as(clerk)

    def names(**query):
        return [item.name for item in client.get(url("item_list"), query).context["listing"]]

    assert len(names(department="minzheng")) == 8
    assert names(q="特种设备 检查") == [
        item.name for item in CheckItem.objects.filter(name__contains="特种设备")
    ]
    assert names(basis_state="REPEALED") == []
    assert names(department="nobody") == []


def test_the_item_list_sorts_by_the_penalties_of_versions_in_force(client_as, clerk, admin, jinjiang):
    publish(jinjiang, actor=admin)
    items = list(client_as(clerk).get(url("item_list"), {"sort": "-penalties"}).context["listing"])
    assert [item.penalty_count for item in items[:3]] == [9, 4, 1]


def test_retired_items_are_listed_on_request_only(client_as, clerk, admin, jinjiang):
    item = CheckItem.objects.get(name="对养老机构服务协议行政检查")
    items.retire(item, actor=admin)
    client = client_as(clerk)

    def total(**query):
        return client.get(url("item_list"), query).context["listing"].page.paginator.count

    assert (total(), total(use="retired"), total(use="all")) == (16, 1, 17)


def test_the_export_follows_the_filter(client_as, clerk, admin, jinjiang):
    load_texts(TEXTS, actor=admin)
    response = client_as(clerk).get(url("item_export"), {"department": "xiaofang"})
    heading, row = sheet(response)
    assert dict(zip(heading, row, strict=True)) | {"现场看什么": "", "检查流程": "", "检查内容": ""} == {
        "检查事项": "对消防安全重点单位履行法定消防安全职责情况的监督检查",
        "实施部门": "市消防救援大队",
        "法律法规": "《消防法》",
        "条款": "第十六条、第十七条、第六十条、第六十一条、第六十六条",
        "依据": "《消防法》第十六条、第十七条、第六十条、第六十一条、第六十六条；"
        "《养老机构消防安全管理规定》（民发〔2023〕37号）。",
        "依据状态": "依据待核",
        "检查内容": "",
        "检查方式": "现场检查、功能测试、查阅档案",
        "检查流程": "",
        "现场看什么": "",
        "适用": "消防安全重点单位",
        "默认整改天数": None,
        "状态": "在用",
    }


def test_a_department_edits_its_own_item(client_as, clerk, jinjiang):
    item = CheckItem.objects.filter(department__code="minzheng").first()
    response = client_as(clerk).post(
        url("item_edit", item.pk),
        {
            "basis": "《办法》第四十六条",
            "basis_state": "CURRENT",
            "guide": "看排班表",
            "required_features": ["CANTEEN"],
        },
    )
    assert response["Location"] == url("item", item.pk)
    item.refresh_from_db()
    assert (item.basis_state, item.guide, item.required_features) == ("CURRENT", "看排班表", ["CANTEEN"])


def test_another_departments_item_is_read_only(client_as, stranger, jinjiang):
    item = CheckItem.objects.filter(department__code="minzheng").first()
    assert client_as(stranger).get(url("item", item.pk)).context["may_edit"] is False
    assert client_as(stranger).get(url("item_edit", item.pk)).status_code == 403


def test_an_invalid_item_is_shown_again(client_as, clerk, jinjiang):
    item = CheckItem.objects.filter(department__code="minzheng").first()
    response = client_as(clerk).post(
        url("item_edit", item.pk), {"basis_state": "CURRENT", "rectification_days": "0"}
    )
    assert response.status_code == 422
    assert response.context["form"].errors == {"rectification_days": ["至少 1 天。"]}


def test_a_department_registers_an_item_on_the_page(client_as, stranger, bureaus):
    response = client_as(stranger).post(
        url("item_create"),
        {"name": "对电梯的检查", "department": "shichang", "basis_state": "CURRENT", "content": "电梯"},
    )
    made = CheckItem.objects.get(name="对电梯的检查")
    assert response["Location"] == url("item", made.pk)
    assert (made.department, made.content) == (bureaus["shichang"], "电梯")


def test_a_department_not_its_own_cannot_be_chosen(client_as, stranger):
    response = client_as(stranger).post(
        url("item_create"), {"name": "对电梯的检查", "department": "minzheng", "basis_state": "CURRENT"}
    )
    assert (response.status_code, list(response.context["form"].errors)) == (422, ["department"])


def test_a_taken_name_is_shown_in_the_form(client_as, clerk, jinjiang):
    response = client_as(clerk).post(
        url("item_create"),
        {"name": "对养老机构服务协议行政检查", "department": "minzheng", "basis_state": "CURRENT"},
    )
    assert response.status_code == 422
    assert "已由市民政局登记" in response.content.decode()


def test_an_item_is_retired_and_restored_from_its_page(client_as, clerk, jinjiang):
    item = CheckItem.objects.filter(department__code="minzheng").first()
    client = client_as(clerk)
    page = client.post(url("item_retire", item.pk), follow=True).content.decode()
    assert "已停用，新的清单不再选用" in page
    assert url("item_restore", item.pk) in page
    assert "已恢复" in client.post(url("item_restore", item.pk), follow=True).content.decode()
    assert "没有停用" in client.post(url("item_restore", item.pk), follow=True).content.decode()


@pytest.mark.parametrize("number", [1, 3])
def test_the_item_page_asks_the_same_number_of_queries(client_as, clerk, number, django_assert_num_queries):
    version = make_version([Row("人员检查", penalty=f"处罚{at}") for at in range(number)])
    item = version.rows.first().check_item
    for at in range(number):
        items.edit_check_item(item, actor=clerk, guide=f"要点{at}")
    client = client_as(clerk)
    with django_assert_num_queries(13):
        context = client.get(url("item", item.pk)).context
    assert (len(context["penalties"]), len(context["history"])) == (number, number)


# --- Penalty items --------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [1, 3])
def test_the_penalty_list_asks_the_same_number_of_queries(
    client_as, clerk, number, django_assert_num_queries
):
    make_version([Row("人员检查", penalty=f"处罚{at}") for at in range(number)])
    client = client_as(clerk)
    with django_assert_num_queries(10):
        assert len(client.get(url("penalty_list")).context["listing"].page.object_list) == number


@pytest.mark.parametrize("number", [1, 3])
def test_the_penalty_page_asks_the_same_number_of_queries(
    client_as, clerk, number, django_assert_num_queries
):
    version = make_version([Row(f"检查{at}", penalty="一项处罚") for at in range(number)])
    penalty = version.rows.first().penalty_item
    client = client_as(clerk)
    with django_assert_num_queries(14):
        assert len(client.get(url("penalty", penalty.pk)).context["rows"]) == number


def test_penalties_are_found_by_whoever_implements_them(client_as, clerk):
    make_version(
        [Row("消防检查", "xiaofang", "甲处罚", "xiaofang"), Row("食堂检查", "shichang", "乙处罚", "FIRE")]
    )
    listing = client_as(clerk).get(url("penalty_list"), {"department": "xiaofang"}).context["listing"]
    assert [item.name for item in listing] == ["甲处罚"]


def test_whoever_implements_a_penalty_edits_it_on_the_page(client_as, stranger, clerk):
    version = make_version([Row("食堂检查", "shichang", "一项处罚", "shichang")])
    penalty = version.rows.get().penalty_item
    response = client_as(stranger).post(
        url("penalty_edit", penalty.pk),
        {"law": "《食品安全法》", "article": "第一百三十二条", "basis_state": "CURRENT"},
    )
    assert response["Location"] == url("penalty", penalty.pk)
    penalty.refresh_from_db()
    assert (penalty.citation, penalty.basis_state) == ("《食品安全法》第一百三十二条", BasisState.CURRENT)
    assert client_as(clerk).get(url("penalty_edit", penalty.pk)).status_code == 403


def test_a_penalty_is_registered_on_the_page(client_as, clerk, bureaus):
    response = client_as(clerk).post(
        url("penalty_create"), {"name": "一项处罚", "department": "minzheng", "basis_state": "UNVERIFIED"}
    )
    made = PenaltyItem.objects.get(name="一项处罚")
    assert (response["Location"], made.department) == (url("penalty", made.pk), bureaus["minzheng"])


def test_the_penalties_export_writes_texts_as_texts(client_as, clerk, bureaus):
    items.register_penalty_item(
        actor=clerk, department=bureaus["minzheng"], name="一项处罚", penalty_range="=1+1"
    )
    heading, row = sheet(client_as(clerk).get(url("penalty_export")))
    assert dict(zip(heading, row, strict=True))["处罚种类与幅度"] == "=1+1"


# --- The published list ---------------------------------------------------------------------------------


def test_the_public_list_shows_no_draft(client, jinjiang):
    response = client.get(url("public_list"))
    assert (response.context["versions"], list(response.context["listing"])) == ([], [])
    assert client.get(url("public_scenario", jinjiang.scenario_id)).status_code == 404


def test_the_public_list_shows_what_is_in_force_as_it_was_published(client, admin, jinjiang):
    load_texts(TEXTS, actor=admin)
    publish(jinjiang, actor=admin)
    item = CheckItem.objects.get(name="对养老机构服务协议行政检查")
    items.edit_check_item(item, actor=admin, content="后来改的内容")
    response = client.get(url("public_scenario", jinjiang.scenario_id))
    page = response.content.decode()
    assert "与老年人或者其代理人签订服务协议的情况" in page
    assert "后来改的内容" not in page
    assert [(group.department.code, len(group.items)) for group in response.context["groups"]] == [
        ("minzheng", 8),
        ("renshe", 1),
        ("ziran", 2),
        ("shichang", 3),
        ("chengguan", 1),
        ("shengtai", 1),
        ("xiaofang", 1),
    ]


def test_the_public_list_names_who_punishes(client, admin, jinjiang):
    publish(jinjiang, actor=admin)
    groups = client.get(url("public_scenario", jinjiang.scenario_id), {"department": "xiaofang"}).context[
        "groups"
    ]
    [group] = groups
    assert [row.penalty_body_in_words for row in group.items[0].penalised] == [
        *["承接消防行政处罚权的乡镇（街道）"] * 8,
        "晋江市消防救援大队",
    ]


def test_a_procedure_all_items_of_a_department_share_is_read_once(client, admin, jinjiang):
    load_texts(TEXTS, actor=admin)
    items.edit_check_item(
        CheckItem.objects.get(name__startswith="特种设备"), actor=admin, procedure="一、查登记。"
    )
    publish(jinjiang, actor=admin)
    groups = client.get(url("public_scenario", jinjiang.scenario_id)).context["groups"]
    assert [group.procedure != "" for group in groups] == [True, True, True, False, True, True, True]


def test_the_public_list_names_no_person(client, admin, jinjiang):
    make_department("minzheng")
    publish(jinjiang, actor=admin)
    for page in (url("public_list"), url("public_scenario", jinjiang.scenario_id)):
        assert admin.name not in client.get(page).content.decode()


def test_a_past_day_shows_the_version_of_that_day(client):
    old = make_version([Row("旧的检查")])
    today = timezone.localdate()
    ScenarioVersion.objects.filter(pk=old.pk).update(
        state="RETIRED", effective_until=today - timedelta(days=1)
    )
    page = url("public_scenario", old.scenario_id)
    assert client.get(page).context["version"] is None
    past = client.get(page, {"on": (today - timedelta(days=1)).isoformat()})
    assert (past.context["version"], "旧的检查" in past.content.decode()) == (old, True)
    assert client.get(page, {"on": date(2000, 1, 1).isoformat()}).context["version"] is None


@pytest.mark.parametrize("word", ["食堂检查", "食品贮存不符合要求"])
def test_the_public_list_is_searched_by_item_and_penalty(client, word):
    make_version()
    assert [item.name for item in client.get(url("public_list"), {"q": word}).context["listing"]] == [
        "食堂检查"
    ]


def test_a_date_nobody_can_read_finds_nothing(client):
    make_version()
    assert list(client.get(url("public_list"), {"on": "昨天"}).context["listing"]) == []


@pytest.mark.parametrize("number", [1, 3])
def test_the_public_pages_ask_the_same_number_of_queries(client, number, django_assert_num_queries):
    version = make_version([Row(f"检查{at}", penalty=f"处罚{at}") for at in range(number)])
    with django_assert_num_queries(4):
        client.get(url("public_list"))
    with django_assert_num_queries(5):
        client.get(url("public_scenario", version.scenario_id))
    assert PublishedItem.objects.count() == number
