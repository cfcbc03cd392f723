from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from departments.enums import Role
from inspections.enums import InspectionState, ParticipationState, RequestState
from inspections.models import ItemRequest, JointInspection, Tick
from inspections.services import ticking
from institutions.enums import Feature
from tests.factories.departments import make_department, make_town, make_user
from tests.factories.inspections import clerk_of, make_inspection
from tests.factories.institutions import make_institution
from tests.factories.scenarios import Row, make_version

pytestmark = pytest.mark.django_db

TICKS_QUERIES = 14
UNCHANGED_QUERIES = 7
CHANGED_QUERIES = 9

HTMX = {"HX-Request": "true"}


@pytest.fixture
def inspection() -> JointInspection:
    return make_inspection()


@pytest.fixture
def shichang():
    return make_department("shichang")


@pytest.fixture
def ziran():
    return make_department("ziran")


@pytest.fixture
def clerk(shichang):
    return clerk_of(shichang)


@pytest.fixture
def page(client_as, clerk):
    return client_as(clerk)


def url(name: str, row) -> str:
    return reverse(f"inspections:{name}", args=[row.pk])


def own_tick(inspection, department) -> Tick:
    return inspection.ticks.filter(department=department).order_by("pk").first()


def part(inspection, department):
    return inspection.participations.get(department=department)


def send(client, tick, **data):
    return client.post(url("tick", tick), {"ticked": "on", "note": "", "rev": tick.rev, **data}, headers=HTMX)


# --- The board ------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [1, 3])
def test_board_costs_the_same_for_one_and_three_items(client_as, django_assert_num_queries, count):
    rows = [Row(f"食堂检查{n}", "shichang") for n in range(count)]
    rows += [Row(f"用地检查{n}", "ziran") for n in range(count)]
    inspection = make_inspection(version=make_version(rows))
    clerk = clerk_of(make_department("shichang"))
    ticking.see(inspection.participations.get(department__code="shichang"), actor=clerk)
    client = client_as(clerk)
    with django_assert_num_queries(TICKS_QUERIES):
        response = client.get(url("ticks", inspection))
    assert len(response.context["sections"][0]["lines"]) == count


def test_board_sets_own_items_apart_from_those_of_others(page, inspection):
    context = page.get(url("ticks", inspection)).context
    assert [s["participation"].department.code for s in context["sections"]] == ["shichang"]
    assert {g["participation"].department.code for g in context["others"]} == {
        "minzheng",
        "ziran",
        "xiaofang",
    }


def test_opening_the_board_marks_the_invitation_seen(page, inspection, shichang):
    page.get(url("ticks", inspection))
    assert part(inspection, shichang).state == ParticipationState.SEEN


def test_reading_by_an_officer_is_not_the_departments_answer(client_as, inspection, shichang):
    response = client_as(make_user(shichang, Role.OFFICER)).get(url("ticks", inspection))
    assert (response.context["sections"], part(inspection, shichang).state) == (
        [],
        ParticipationState.INVITED,
    )


def test_board_counts_the_institutions_an_item_applies_to(page, shichang):
    institutions = [make_institution(features=[Feature.CANTEEN]), make_institution()]
    inspection = make_inspection(institutions=institutions)
    line = page.get(url("ticks", inspection)).context["sections"][0]["lines"][0]
    assert (line["applicable"], line["tick"].item.applicability) == (1, "设有食堂的机构")


def test_uninvolved_town_finds_nothing(client_as, inspection):
    town = client_as(clerk_of(make_department("yinglin", make_town())))
    tick = inspection.ticks.first()
    answers = [
        town.get(url("ticks", inspection)),
        town.get(url("ticks_changes", inspection)),
        town.get(url("tick_row", tick)),
        town.post(url("tick", tick), {"rev": 0}),
        town.post(url("request_item", tick), {"reason": "请查"}),
        town.post(url("answer", inspection.participations.first())),
    ]
    assert [answer.status_code for answer in answers] == [404] * 6


