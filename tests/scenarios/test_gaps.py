from datetime import date

import pytest
from django.urls import reverse

from departments.enums import Role
from departments.models import Department
from scenarios.enums import BasisState, GapKind, PenaltyBodyKind
from scenarios.models import CheckItem, MatrixRow, PenaltyItem, Scenario, ScenarioVersion
from scenarios.services.gaps import Gap, Page, find_gaps
from scenarios.services.importing import import_workbook
from scenarios.services.library import load_texts
from scenarios.services.participants import name_contact
from scenarios.services.versions import publish
from tests.factories.departments import make_department, make_town, make_user
from tests.factories.matrices import JINJIANG, TEXTS, make_admin, make_bureaus, make_workbook, printed
from tests.factories.scenarios import ROWS, Row, delegate_all, make_version

pytestmark = pytest.mark.django_db

TODAY = date(2026, 11, 25)


@pytest.fixture
def admin():
    return make_user(None, Role.SYSTEM_ADMIN)


@pytest.fixture(autouse=True)
def reachable():
    """Every department has a contact, so that only the gap in question shows."""
    make_version(ROWS)
    Department.objects.update(contact_name="王文")
    CheckItem.objects.update(basis_state=BasisState.CURRENT)
    PenaltyItem.objects.update(basis_state=BasisState.CURRENT)


def draft_of(*rows: Row) -> ScenarioVersion:
    """A draft with these rows, every basis of which is in force."""
    version = make_version(list(rows))
    copy = ScenarioVersion.objects.create(
        scenario=version.scenario,
        number=2,
        title="草稿",
        created_by=version.created_by,
        layout=version.layout,
    )
    for row in version.rows.all():
        row.pk, row.version, row.item, row.penalty = None, copy, None, None
        row.save()
    CheckItem.objects.update(basis_state=BasisState.CURRENT)
    PenaltyItem.objects.update(basis_state=BasisState.CURRENT)
    return copy


def gaps(version: ScenarioVersion, user) -> list[Gap]:
    return find_gaps([version], user=user, day=TODAY)


def kinds(version: ScenarioVersion, user) -> list[GapKind]:
    return [gap.kind for gap in gaps(version, user)]


def test_a_complete_draft_has_no_gap(admin):
    assert gaps(draft_of(Row("人员检查", penalty="人员的处罚")), admin) == []


def test_a_check_item_none_of_whose_rows_names_a_body_is_a_gap(admin):
    draft = draft_of(Row("人员检查", penalty="人员的处罚"), Row("食堂检查", penalty="食堂的处罚"))
    draft.rows.filter(line=1).update(
        penalty_body=PenaltyBodyKind.NONE, penalty_department=None, penalty_item=None
    )
    assert gaps(draft, admin) == [
        Gap(
            GapKind.NO_BODY,
            "食堂检查",
            "市民政局检查，发现问题后没有可移送的处罚主体",
            "市民政局",
            Page("version", draft.pk),
            True,
        )
    ]


def test_a_check_item_with_one_row_that_names_a_body_is_none(admin):
    draft = draft_of(Row("人员检查", penalty="甲处罚"), Row("人员检查", penalty="乙处罚"))
    draft.rows.filter(line=1).update(
        penalty_body=PenaltyBodyKind.NONE, penalty_department=None, penalty_item=None
    )
    assert gaps(draft, admin) == []


def test_a_penalty_item_nobody_implements_is_a_gap(admin):
    draft = draft_of(Row("人员检查", penalty="甲处罚"), Row("人员检查", penalty="乙处罚"))
    draft.rows.filter(line=1).update(penalty_body=PenaltyBodyKind.NONE, penalty_department=None)
    assert [(gap.kind, gap.subject) for gap in gaps(draft, admin)] == [(GapKind.NOBODY, "乙处罚")]


def test_a_draft_rests_on_what_the_library_says_today(admin):
    draft = draft_of(Row("人员检查", penalty="甲处罚"))
    item = CheckItem.objects.get(name="人员检查")
    CheckItem.objects.filter(pk=item.pk).update(
        basis_state=BasisState.UNVERIFIED, law="《办法》", article="第四条"
    )
    PenaltyItem.objects.filter(name="甲处罚").update(basis_state=BasisState.REPEALED)
    found = gaps(draft, admin)
    assert [(gap.kind, gap.subject, gap.detail, gap.page.kind) for gap in found] == [
        (GapKind.REPEALED, "甲处罚", "", "penalty"),
        (GapKind.UNVERIFIED, "人员检查", "《办法》第四条", "item"),
    ]


