from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from departments.enums import Role
from inspections.enums import InspectionState, ParticipationState, RequestState
from inspections.models import ItemRequest, JointInspection
from inspections.services import ticking
from tests.factories.departments import make_department, make_user
from tests.factories.inspections import clerk_of, make_inspection
from tests.factories.ticking import own_tick, part

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true"}


@pytest.fixture
def page(client_as, clerk):
    return client_as(clerk)


def url(name: str, row) -> str:
    return reverse(f"inspections:{name}", args=[row.pk])


def send(client, tick, **data):
    return client.post(url("tick", tick), {"ticked": "on", "note": "", "rev": tick.rev, **data}, headers=HTMX)


# --- One item ---------------------------------------


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


# --- Answering ---------------------------------------


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


# --- Asking for items of others ---------------------------------------


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


# --- Own system, the last round, late ticks ---------------------------------------


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
    assert "沿用上次勾选" in response.content.decode()
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