def test_inspectorate_reads_and_cannot_write(client_as, inspection):
    watcher = client_as(make_user(None, Role.INSPECTORATE))
    tick = inspection.ticks.first()
    assert watcher.get(url("ticks", inspection)).status_code == 200
    assert watcher.post(url("tick", tick), {"rev": 0}).status_code == 403


def test_board_past_its_deadline_offers_nothing_to_write(page, inspection):
    JointInspection.objects.update(tick_deadline=timezone.now())
    response = page.get(url("ticks", inspection))
    assert response.context["open"] is False
    assert "提交勾选" not in response.content.decode()


# --- One item ----------------------------------------------------------------------------------


def test_tick_answers_with_the_new_revision_and_count(page, inspection, shichang):
    response = send(page, own_tick(inspection, shichang), note="先查后厨")
    tick = own_tick(inspection, shichang)
    assert (tick.ticked, tick.note, tick.rev) == (True, "先查后厨", 1)
    assert (response.status_code, response.context["ticked"]) == (200, 1)
    assert f'value="{tick.pk}:1:"' in response.content.decode()


def test_unticked_box_unticks(page, inspection, shichang):
    send(page, own_tick(inspection, shichang))
    page.post(url("tick", own_tick(inspection, shichang)), {"note": "", "rev": 1}, headers=HTMX)
    assert own_tick(inspection, shichang).ticked is False


def test_stale_tick_shows_both_values_and_asks(page, inspection, shichang, client_as):
    tick = own_tick(inspection, shichang)
    send(client_as(make_user(shichang, Role.HANDLER, name="林同事")), tick, note="同事写的")
    response = send(page, tick, note="我写的")
    text = response.content.decode()
    assert (response.status_code, response["HX-Retarget"]) == (409, f"#tick-{tick.pk}")
    assert all(
        words in text for words in ("林同事", "同事写的", "我写的", "保留对方结果", "仍改为我填的备注")
    )
    assert own_tick(inspection, shichang).note == "同事写的"


def test_choosing_ones_own_value_after_a_conflict_writes_it(page, inspection, shichang, client_as):
    tick = own_tick(inspection, shichang)
    send(client_as(make_user(shichang, Role.HANDLER)), tick, note="同事写的")
    response = send(page, tick, note="我写的", rev=1, whole="1")
    assert own_tick(inspection, shichang).note == "我写的"
    assert f'id="tick-{tick.pk}"' in response.content.decode()


def test_keeping_the_colleagues_value_shows_it(page, inspection, shichang, client_as):
    tick = own_tick(inspection, shichang)
    send(client_as(make_user(shichang, Role.HANDLER)), tick, note="同事写的")
    assert "同事写的" in page.get(url("tick_row", tick)).content.decode()


def test_tick_after_the_deadline_is_explained_at_the_item(page, inspection, shichang):
    JointInspection.objects.update(tick_deadline=timezone.now())
    response = send(page, own_tick(inspection, shichang))
    assert response.status_code == 409
    assert "截止" in response.content.decode()


def test_note_too_long_is_explained_and_not_saved(page, inspection, shichang):
    response = send(page, own_tick(inspection, shichang), note="长" * 501)
    assert response.status_code == 409
    assert own_tick(inspection, shichang).rev == 0


def test_tick_of_anothers_item_is_forbidden(page, inspection, ziran):
    assert send(page, own_tick(inspection, ziran)).status_code == 403


def test_tick_without_htmx_comes_back_to_the_board(page, inspection, shichang):
    tick = own_tick(inspection, shichang)
    response = page.post(url("tick", tick), {"ticked": "on", "rev": 0})
    assert response.url == url("ticks", inspection)


