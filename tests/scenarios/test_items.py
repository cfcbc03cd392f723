import json

import pytest
from django.core.exceptions import PermissionDenied

from core.errors import DomainError
from departments.enums import Role
from ledger.services import entries_of
from scenarios.enums import BasisState, Event
from scenarios.models import CheckItem, PenaltyItem, ScenarioVersion
from scenarios.permissions import penalty_keepers
from scenarios.services import items
from scenarios.services.importing import import_workbook
from scenarios.services.items import edit_check_item, edit_penalty_item
from tests.factories.departments import make_department, make_user
from tests.factories.matrices import JINJIANG, make_admin, make_bureaus
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
def jinjiang(admin):
    return import_workbook(JINJIANG.read_bytes(), name=JINJIANG.name, actor=admin)


@pytest.fixture
def item(jinjiang) -> CheckItem:
    return CheckItem.objects.get(name="对养老机构服务协议行政检查")


# --- Editing --------------------------------------------------------------------------------------------


def test_the_owning_departments_clerk_edits_its_item(item, bureaus):
    clerk = make_user(bureaus["minzheng"], Role.HANDLER)
    edit_check_item(item, actor=clerk, guide="抽五份协议", rectification_days=10)
    item.refresh_from_db()
    assert (item.guide, item.rectification_days) == ("抽五份协议", 10)


def test_an_edit_is_recorded_without_its_words(item, jinjiang, admin):
    edit_check_item(item, actor=admin, guide="抽五份协议", basis_state=BasisState.CURRENT)
    entry = entries_of(jinjiang.scenario.subject).last()
    assert (entry.kind, entry.payload["fields"]) == (Event.ITEM_EDITED, ["basis_state", "guide"])
    assert "抽五份协议" not in json.dumps(entry.payload, ensure_ascii=False)


def test_an_edit_that_changes_nothing_leaves_no_entry(item, jinjiang, admin):
    edit_check_item(item, actor=admin, guide="", basis_state=BasisState.UNVERIFIED)
    assert entries_of(jinjiang.scenario.subject).last().kind == Event.IMPORTED


@pytest.mark.parametrize(("code", "role"), [("shichang", Role.HEAD), ("minzheng", Role.OFFICER)])
def test_others_do_not_edit_it(item, bureaus, code, role):
    with pytest.raises(PermissionDenied):
        edit_check_item(item, actor=make_user(bureaus[code], role), guide="改")


def test_a_value_outside_its_choices_is_refused(item, admin):
    with pytest.raises(DomainError) as caught:
        edit_check_item(item, actor=admin, basis_state="MAYBE", required_features=["POOL"])
    assert sorted(caught.value.fields) == ["basis_state", "required_features"]
    item.refresh_from_db()
    assert item.basis_state == BasisState.UNVERIFIED


def test_names_and_owners_are_not_texts(item, admin):
    with pytest.raises(TypeError):
        edit_check_item(item, actor=admin, name="改名")


def test_an_edit_stands_on_the_items_own_chain_too(item, clerk):
    edit_check_item(item, actor=clerk, content="协议", procedure="一、出示证件")
    [change] = items.history(item)
    assert (change.title, change.body) == ("修改事项内容", "检查内容、检查流程")
    assert change.actor == "市民政局 陈测试"


# --- Registering ----------------------------------------------------------------------------------------


def test_a_department_registers_an_item_of_its_own(clerk, bureaus):
    made = items.register_check_item(
        actor=clerk, department=bureaus["minzheng"], name=" 对养老机构 \n收费的检查 ", law="《价格法》"
    )
    assert (made.name, made.law, made.department) == (
        "对养老机构收费的检查",
        "《价格法》",
        bureaus["minzheng"],
    )
    assert [entry.kind for entry in entries_of(made.subject)] == [Event.ITEM_CREATED]


def test_nobody_registers_for_another_department(clerk, bureaus):
    with pytest.raises(PermissionDenied):
        items.register_check_item(actor=clerk, department=bureaus["xiaofang"], name="消防检查")


def test_an_officer_registers_nothing(bureaus):
    officer = make_user(bureaus["minzheng"], Role.OFFICER)
    with pytest.raises(PermissionDenied):
        items.register_penalty_item(actor=officer, department=bureaus["minzheng"], name="一项处罚")


def test_a_taken_name_is_refused_naming_the_holder(item, bureaus):
    other = make_user(bureaus["xiaofang"], Role.HANDLER)
    with pytest.raises(DomainError) as caught:
        items.register_check_item(actor=other, department=bureaus["xiaofang"], name=item.name)
    assert caught.value.fields == {"name": f"“{item.name}”已由市民政局登记。"}


def test_a_taken_name_of_a_retired_item_says_that_it_can_be_restored(item, clerk, bureaus):
    items.retire(item, actor=clerk)
    with pytest.raises(DomainError, match="已停用，可恢复使用"):
        items.register_check_item(actor=clerk, department=bureaus["minzheng"], name=item.name)