def test_a_published_version_keeps_its_gap_until_the_next_one(admin):
    make_bureaus()
    Department.objects.update(contact_name="王文")
    data = make_workbook([printed(check="新的检查", penalty="新的处罚")])
    version = publish(import_workbook(data, name="清单.xlsx", actor=admin), actor=admin)
    CheckItem.objects.filter(rows__version=version).update(basis_state=BasisState.CURRENT)
    found = gaps(version, admin)
    assert (found[0].kind, found[0].page, found[0].detail) == (
        GapKind.UNVERIFIED,
        Page("scenario", version.scenario_id),
        "事项库已改为现行，发布新版本后生效",
    )
    assert found[1].page == Page("penalty", version.rows.get().penalty_item_id)


def test_the_jinjiang_rows_of_a_repealed_order_are_marked(admin):
    make_bureaus()
    version = import_workbook(JINJIANG.read_bytes(), name=JINJIANG.name, actor=make_admin())
    load_texts(TEXTS, actor=admin)
    first = set(version.rows.filter(line__lt=7).values_list("penalty_item__name", flat=True))
    doubtful = {
        gap.subject: gap.kind
        for gap in gaps(version, admin)
        if gap.kind in (GapKind.REPEALED, GapKind.UNVERIFIED)
    }
    assert {name: doubtful[name] for name in first if doubtful[name] == GapKind.REPEALED} == {
        "养老机构擅自暂停或终止服务的处罚": GapKind.REPEALED
    }
    assert len(first & set(doubtful)) == 7


def test_a_town_lacking_a_delegation_some_row_needs_is_a_gap(admin):
    version = draft_of(Row("用地检查", "ziran", "占地的处罚", "GENERAL"))
    held, lacking = make_town("安海镇"), make_town("英林镇")
    delegate_all(held, version)
    found = [gap for gap in gaps(version, admin) if gap.page.key in (held.code, lacking.code)]
    item = PenaltyItem.objects.get(name="占地的处罚")
    assert [(gap.kind, gap.subject, gap.detail) for gap in found] == [
        (GapKind.NO_DELEGATION, "英林镇：行政处罚权", "1 项未承接：占地的处罚")
    ]
    assert found[0].page.values == (
        ("list", "GENERAL"),
        ("town", str(lacking.pk)),
        ("item", str(item.pk)),
    )


def test_a_department_without_a_contact_is_a_gap(admin):
    draft = draft_of(Row("食堂检查", "shichang", "食品的处罚", "shichang"))
    Department.objects.filter(code="shichang").update(contact_name="")
    (gap,) = gaps(draft, admin)
    assert (gap.kind, gap.page) == (GapKind.NO_CONTACT, Page("department", "shichang"))


def test_a_contact_for_the_scenario_will_do(admin):
    version = make_version([Row("食堂检查", "shichang", "食品的处罚", "shichang")])
    department = make_department("shichang")
    Department.objects.filter(pk=department.pk).update(contact_name="")
    found = [gap for gap in gaps(version, admin) if gap.kind == GapKind.NO_CONTACT]
    assert [gap.page for gap in found] == [
        Page("contact", "shichang", (("scenario", str(version.scenario_id)),))
    ]
    name_contact(version.scenario, department, actor=make_user(department, Role.HANDLER), contact_name="王文")
    assert [gap for gap in gaps(version, admin) if gap.kind == GapKind.NO_CONTACT] == []


def test_each_gap_is_for_those_who_may_mend_it():
    draft = draft_of(
        Row("食堂检查", "shichang", "食品的处罚", "shichang"),
        Row("用地检查", "ziran", "占地的处罚", "GENERAL"),
    )
    make_town("英林镇")
    CheckItem.objects.filter(name="食堂检查").update(basis_state=BasisState.UNVERIFIED)
    Department.objects.filter(code="ziran").update(contact_name="")
    people = {
        "canteen clerk": make_user(make_department("shichang"), Role.HANDLER),
        "land keeper": make_user(make_department("ziran"), Role.DEPARTMENT_ADMIN),
        "lead clerk": make_user(make_department("minzheng"), Role.HANDLER),
        "lead head": make_user(make_department("minzheng"), Role.HEAD),
        "auditor": make_user(None, Role.AUDITOR),
    }
    mine = {who: {gap.kind for gap in gaps(draft, user) if gap.mine} for who, user in people.items()}
    assert mine == {
        "canteen clerk": {GapKind.UNVERIFIED},
        "land keeper": {GapKind.NO_CONTACT},
        "lead clerk": set(),
        "lead head": {GapKind.NO_DELEGATION},
        "auditor": set(),
    }