def test_bulk_tick_redraws_the_own_column(client_as, inspection):
    minzheng = make_department("minzheng")
    client = client_as(clerk_of(minzheng))
    seen = [f"{pk}:{rev}" for pk, rev in inspection.ticks.values_list("pk", "rev")]
    response = client.post(
        url("tick_all", part(inspection, minzheng)), {"ticked": "1", "seen": seen}, headers=HTMX
    )
    assert response.context["said"] == "已勾选 2 项。"
    assert inspection.ticks.filter(ticked=True).count() == 2


def test_bulk_tick_says_what_it_left_alone(client_as, inspection, shichang, page):
    send(page, own_tick(inspection, shichang))
    ticking.tick(
        own_tick(inspection, shichang),
        ticked=False,
        note="不查",
        rev=1,
        actor=make_user(shichang, Role.HANDLER),
    )
    tick = own_tick(inspection, shichang)
    response = page.post(
        url("tick_all", part(inspection, shichang)),
        {"ticked": "1", "seen": [f"{tick.pk}:1", "x"]},
        headers=HTMX,
    )
    assert response.context["said"] == "已勾选 0 项。另有 1 项刚被同事修改，未改动，请核对。"


# --- Answering ------------------------------------------------------------------------------------


def test_answer_is_confirmed(page, inspection, shichang):
    send(page, own_tick(inspection, shichang))
    response = page.post(url("answer", part(inspection, shichang)), follow=True)
    assert part(inspection, shichang).state == ParticipationState.ANSWERED
    assert "已提交勾选，截止前仍可修改。" in response.content.decode()


def test_answer_without_a_tick_is_explained(page, inspection, shichang):
    response = page.post(url("answer", part(inspection, shichang)), follow=True)
    assert "还没有勾选任何事项" in response.content.decode()


def test_declining_and_coming_back(page, inspection, shichang):
    response = page.post(url("decline", part(inspection, shichang)), {"reason": "人员集训"}, follow=True)
    assert "人员集训" in response.content.decode()
    page.post(url("rejoin", part(inspection, shichang)))
    assert part(inspection, shichang).state == ParticipationState.SEEN


def test_clerk_may_not_answer_for_another_department(page, inspection, ziran):
    codes = [
        page.post(url(verb, part(inspection, ziran)), {"reason": "不"}).status_code
        for verb in ("answer", "decline", "rejoin", "tick_all")
    ]
    assert codes == [403] * 4


# --- Asking for items of others ------------------------------------------------------------------------


def ask(page, inspection, ziran):
    return page.post(url("request_item", own_tick(inspection, ziran)), {"reason": "群众反映占地"})


def test_request_reaches_the_owners_board(page, inspection, ziran, client_as):
    ask(page, inspection, ziran)
    text = client_as(clerk_of(ziran)).get(url("ticks", inspection)).content.decode()
    assert all(words in text for words in ("收到提请", "群众反映占地", "采纳并勾选", "不采纳"))


def test_taking_a_request_up_ticks_the_item(page, inspection, ziran, client_as):
    ask(page, inspection, ziran)
    client_as(clerk_of(ziran)).post(url("tick", own_tick(inspection, ziran)), {"ticked": "on", "rev": 0})
    assert ItemRequest.objects.get().state == RequestState.TICKED


def test_refused_request_shows_its_answer_to_the_asker(page, inspection, ziran, client_as):
    ask(page, inspection, ziran)
    client_as(clerk_of(ziran)).post(url("refuse_request", ItemRequest.objects.get()), {"answer": "上月已查"})
    assert "上月已查" in page.get(url("ticks", inspection)).content.decode()


def test_request_without_a_reason_is_explained(page, inspection, ziran):
    response = page.post(url("request_item", own_tick(inspection, ziran)), {"reason": " "}, follow=True)
    assert "请填写提请理由。" in response.content.decode()
    assert not ItemRequest.objects.exists()


def test_asker_may_not_refuse_its_own_request(page, inspection, ziran):
    ask(page, inspection, ziran)
    assert page.post(url("refuse_request", ItemRequest.objects.get()), {"answer": "不"}).status_code == 403


