from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.utils import timezone

from core.digests import digest_bytes
from core.errors import DomainError
from departments.enums import Role
from departments.models import Sector
from ledger.services import entries_of, verify
from scenarios.enums import Event, PenaltyBodyKind, VersionState
from scenarios.models import CheckItem, MatrixRow, PenaltyItem, Scenario, ScenarioVersion
from scenarios.services import drafting, items
from scenarios.services.comparing import compare, content_of_version
from scenarios.services.drafting.layouts import relaid
from scenarios.services.exporting import export_version
from scenarios.services.importing import import_workbook
from scenarios.services.versions import discard, publish
from tests.factories.departments import make_user
from tests.factories.matrices import JINJIANG, make_admin, make_bureaus
from tests.factories.scenarios import Row, make_version

pytestmark = pytest.mark.django_db


@pytest.fixture
def bureaus():
    return make_bureaus()


@pytest.fixture
def sector():
    return Sector.objects.get_or_create(name="市场监管")[0]


@pytest.fixture
def clerk(bureaus):
    """Of 市场监管局, which leads nothing yet."""
    return make_user(bureaus["shichang"], Role.HANDLER)


@pytest.fixture
def draft(clerk, bureaus) -> ScenarioVersion:
    return drafting.create_scenario(name="食品安全一件事", lead_department=bureaus["shichang"], actor=clerk)


@pytest.fixture
def jinjiang(bureaus) -> ScenarioVersion:
    admin = make_admin()
    return publish(import_workbook(JINJIANG.read_bytes(), name=JINJIANG.name, actor=admin), actor=admin)


@pytest.fixture
def copied(jinjiang, bureaus) -> ScenarioVersion:
    """A draft copied from the Jinjiang version in force, by a clerk of its lead."""
    actor = make_user(bureaus["minzheng"], Role.HANDLER)
    return drafting.begin_draft(jinjiang.scenario, actor=actor, source=jinjiang)


def lead_of(version: ScenarioVersion):
    return make_user(version.scenario.lead_department, Role.HANDLER)


def item(name: str, department) -> CheckItem:
    return CheckItem.objects.create(name=name, department=department)


def penalty(name: str = "一项处罚") -> PenaltyItem:
    return PenaltyItem.objects.create(name=name)


def added(draft, clerk, sector, *names: str, department=None) -> list[MatrixRow]:
    department = department or draft.scenario.lead_department
    made = [item(name, department) for name in names]
    drafting.add_lines(draft, made, actor=clerk, situation="对食品安全的监管", sector=sector)
    return list(draft.rows.order_by("position"))


def said(row: MatrixRow, **changes) -> dict:
    """What the row says now, for `change_line`, with some of it changed."""
    present = {
        "situation": row.situation,
        "sector": row.sector,
        "check_item": row.check_item,
        "penalty_item": row.penalty_item,
        "penalty_department": row.penalty_department,
        "delegation_list": row.delegation_list,
    }
    return present | changes


def printed(version: ScenarioVersion) -> list[list[str]]:
    return [line.cells for line in drafting.lines_of(version)]


# --- Beginning ------------------------------------------------------------------------------------------


def test_any_department_makes_a_scenario_of_its_own(draft, clerk, bureaus):
    assert (draft.state, draft.number, draft.scenario.lead_department) == (
        VersionState.DRAFT,
        1,
        bureaus["shichang"],
    )
    assert list(Scenario.objects.editable_by(clerk)) == [draft.scenario]
    assert entries_of(draft.scenario.subject).last().kind == Event.DRAFTED


def test_nobody_makes_a_scenario_led_by_another_department(clerk, bureaus):
    with pytest.raises(PermissionDenied):
        drafting.create_scenario(name="一件事", lead_department=bureaus["minzheng"], actor=clerk)


def test_a_taken_name_is_refused_naming_who_leads(draft, bureaus):
    other = make_user(bureaus["minzheng"], Role.HANDLER)
    with pytest.raises(DomainError) as caught:
        drafting.create_scenario(name=" 食品安全一件事", lead_department=bureaus["minzheng"], actor=other)
    assert caught.value.fields == {"name": "“食品安全一件事”已由市市场监管局牵头，请另取主题。"}


def test_a_copy_of_the_version_in_force_says_the_same(copied, jinjiang):
    assert (copied.number, copied.title, copied.layout) == (2, jinjiang.title, jinjiang.layout)
    assert compare(content_of_version(jinjiang), content_of_version(copied)).is_empty
    assert copied.source_file is None