def test_a_taken_penalty_name_is_refused_naming_its_keepers(jinjiang, clerk, bureaus):
    name = jinjiang.rows.get(number="28").penalty_item.name
    with pytest.raises(DomainError) as caught:
        items.register_penalty_item(actor=clerk, department=bureaus["minzheng"], name=name)
    assert caught.value.fields == {"name": f"“{name}”已由市消防救援大队登记。"}


def test_an_item_without_a_name_is_refused(clerk, bureaus):
    with pytest.raises(DomainError) as caught:
        items.register_check_item(actor=clerk, department=bureaus["minzheng"], name=" \n")
    assert caught.value.fields == {"name": "请填写事项名称。"}


# --- Penalty items: who keeps them ----------------------------------------------------------------------


def keepers(item: PenaltyItem) -> set[str]:
    by_pk = {make_department(code).pk: code for code in ("minzheng", "shichang", "xiaofang", "renshe")}
    return {by_pk[pk] for pk in penalty_keepers(item)}


def test_whoever_punishes_and_whoever_checks_keep_a_penalty_item():
    version = make_version([Row("联合检查", "shichang", "一项处罚", "xiaofang")])
    penalty = version.rows.get().penalty_item
    assert keepers(penalty) == {"shichang", "xiaofang"}
    for code in ("shichang", "xiaofang"):
        edit_penalty_item(penalty, actor=make_user(make_department(code)), penalty_range=f"{code}写的")
    with pytest.raises(PermissionDenied):
        edit_penalty_item(penalty, actor=make_user(make_department("renshe")), penalty_range="改")


def test_a_retired_version_gives_no_say(bureaus):
    version = make_version([Row("联合检查", "shichang", "一项处罚", "xiaofang")])
    ScenarioVersion.objects.filter(pk=version.pk).update(
        state="RETIRED", effective_until=version.effective_from
    )
    assert keepers(version.rows.get().penalty_item) == set()


def test_an_imported_item_goes_by_its_draft_until_a_version_is_in_force(jinjiang):
    assert keepers(jinjiang.rows.get(number="28").penalty_item) == {"xiaofang"}


def test_who_registered_an_item_keeps_it_before_any_row_does(clerk, bureaus):
    made = items.register_penalty_item(actor=clerk, department=bureaus["minzheng"], name="一项处罚")
    assert keepers(made) == {"minzheng"}


def test_a_penalty_edit_stands_on_the_scenarios_chain_by_its_fields_only():
    version = make_version([Row("联合检查", "shichang", "一项处罚", "xiaofang")])
    penalty = version.rows.get().penalty_item
    edit_penalty_item(penalty, actor=make_admin(), penalty_range="三万元以下罚款", article="第六十条")
    entry = entries_of(version.scenario.subject).last()
    assert (entry.kind, entry.payload["fields"]) == (Event.ITEM_EDITED, ["article", "penalty_range"])
    assert "罚款" not in json.dumps(entry.payload, ensure_ascii=False)


# --- Retiring -------------------------------------------------------------------------------------------


def test_a_retired_item_is_not_in_use_until_it_is_restored(item, clerk):
    items.retire(item, actor=clerk)
    assert not CheckItem.objects.in_use().filter(pk=item.pk).exists()
    items.restore(item, actor=clerk)
    assert CheckItem.objects.in_use().filter(pk=item.pk).exists()
    assert [change.title for change in items.history(item)] == ["恢复事项", "停用事项"]


def test_an_item_is_retired_once(item, clerk):
    items.retire(item, actor=clerk)
    with pytest.raises(DomainError, match="已经停用"):
        items.retire(item, actor=clerk)


def test_an_item_in_use_is_not_restored(item, clerk):
    with pytest.raises(DomainError, match="没有停用"):
        items.restore(item, actor=clerk)


def test_others_do_not_retire_it(item, bureaus):
    with pytest.raises(PermissionDenied):
        items.retire(item, actor=make_user(bureaus["shichang"], Role.HEAD))


def test_a_draft_that_leans_on_a_retired_item_names_the_row(item, jinjiang, clerk):
    items.require_in_use(jinjiang)
    items.retire(item, actor=clerk)
    with pytest.raises(DomainError, match="第2行的事项已停用"):
        items.require_in_use(jinjiang)


# --- What is said of the basis --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, ""),
        ({"law": "《消防法》", "article": "第六十条"}, "《消防法》第六十条"),
        ({"basis": "现场检查职权见同法。"}, "现场检查职权见同法。"),
        (
            {"law": "《消防法》", "article": "第六十条", "basis": "《消防法》第六十条第一款。"},
            "《消防法》第六十条第一款。",
        ),
        ({"law": "《消防法》", "basis": "单位应当保持畅通。"}, "《消防法》。单位应当保持畅通。"),
    ],
)
def test_law_and_article_come_first_and_once(given, said):
    assert CheckItem(**given).grounds == said