# --- What others do appears by itself ---------------------------------------------------------------------


def shown(context) -> dict[str, list[str] | str]:
    """What a page that shows this board says of itself when it asks for changes."""
    groups = [*context["sections"], *context["others"]]
    seen = [line["seen"] for group in groups for line in group["lines"]]
    return {"live": "", "seen": seen, "head": [group["head"] for group in groups]}


def changes(client, inspection, context):
    return client.get(url("ticks_changes", inspection), shown(context), headers=HTMX)


def test_changes_answer_204_while_nothing_changes(page, inspection):
    context = page.get(url("ticks", inspection)).context
    assert changes(page, inspection, context).status_code == 204


def test_anothers_tick_arrives_as_its_one_row(page, inspection, ziran):
    context = page.get(url("ticks", inspection)).context
    row = own_tick(inspection, ziran)
    ticking.tick(row, ticked=True, note="查用地", rev=0, actor=clerk_of(ziran))
    response = changes(page, inspection, context)
    assert [[line["tick"].pk for line in group["changed"]] for group in response.context["groups"]] == [
        [row.pk]
    ]
    assert "查用地" in response.content.decode()


def test_colleagues_tick_in_the_own_column_arrives_as_a_form(page, inspection, shichang):
    context = page.get(url("ticks", inspection)).context
    row = own_tick(inspection, shichang)
    ticking.tick(row, ticked=True, note="", rev=0, actor=make_user(shichang, Role.HANDLER))
    text = changes(page, inspection, context).content.decode()
    assert f'id="ticked-{row.pk}"' in text
    assert "已勾选 1 / 1 项" in text


def test_colleagues_answer_redraws_the_own_column(page, inspection, shichang):
    ticking.tick(own_tick(inspection, shichang), ticked=True, note="", rev=0, actor=clerk_of(shichang))
    context = page.get(url("ticks", inspection)).context
    ticking.answer(part(inspection, shichang), actor=make_user(shichang, Role.HANDLER))
    response = changes(page, inspection, context)
    assert [section["participation"].department for section in response.context["moved"]] == [shichang]
    assert "重新提交勾选" in response.content.decode()


def test_anothers_answer_arrives_in_its_columns_head(page, inspection, ziran):
    context = page.get(url("ticks", inspection)).context
    ticking.decline(part(inspection, ziran), reason="本月集训", actor=clerk_of(ziran))
    assert "本月集训" in changes(page, inspection, context).content.decode()


def test_request_arrives_at_the_owners_open_page(page, inspection, ziran, client_as):
    owner = client_as(clerk_of(ziran))
    context = owner.get(url("ticks", inspection)).context
    page.post(url("request_item", own_tick(inspection, ziran)), {"reason": "群众反映占地"})
    assert "群众反映占地" in changes(owner, inspection, context).content.decode()


def test_own_change_that_the_page_already_shows_is_no_news(page, inspection, shichang):
    context = page.get(url("ticks", inspection)).context
    saved = send(page, own_tick(inspection, shichang))
    said = shown(context)
    said["seen"] = [
        token for token in said["seen"] if not token.startswith(f"{own_tick(inspection, shichang).pk}:")
    ]
    said["seen"].append(saved.context["seen"])
    assert page.get(url("ticks_changes", inspection), said).status_code == 204


@pytest.mark.parametrize("count", [1, 3])
def test_poll_costs_the_same_for_one_and_three_items(client_as, django_assert_num_queries, count):
    rows = [Row(f"食堂检查{n}", "shichang") for n in range(count)]
    rows += [Row(f"用地检查{n}", "ziran") for n in range(count)]
    inspection = make_inspection(version=make_version(rows))
    client = client_as(clerk_of(make_department("shichang")))
    context = client.get(url("ticks", inspection)).context
    with django_assert_num_queries(UNCHANGED_QUERIES):
        assert changes(client, inspection, context).status_code == 204
    ziran = part(inspection, make_department("ziran"))
    revs = dict(inspection.ticks.filter(department=ziran.department).values_list("pk", "rev"))
    ticking.tick_all(ziran, ticked=True, revs=revs, actor=clerk_of(ziran.department))
    with django_assert_num_queries(CHANGED_QUERIES):
        assert changes(client, inspection, context).status_code == 200