def test_a_draft_is_not_begun_from_another_scenarios_version(draft, jinjiang, clerk):
    with pytest.raises(DomainError, match="本主题"):
        drafting.begin_draft(draft.scenario, actor=clerk, source=jinjiang)


def test_nobody_drafts_for_another_departments_scenario(jinjiang, clerk):
    with pytest.raises(PermissionDenied):
        drafting.begin_draft(jinjiang.scenario, actor=clerk, source=jinjiang)


# --- Adding ---------------------------------------------------------------------------------------------


def test_items_of_the_library_become_numbered_lines(draft, clerk, sector, bureaus):
    added(draft, clerk, sector, "食堂检查", "价格检查")
    added(draft, clerk, sector, "消防检查", department=bureaus["xiaofang"])
    assert printed(draft) == [
        ["1", "对食品安全的监管", "市场监管", "食堂检查", "市市场监管局", "无", "无"],
        ["2", "对食品安全的监管", "市场监管", "价格检查", "市市场监管局", "无", "无"],
        ["3", "对食品安全的监管", "市场监管", "消防检查", "市消防救援大队", "无", "无"],
    ]
    assert [row.penalty_body for row in draft.rows.all()] == [PenaltyBodyKind.NONE] * 3


def test_an_item_listed_already_is_not_listed_twice(draft, clerk, sector):
    [row] = added(draft, clerk, sector, "食堂检查")
    assert drafting.add_lines(draft, [row.check_item], actor=clerk, situation="再", sector=sector) == 0
    assert draft.rows.count() == 1


def test_a_retired_item_is_not_added(draft, clerk, sector):
    retired = item("食堂检查", draft.scenario.lead_department)
    items.retire(retired, actor=clerk)
    retired.refresh_from_db()
    with pytest.raises(DomainError, match="已停用"):
        drafting.add_lines(draft, [retired], actor=clerk, situation="对食品的监管", sector=sector)


def test_lines_are_copied_with_penalty_and_body_and_print_in_the_drafts_columns(draft, jinjiang, clerk):
    rows = jinjiang.rows.filter(number__in=["24", "28"]).values_list("pk", flat=True)
    done = drafting.copy_lines(draft, list(rows), actor=clerk)
    assert (done.added, done.present, done.retired) == (2, 0, 0)
    source = {row.number: row for row in jinjiang.rows.all()}
    assert printed(draft) == [
        ["1", *source["24"].cells[1:]],
        ["2", *source["28"].cells[1:]],
    ]
    assert [(row.penalty_body, row.delegation_list) for row in draft.rows.all()] == [
        ("DELEGATED_TOWN", "FIRE"),
        ("DEPARTMENT", ""),
    ]


def test_lines_present_and_lines_of_retired_items_are_left_out(draft, jinjiang, clerk):
    rows = list(jinjiang.rows.filter(number__in=["1", "2"]).values_list("pk", flat=True))
    drafting.copy_lines(draft, rows[:1], actor=clerk)
    items.retire(jinjiang.rows.get(number="2").check_item, actor=make_admin())
    done = drafting.copy_lines(draft, rows, actor=clerk)
    assert (done.added, done.present, done.retired) == (0, 1, 1)


def test_lines_of_drafts_are_not_copied(draft, copied, clerk):
    done = drafting.copy_lines(draft, [copied.rows.first().pk], actor=clerk)
    assert done.added == 0


# --- Changing -------------------------------------------------------------------------------------------


def test_a_line_gets_its_penalty_and_its_body(draft, clerk, sector, bureaus):
    [row] = added(draft, clerk, sector, "食堂检查")
    punished = said(row, penalty_item=penalty(), penalty_department=bureaus["xiaofang"])
    drafting.change_line(draft, row.pk, actor=clerk, **punished)
    assert printed(draft)[0][5:] == ["一项处罚", "市消防救援大队"]
    row.refresh_from_db()
    assert (row.penalty_body, row.penalty_department) == ("DEPARTMENT", bureaus["xiaofang"])


def test_a_line_goes_to_the_towns_of_a_list(draft, clerk, sector):
    [row] = added(draft, clerk, sector, "食堂检查")
    change = said(row, penalty_item=penalty(), delegation_list="FIRE")
    drafting.change_line(draft, row.pk, actor=clerk, **change)
    assert printed(draft)[0][6] == "承接消防行政处罚权的乡镇（街道）"


