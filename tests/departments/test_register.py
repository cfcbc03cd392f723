import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError
from django.urls import reverse

from core.digests import digest_text
from core.errors import DomainError
from departments import services
from departments.enums import AliasOrigin, DepartmentKind, Event, Role
from departments.models import Department, DepartmentAlias, Town
from departments.services import find_department
from ledger.models import Entry
from tests.factories.departments import make_department, make_town, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin():
    return make_user(None, Role.SYSTEM_ADMIN)


@pytest.fixture
def bureau():
    return make_department("xiaofang")


def address(name, *args):
    return reverse(f"departments:{name}", args=args)


def new_department(client, **values):
    given = {
        "kind": "BUREAU",
        "town_code": "",
        "name": "晋江市卫生健康局",
        "short_name": "市卫健局",
        "code": "weijian",
        "order": "",
        "duties": "医养结合机构监管",
        "agency_code": "晋卫",
        "contact_section": "老龄科",
        "contact_name": "陈科长",
        "contact_phone": "0595-82000000",
    }
    return client.post(address("create"), given | values)


# --- Entering ---------------------------------------------------------------------------


def test_a_bureau_is_entered_last_of_its_kind_and_noted(client_as, admin, bureau):
    response = new_department(client_as(admin))
    assert response["Location"] == address("detail", "weijian")
    made = Department.objects.get(code="weijian")
    assert (made.kind, made.order, made.duties) == ("BUREAU", bureau.order + 1, "医养结合机构监管")
    assert made.group.name == "department:weijian"
    entry = Entry.objects.get(chain__subject=made.key)
    assert (entry.kind, entry.actor, entry.payload) == (
        Event.DEPARTMENT_CREATED,
        admin.key,
        {"kind": "BUREAU"},
    )


def test_a_town_is_entered_with_its_code(client_as, admin):
    new_department(
        client_as(admin),
        kind="TOWN",
        town_code="350582120",
        name="永宁镇人民政府",
        short_name="永宁镇",
        code="zhen-yongning",
    )
    town = Town.objects.get(code="350582120")
    assert (town.name, town.department.code) == ("永宁镇", "zhen-yongning")


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"code": "xiaofang"}, "code"),
        ({"code": "new"}, "code"),
        ({"code": "卫健"}, "code"),
        ({"name": "晋江市 消防救援大队"}, "name"),
        ({"short_name": "市消防救援大队"}, "short_name"),
        ({"short_name": ""}, "short_name"),
        ({"kind": "TOWN"}, "town_code"),
        ({"town_code": "350582120"}, "town_code"),
        ({"kind": "TOWN", "town_code": "12"}, "town_code"),
    ],
)
def test_a_wrong_department_names_the_field(client_as, admin, bureau, values, field):
    response = new_department(client_as(admin), **values)
    assert response.status_code == 422
    assert field in response.context["form"].errors
    assert Department.objects.count() == 1


def test_a_town_has_one_department(admin):
    make_department("zhen-yinglin", make_town("英林镇", "350582101"))
    with pytest.raises(DomainError, match="已由英林镇登记"):
        services.enter_department(
            actor=admin,
            kind=DepartmentKind.TOWN,
            town_code="350582101",
            code="zhen-x",
            name="某镇人民政府",
            short_name="某镇",
        )


def test_only_the_system_admin_enters_departments():
    keeper = make_user(None, Role.SECURITY_ADMIN)
    with pytest.raises(PermissionDenied):
        services.enter_department(
            actor=keeper, kind=DepartmentKind.BUREAU, code="x", name="某局", short_name="某"
        )


# --- Changing ---------------------------------------------------------------------------


def test_a_former_name_stays_known(admin, bureau):
    services.change_department(bureau, actor=admin, name="晋江市消防救援局", short_name="市消防救援局")
    bureau.refresh_from_db()
    assert find_department("晋江市消防救援大队") == find_department("市消防救援局") == bureau
    aliases = bureau.aliases.values_list("alias", "origin")
    assert set(aliases) == {
        ("晋江市消防救援大队", AliasOrigin.FORMER),
        ("市消防救援大队", AliasOrigin.FORMER),
    }


def test_a_name_taken_back_is_no_alias_any_more(admin, bureau):
    services.change_department(bureau, actor=admin, short_name="市消防救援局")
    services.change_department(bureau, actor=admin, short_name="市消防救援大队")
    assert list(bureau.aliases.values_list("alias", flat=True)) == ["市消防救援局"]