def test_page_is_reloaded_when_ticking_ends(page, inspection):
    context = page.get(url("ticks", inspection)).context
    ticking.close_ticking(inspection, actor=clerk_of(inspection.lead_department))
    response = changes(page, inspection, context)
    assert (response.status_code, response["HX-Refresh"]) == (286, "true")


# --- Own system, the last round, late ticks ------------------------------------------------------------------


def test_own_system_is_answered_with_its_name(page, inspection, shichang):
    response = page.post(
        url("own_system", part(inspection, shichang)), {"system": "市场监管一体化平台"}, follow=True
    )
    assert part(inspection, shichang).state == ParticipationState.OWN_SYSTEM
    assert "请将结果报牵头部门备案" in response.content.decode()


def test_own_system_without_a_name_is_explained(page, inspection, shichang):
    response = page.post(url("own_system", part(inspection, shichang)), {"system": " "}, follow=True)
    assert "请填写自建系统的名称。" in response.content.decode()


def test_last_round_is_offered_and_copied(page, inspection, shichang):
    last = make_inspection(version=inspection.versions.get(), ticked=True)
    JointInspection.objects.filter(pk=last.pk).update(state=InspectionState.COMPLETED)
    assert "沿用上次勾选" in page.get(url("ticks", inspection)).content.decode()
    tick = own_tick(inspection, shichang)
    response = page.post(
        url("copy_last", part(inspection, shichang)), {"seen": [f"{tick.pk}:0:"]}, headers=HTMX
    )
    assert response.context["said"] == "已按上一次勾选 1 项。"
    assert own_tick(inspection, shichang).ticked is True


def test_board_offers_no_last_round_where_there_was_none(page, inspection):
    assert "沿用上次勾选" not in page.get(url("ticks", inspection)).content.decode()


def late(client, inspection, participation, **given):
    until = timezone.localtime() + timedelta(days=1)
    given = {"until": f"{until:%Y-%m-%dT%H:%M}", "reason": "系统故障", **given}
    return client.post(
        url("allow_late", inspection), {"participation": participation.pk, **given}, follow=True
    )


def test_late_department_ticks_while_others_only_read(client_as, page, shichang, ziran):
    inspection = make_inspection(InspectionState.TICKING_CLOSED)
    lead = client_as(clerk_of(inspection.lead_department))
    assert "已准许" in late(lead, inspection, part(inspection, shichang)).content.decode()
    assert "提交勾选" in page.get(url("ticks", inspection)).content.decode()
    other = client_as(clerk_of(ziran)).get(url("ticks", inspection)).content.decode()
    assert "提交勾选" not in other


def test_late_leave_without_a_reason_is_explained(client_as, shichang):
    inspection = make_inspection(InspectionState.TICKING_CLOSED)
    lead = client_as(clerk_of(inspection.lead_department))
    text = late(lead, inspection, part(inspection, shichang), reason="").content.decode()
    assert "请填写准许补勾的理由。" in text
    assert part(inspection, shichang).late_until is None


def test_late_leave_for_a_department_not_taking_part_is_explained(client_as):
    inspection = make_inspection(InspectionState.TICKING_CLOSED)
    stranger = make_inspection(InspectionState.TICKING_CLOSED).participations.first()
    lead = client_as(clerk_of(inspection.lead_department))
    assert "请选择参与本次检查的部门。" in late(lead, inspection, stranger).content.decode()


def test_closed_board_is_read_only(page):
    inspection = make_inspection(InspectionState.TICKING_CLOSED)
    response = page.get(url("ticks", inspection))
    assert "勾选已截止，以下内容只能查看。" in response.content.decode()