@pytest.mark.parametrize(
    ("penalised", "listing", "field"),
    [(True, "", "body"), (False, "FIRE", "penalty_item")],
)
def test_a_penalty_and_its_body_go_together(draft, clerk, sector, penalised, listing, field):
    [row] = added(draft, clerk, sector, "食堂检查")
    change = said(row, penalty_item=penalty() if penalised else None, delegation_list=listing)
    with pytest.raises(DomainError) as caught:
        drafting.change_line(draft, row.pk, actor=clerk, **change)
    assert list(caught.value.fields) == [field]


def test_the_same_check_and_penalty_stand_once(draft, clerk, sector, bureaus):
    one, other = added(draft, clerk, sector, "食堂检查", "价格检查")
    with pytest.raises(DomainError, match="第1行已列有"):
        drafting.change_line(draft, other.pk, actor=clerk, **said(other, check_item=one.check_item))


def test_cells_whose_meaning_stays_keep_their_printed_text(copied, sector):
    row = copied.rows.get(number="28")
    drafting.change_line(copied, row.pk, actor=lead_of(copied), **said(row, sector=sector))
    assert printed(copied)[27][2:] == ["市场监管", *row.cells[3:]]
    assert row.cells[6] == "消防部门"


def test_a_line_printed_as_the_library_says_it(copied):
    row = copied.rows.get(number="28")
    drafting.change_line(copied, row.pk, actor=lead_of(copied), as_library=True, **said(row))
    assert printed(copied)[27][6] == "市消防救援大队"


def test_a_line_of_a_colleague_who_removed_it_is_gone(draft, clerk, sector):
    [row] = added(draft, clerk, sector, "食堂检查")
    drafting.remove_line(draft, row.pk, actor=clerk)
    with pytest.raises(DomainError, match="刚被移除"):
        drafting.change_line(draft, row.pk, actor=clerk, **said(row))


def test_a_line_of_several_departments_is_moved_or_removed_only(draft, clerk, sector, bureaus):
    [row] = added(draft, clerk, sector, "食堂检查")
    partner = MatrixRow.objects.get(pk=row.pk)
    partner.pk, partner.position, partner.part = None, 1, "PARTNER"
    partner.check_item, partner.check_department = None, bureaus["xiaofang"]
    partner.save()
    with pytest.raises(DomainError, match="多个部门"):
        drafting.change_line(draft, row.pk, actor=clerk, **said(row))
    drafting.remove_line(draft, row.pk, actor=clerk)
    assert draft.rows.count() == 0


# --- Moving and removing --------------------------------------------------------------------------------


def test_lines_move_and_are_numbered_anew(draft, clerk, sector):
    first, second, third = added(draft, clerk, sector, "甲", "乙", "丙")
    drafting.move_line(draft, third.pk, by=-1, actor=clerk)
    drafting.move_line(draft, first.pk, by=-1, actor=clerk)
    assert [cells[:4:3] for cells in printed(draft)] == [["1", "甲"], ["2", "丙"], ["3", "乙"]]
    drafting.change_line(draft, second.pk, actor=clerk, place=1, **said(second))
    assert [cells[3] for cells in printed(draft)] == ["乙", "甲", "丙"]
    drafting.remove_line(draft, first.pk, actor=clerk)
    assert [cells[:4:3] for cells in printed(draft)] == [["1", "乙"], ["2", "丙"]]


def test_an_edit_in_a_merged_area_parts_it(copied):
    before = [merge for merge in copied.layout["merges"] if merge[1] == 2]
    assert before[0] == [0, 2, 7, 2]  # 民政 over the first eight lines
    drafting.remove_line(copied, copied.rows.get(number="1").pk, actor=lead_of(copied))
    copied.refresh_from_db()
    assert next(merge for merge in copied.layout["merges"] if merge[1] == 2) == [0, 2, 6, 2]
    row = copied.rows.get(number="3")
    other = Sector.objects.get(name="消防救援")
    drafting.change_line(copied, row.pk, actor=lead_of(copied), **said(row, sector=other))
    copied.refresh_from_db()
    assert [merge for merge in copied.layout["merges"] if merge[1] == 2][:2] == [[0, 2, 1, 2], [3, 2, 6, 2]]


def test_headings_printed_again_stay_below_their_line():
    layout = {"merges": [], "repeat_header_after": [1, 2]}
    moved = relaid(layout, {0: 0, 2: 1}, [["甲"], ["乙"]])
    assert moved["repeat_header_after"] == [1]