def test_an_item_several_versions_name_is_one_gap(admin):
    versions = [draft_of(Row("人员检查", penalty="甲处罚")) for _ in range(2)]
    CheckItem.objects.filter(name="人员检查").update(basis_state=BasisState.UNVERIFIED)
    assert len(find_gaps(versions, user=admin, day=TODAY)) == 1


# --- Pages ----------------------------------------------------------------------------------------------


def test_the_page_counts_every_kind_and_links_to_where_it_is_mended(client_as, admin):
    draft = draft_of(Row("食堂检查", "shichang", "食品的处罚", "shichang"))
    item = CheckItem.objects.get(name="食堂检查")
    CheckItem.objects.filter(pk=item.pk).update(basis_state=BasisState.UNVERIFIED)
    Department.objects.filter(code="shichang").update(contact_name="")
    response = client_as(admin).get(reverse("scenarios:version_gaps", args=[draft.pk]))
    assert {row["label"]: row["value"] for row in response.context["counts"] if row["value"]} == {
        "依据待核": 1,
        "部门没有联系人": 1,
    }
    assert [row["url"] for row in response.context["rows"]] == [
        reverse("scenarios:item_edit", args=[item.pk]),
        reverse("departments:edit", args=["shichang"]),
    ]


def test_who_may_not_mend_is_led_to_look(client_as):
    draft = draft_of(Row("食堂检查", "shichang", "食品的处罚", "shichang"))
    item = CheckItem.objects.get(name="食堂检查")
    CheckItem.objects.filter(pk=item.pk).update(basis_state=BasisState.UNVERIFIED)
    clerk = make_user(make_department("minzheng"), Role.HANDLER)
    response = client_as(clerk).get(reverse("scenarios:version_gaps", args=[draft.pk]))
    assert [row["url"] for row in response.context["rows"]] == [reverse("scenarios:item", args=[item.pk])]


def test_the_page_narrows_to_what_i_may_mend_and_to_a_kind(client_as):
    draft = draft_of(Row("食堂检查", "shichang", "食品的处罚", "shichang"), Row("人员检查", penalty="甲处罚"))
    CheckItem.objects.update(basis_state=BasisState.UNVERIFIED)
    client = client_as(make_user(make_department("minzheng"), Role.HANDLER))
    page = reverse("scenarios:version_gaps", args=[draft.pk])
    assert len(client.get(page).context["rows"]) == 2
    assert [row["gap"].subject for row in client.get(page, {"mine": "on"}).context["rows"]] == ["人员检查"]
    assert client.get(page, {"kind": "REPEALED"}).context["rows"] == []
    assert "没有符合条件的缺口" in client.get(page, {"kind": "REPEALED"}).content.decode()


def test_without_gaps_the_page_says_so(client_as, admin):
    draft = draft_of(Row("人员检查", penalty="甲处罚"))
    response = client_as(admin).get(reverse("scenarios:version_gaps", args=[draft.pk]))
    assert "没有缺口" in response.content.decode()


def test_the_page_over_all_holds_every_version_in_force_and_no_draft(client_as, admin):
    draft = draft_of(Row("人员检查", penalty="甲处罚"))
    Scenario.objects.exclude(pk=draft.scenario_id).first()
    response = client_as(admin).get(reverse("scenarios:gap_list"))
    pages = {row["gap"].page.kind for row in response.context["rows"]}
    assert pages <= {"scenario", "delegation"}


@pytest.mark.parametrize("number", [1, 3])
def test_the_page_over_all_asks_the_same_number_of_queries(
    client_as, admin, number, django_assert_num_queries
):
    for _ in range(number):
        make_version()
    make_town("英林镇")
    client = client_as(admin)
    with django_assert_num_queries(20):
        client.get(reverse("scenarios:gap_list"))


def test_partner_rows_are_no_check_items_without_a_body(admin):
    draft = draft_of(Row("人员检查", penalty="甲处罚"))
    row = draft.rows.get()
    MatrixRow.objects.create(
        version=draft,
        position=1,
        line=1,
        part="PARTNER",
        cells=row.cells,
        check_department=make_department("minzheng"),
        penalty_body=PenaltyBodyKind.NONE,
    )
    assert gaps(draft, admin) == []