def test_a_towns_name_follows_its_department(admin):
    department = make_department("zhen-yinglin", make_town("英林镇"))
    services.change_department(department, actor=admin, short_name="英林街道")
    assert Town.objects.get().name == "英林街道"


def test_a_name_of_another_department_is_refused_naming_it(client_as, admin, bureau):
    make_department("minzheng")
    form = {"name": bureau.name, "short_name": "市民政局", "order": 1}
    response = client_as(admin).post(address("edit", "xiaofang"), form)
    assert response.status_code == 422
    assert response.context["form"].errors == {"short_name": ["已是市民政局的名称"]}
    assert "市消防救援大队" in response.content.decode()


def test_a_department_admin_changes_duties_and_contact_but_no_name(client_as, bureau):
    client = client_as(make_user(bureau, Role.DEPARTMENT_ADMIN))
    client.post(
        address("edit", "xiaofang"),
        {"name": "别名", "short_name": "别名", "duties": "消防监督", "contact_section": "防火科"},
    )
    bureau.refresh_from_db()
    assert (bureau.name, bureau.duties, bureau.contact_section) == (
        "晋江市消防救援大队",
        "消防监督",
        "防火科",
    )


def test_a_name_is_not_the_department_admins_to_change(bureau):
    with pytest.raises(PermissionDenied):
        services.change_department(bureau, actor=make_user(bureau, Role.DEPARTMENT_ADMIN), name="某局")


# --- Other names -------------------------------------------------------------------------


def test_an_alias_is_registered_plain_and_noted(client_as, admin, bureau):
    client_as(admin).post(address("alias_add", "xiaofang"), {"alias": " 消防　部门、"})
    alias = DepartmentAlias.objects.get()
    assert (alias.alias, alias.origin, alias.department) == ("消防部门", AliasOrigin.REGISTERED, bureau)
    entry = Entry.objects.get(chain__subject=bureau.key)
    assert entry.kind == Event.ALIAS_ADDED
    assert entry.payload == {"alias": alias.pk, "origin": "REGISTERED", "digest": digest_text("消防部门")}


@pytest.mark.parametrize("taken", ["民政局", "市民政局", "晋江市 民政局", "市民政局、"])
def test_a_taken_alias_is_refused_naming_its_holder(client_as, admin, bureau, taken):
    services.register_alias(make_department("minzheng"), "民政局", actor=admin)
    response = client_as(admin).post(address("alias_add", "xiaofang"), {"alias": taken})
    assert response.status_code == 422
    assert "市民政局的名称或别名" in response.context["alias_form"].errors["alias"][0]


@pytest.mark.parametrize("alias", ["", "、", "  "])
def test_an_empty_alias_is_refused(client_as, admin, bureau, alias):
    response = client_as(admin).post(address("alias_add", "xiaofang"), {"alias": alias})
    assert response.status_code == 422
    assert not DepartmentAlias.objects.exists()


def test_a_name_learnt_by_an_import_is_shown_so_and_can_be_removed(client_as, admin, bureau):
    services.add_alias(bureau, "市消防支队")
    alias = bureau.aliases.get()
    assert alias.origin == AliasOrigin.LEARNT
    client = client_as(admin)
    assert "导入时确认" in client.get(address("detail", "xiaofang")).content.decode()
    client.post(address("alias_remove", "xiaofang", alias.pk))
    assert find_department("市消防支队") is None
    assert Entry.objects.get(chain__subject=bureau.key).kind == Event.ALIAS_REMOVED


def test_a_name_of_one_department_is_never_learnt_for_another(bureau):
    minzheng = make_department("minzheng")
    services.add_alias(bureau, "市民政局")
    assert find_department("市民政局") == minzheng
    assert not DepartmentAlias.objects.exists()


def test_an_alias_of_another_department_is_not_found_under_this_one(client_as, admin, bureau):
    alias = services.register_alias(make_department("minzheng"), "民政局", actor=admin)
    assert client_as(admin).post(address("alias_remove", "xiaofang", alias.pk)).status_code == 404


def test_only_the_system_admin_says_what_a_department_is_called(bureau):
    with pytest.raises(PermissionDenied):
        services.register_alias(bureau, "消防", actor=make_user(bureau, Role.DEPARTMENT_ADMIN))


def test_an_alias_with_spaces_is_refused_by_the_database(bureau):
    with pytest.raises(IntegrityError, match="departments_alias_without_spaces"):
        DepartmentAlias.objects.create(department=bureau, alias="消防 部门")