# --- Whose, and what remains ----------------------------------------------------------------------------


def test_nobody_edits_another_departments_draft(copied, clerk, sector):
    row = copied.rows.first()
    edits = [
        lambda: drafting.add_lines(copied, [], actor=clerk, situation="情形", sector=sector),
        lambda: drafting.copy_lines(copied, [], actor=clerk),
        lambda: drafting.change_line(copied, row.pk, actor=clerk, **said(row)),
        lambda: drafting.move_line(copied, row.pk, by=1, actor=clerk),
        lambda: drafting.remove_line(copied, row.pk, actor=clerk),
    ]
    for edit in edits:
        with pytest.raises(PermissionDenied):
            edit()


def test_a_published_version_is_not_edited(jinjiang):
    row = jinjiang.rows.first()
    with pytest.raises(DomainError, match="已发布，内容不能更改"):
        drafting.remove_line(jinjiang, row.pk, actor=lead_of(jinjiang))


def test_a_draft_thrown_away_meanwhile_is_not_edited(draft, clerk, sector):
    same = ScenarioVersion.objects.get(pk=draft.pk)
    discard(same, actor=clerk)
    with pytest.raises(DomainError, match="已被废弃"):
        drafting.add_lines(draft, [], actor=clerk, situation="情形", sector=sector)


def test_discarding_a_draft_keeps_items_somebody_registered(draft, clerk, sector, bureaus):
    registered = items.register_check_item(actor=clerk, department=bureaus["shichang"], name="价格检查")
    punished = items.register_penalty_item(actor=clerk, department=bureaus["shichang"], name="一项处罚")
    drafting.add_lines(draft, [registered], actor=clerk, situation="情形", sector=sector)
    row = draft.rows.get()
    change = said(row, penalty_item=punished, penalty_department=bureaus["shichang"])
    drafting.change_line(draft, row.pk, actor=clerk, **change)
    discard(draft, actor=clerk)
    assert (CheckItem.objects.get(), PenaltyItem.objects.get()) == (registered, punished)


def test_edits_leave_entries_without_words(draft, clerk, sector):
    added(draft, clerk, sector, "食堂检查")
    entry = entries_of(draft.scenario.subject).last()
    assert (entry.kind, sorted(entry.payload)) == (
        Event.DRAFT_EDITED,
        ["act", "digest", "lines", "version"],
    )
    assert list(verify(draft.scenario.subject)) == []


def test_lines_say_how_they_deviate_from_the_library(copied):
    assert [line.deviations for line in drafting.lines_of(copied)] == [[]] * 28
    row = copied.rows.get(number="2")
    CheckItem.objects.filter(pk=row.check_item_id).update(name="改过的名称", retired_at=timezone.now())
    assert drafting.lines_of(copied)[1].deviations == ["检查事项名称与事项库不同", "检查事项已停用"]


def test_a_version_made_by_hand_is_published_and_comes_back_from_its_export(draft, clerk, sector, bureaus):
    row, other = added(draft, clerk, sector, "食堂检查", "价格检查")
    punished = said(row, penalty_item=penalty(), penalty_department=bureaus["shichang"])
    drafting.change_line(draft, row.pk, actor=clerk, **punished)
    towns = said(other, penalty_item=penalty("另一项处罚"), delegation_list="GENERAL")
    drafting.change_line(draft, other.pk, actor=clerk, **towns)
    added(draft, clerk, sector, "只查不罚的检查")
    published = publish(draft, actor=clerk)
    data = export_version(published)
    again = import_workbook(data, name="食品安全一件事.xlsx", actor=clerk)
    assert (again.scenario, again.number, again.title) == (published.scenario, 2, published.title)
    assert compare(content_of_version(published), content_of_version(again)).is_empty
    assert again.source_file.digest == digest_bytes(data)


def test_what_is_copied_from_a_retired_version_is_a_draft_again():
    yesterday = timezone.localdate() - timedelta(days=1)
    version = make_version([Row("人员检查")])
    ScenarioVersion.objects.filter(pk=version.pk).update(
        state=VersionState.RETIRED, effective_until=yesterday, retired_reason="停用"
    )
    version.refresh_from_db()
    draft = drafting.begin_draft(version.scenario, actor=lead_of(version), source=version)
    assert (draft.is_draft, draft.rows.count()) == (True, 1)
