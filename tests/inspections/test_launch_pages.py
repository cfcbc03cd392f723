from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from departments.enums import Role
from inspections.enums import InspectionState, ParticipationState, ScopeSource
from inspections.models import JointInspection
from inspections.services import ticking
from institutions.enums import Feature, InstitutionKind, OperatingState
from tests.factories.departments import make_department, make_town, make_user
from tests.factories.inspections import clerk_of, head_of, make_inspection, tick_everything
from tests.factories.institutions import make_institution
from tests.factories.scenarios import make_version

pytestmark = pytest.mark.django_db

LIST_QUERIES, DETAIL_QUERIES = 10, 23


@pytest.fixture
def minzheng():
    return make_department("minzheng")


@pytest.fixture
def lead(client_as, minzheng):
    return client_as(clerk_of(minzheng))


@pytest.fixture
def head(client_as, minzheng):
    return client_as(head_of(minzheng))


@pytest.fixture
def partner(client_as):
    return client_as(clerk_of(make_department("shichang")))


@pytest.fixture
def stranger(client_as):
    return client_as(clerk_of(make_department("yinglin", make_town())))


def url(name: str, inspection: JointInspection) -> str:
    return reverse(f"inspections:{name}", args=[inspection.pk])


def filled(minzheng, version, **changes) -> dict:
    """The form as a clerk sends it."""
    today = timezone.localdate()
    deadline = timezone.localtime() + timedelta(minutes=2)
    values = {
        "lead_department": minzheng.pk,
        "name": "春季联合检查",
        "kind": "DAILY",
        "versions": [version.pk],
        "window_from": today.isoformat(),
        "window_until": (today + timedelta(days=30)).isoformat(),
        "tick_deadline": deadline.strftime("%Y-%m-%dT%H:%M"),
        "silence_rule": "NONE",
        "sampling-percent": "100",
        "scope_mode": "FILTER",
        "then": "save",
    }
    return values | changes


def messages_of(response) -> list[str]:
    return [str(message) for message in response.context["messages"]]


# --- The list -----------------------------------------------------------------------------


@pytest.mark.parametrize("count", [1, 3])
def test_list_costs_the_same_for_one_and_three(lead, django_assert_num_queries, count):
    version = make_version()
    for _ in range(count):
        make_inspection(version=version)
    with django_assert_num_queries(LIST_QUERIES):
        response = lead.get(reverse("inspections:list"))
    assert response.context["listing"].page.paginator.count == count


def test_list_shows_who_has_answered(lead):
    inspection = make_inspection()
    tick_everything(inspection.participations.get(department__code="shichang"))
    row = lead.get(reverse("inspections:list")).context["listing"].page.object_list[0]
    assert (row.answered, row.invited) == (1, 4)


def test_list_filters_by_state_and_words(lead):
    version = make_version()
    make_inspection(InspectionState.DRAFT, version=version, name="消防专项")
    wanted = make_inspection(version=version, name="消防联合检查")
    make_inspection(version=version, name="食品联合检查")
    response = lead.get(reverse("inspections:list"), {"state": "TICKING", "q": "消防"})
    assert [row.pk for row in response.context["listing"]] == [wanted.pk]


def test_list_filters_by_lead(lead, minzheng):
    inspection = make_inspection()
    other = make_department("shichang")
    numbers = [
        lead.get(reverse("inspections:list"), {"lead": department.pk}).context["listing"].page.paginator.count
        for department in (minzheng, other)
    ]
    assert (inspection.lead_department, numbers) == (minzheng, [1, 0])


def test_list_keeps_a_draft_from_a_partner(partner):
    make_inspection(InspectionState.DRAFT)
    assert partner.get(reverse("inspections:list")).context["listing"].page.paginator.count == 0


def test_officer_is_not_offered_to_launch(client_as, minzheng):
    response = client_as(make_user(minzheng, Role.OFFICER)).get(reverse("inspections:list"))
    assert response.context["may_launch"] is False


# --- Launching ----------------------------------------------------------------------------------


def test_form_starts_with_the_version_in_force_and_a_plan_that_holds(lead):
    version = make_version()
    form = lead.get(reverse("inspections:launch")).context["form"]
    assert [row.pk for row in form["versions"].initial] == [version.pk]
    assert form["tick_deadline"].initial > timezone.now()


def test_launching_by_filter_takes_what_the_filter_finds(lead, minzheng):
    version = make_version()
    wanted = make_institution(features=[Feature.CANTEEN])
    make_institution()
    data = filled(minzheng, version, **{"scope-feature": ["CANTEEN"]})
    response = lead.post(reverse("inspections:launch"), data)
    inspection = JointInspection.objects.get()
    assert response.url == url("detail", inspection)
    assert list(inspection.candidates.values_list("institution", "source")) == [
        (wanted.pk, ScopeSource.FILTER)
    ]
    assert inspection.scope_filter == {"feature": ["CANTEEN"]}


def test_launching_by_hand_takes_the_picked_ones_only(lead, minzheng):
    wanted, _ = make_institution(), make_institution()
    data = filled(minzheng, make_version(), scope_mode="HAND", by_hand=[wanted.pk])
    lead.post(reverse("inspections:launch"), data)
    assert list(JointInspection.objects.get().candidates.values_list("institution", flat=True)) == [wanted.pk]


def test_saving_and_submitting_in_one_go(lead, minzheng):
    make_institution()
    lead.post(reverse("inspections:launch"), filled(minzheng, make_version(), then="submit"))
    assert JointInspection.objects.get().state == InspectionState.AWAITING_APPROVAL


def test_submitting_an_empty_scope_keeps_the_draft_and_says_why(lead, minzheng):
    data = filled(minzheng, make_version(), then="submit")
    response = lead.post(reverse("inspections:launch"), data, follow=True)
    assert JointInspection.objects.get().state == InspectionState.DRAFT
    assert messages_of(response) == ["检查范围内没有机构，请先选择机构。"]


def test_deadline_in_the_past_is_said_beside_the_field(lead, minzheng):
    data = filled(minzheng, make_version(), tick_deadline="2025-01-01T09:00", name="带回来的名称")
    response = lead.post(reverse("inspections:launch"), data)
    assert (response.status_code, JointInspection.objects.count()) == (422, 0)
    assert response.context["form"].errors["tick_deadline"] == ["勾选截止时间应晚于现在。"]
    assert "带回来的名称" in response.content.decode()


def test_refused_form_keeps_what_was_picked_by_hand(lead, minzheng):
    institution = make_institution()
    data = filled(minzheng, make_version(), name="", scope_mode="HAND", by_hand=[institution.pk])
    response = lead.post(reverse("inspections:launch"), data)
    assert [row.pk for row in response.context["chosen"]] == [institution.pk]


def test_clerk_cannot_launch_in_anothers_name(lead, minzheng):
    other = make_department("shichang")
    response = lead.post(
        reverse("inspections:launch"), filled(minzheng, make_version(), lead_department=other.pk)
    )
    assert (response.status_code, JointInspection.objects.count()) == (422, 0)


def test_officer_may_not_open_the_form(client_as, minzheng):
    assert client_as(make_user(minzheng, Role.OFFICER)).get(reverse("inspections:launch")).status_code == 403


def test_stranger_is_sent_to_log_in(client):
    assert client.get(reverse("inspections:launch")).status_code == 302


# --- The live count -----------------------------------------------------------------------------


def count(client, **data):
    return client.post(reverse("inspections:scope_count"), {"scope_mode": "FILTER", **data})


def test_count_leaves_out_suspended_and_closed_and_says_so(lead):
    make_institution()
    make_institution(operating_state=OperatingState.SUSPENDED)
    make_institution(operating_state=OperatingState.CLOSED)
    context = count(lead).context
    assert (context["total"], context["suspended"], context["closed"]) == (1, 1, 1)


def test_count_joins_filter_and_hand_without_counting_twice(lead):
    both = make_institution(features=[Feature.CANTEEN])
    picked = make_institution(kind=InstitutionKind.DAY_CARE)
    response = count(lead, **{"scope-feature": ["CANTEEN"], "by_hand": [both.pk, picked.pk]})
    assert (response.context["total"], response.context["by_hand_count"]) == (2, 2)


def test_count_shows_how_many_the_ratio_draws(lead):
    for _ in range(3):
        make_institution()
    assert count(lead, **{"sampling-percent": "40"}).context["sample"] == 2


def test_count_without_a_ratio_shows_no_sample(lead):
    make_institution()
    assert count(lead, **{"sampling-percent": "viel"}).context["sample"] is None


def test_count_agrees_with_what_is_launched(lead, minzheng):
    make_institution()
    hand = make_institution(operating_state=OperatingState.SUSPENDED)
    data = filled(minzheng, make_version(), by_hand=[hand.pk])
    shown = lead.post(reverse("inspections:scope_count"), data).context["total"]
    lead.post(reverse("inspections:launch"), data)
    assert (shown, JointInspection.objects.get().candidates.count()) == (2, 2)


def test_search_keeps_the_picked_ones_on_top(lead):
    picked = make_institution(name="磁灶养老院")
    found = make_institution(name="英林养老院")
    make_institution(name="安海养老院")
    response = lead.post(reverse("inspections:scope_search"), {"hand_q": "英林", "by_hand": [picked.pk]})
    assert [row.pk for row in response.context["chosen"]] == [picked.pk]
    assert [row.pk for row in response.context["found"]] == [found.pk]


def test_search_does_not_offer_closed_institutions(lead):
    make_institution(operating_state=OperatingState.CLOSED)
    response = lead.post(reverse("inspections:scope_search"), {"hand_q": ""})
    assert response.context["found"] == []


# --- Changing a draft -------------------------------------------------------------------------------


def test_edit_shows_filter_and_picks_again(lead, minzheng):
    hand = make_institution()
    make_institution(features=[Feature.CANTEEN])
    data = filled(minzheng, make_version(), by_hand=[hand.pk], **{"scope-feature": ["CANTEEN"]})
    lead.post(reverse("inspections:launch"), data)
    context = lead.get(url("edit", JointInspection.objects.get())).context
    assert context["scope"]["feature"].value() == ["CANTEEN"]
    assert [row.pk for row in context["chosen"]] == [hand.pk]
    assert context["total"] == 2


def test_edit_saves_the_changed_plan(lead, minzheng):
    version = make_version()
    inspection = make_inspection(InspectionState.DRAFT, version=version)
    lead.post(url("edit", inspection), filled(minzheng, version, name="改名"))
    inspection.refresh_from_db()
    assert inspection.name == "改名"


def test_edit_of_a_submitted_plan_goes_back_with_the_reason(lead):
    inspection = make_inspection(InspectionState.AWAITING_APPROVAL)
    response = lead.get(url("edit", inspection), follow=True)
    assert messages_of(response) == ["联合检查待审批，方案不能再修改。"]


def test_partner_may_not_edit(partner):
    assert partner.get(url("edit", make_inspection())).status_code == 403


# --- One joint inspection -------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [1, 3])
def test_detail_costs_the_same_for_one_and_three(lead, django_assert_num_queries, count):
    institutions = [make_institution() for _ in range(count)]
    inspection = make_inspection(institutions=institutions)
    tick_everything(inspection.participations.get(department__code="shichang"))
    with django_assert_num_queries(DETAIL_QUERIES):
        lead.get(url("detail", inspection))


@pytest.mark.parametrize(
    ("who", "state", "status"),
    [
        ("lead", InspectionState.DRAFT, 200),
        ("partner", InspectionState.DRAFT, 404),
        ("partner", InspectionState.AWAITING_APPROVAL, 404),
        ("partner", InspectionState.TICKING, 200),
        ("stranger", InspectionState.TICKING, 404),
    ],
)
def test_who_sees_it_when(request, who, state, status):
    client = request.getfixturevalue(who)
    inspection = make_inspection(state)
    pages = [url("detail", inspection), url("progress_board", inspection), url("ticks", inspection)]
    codes = [client.get(page).status_code for page in pages]
    if inspection.state != InspectionState.TICKING and status == 200:
        assert codes == [200, 286, 200]
    else:
        assert codes == [status] * 3


@pytest.mark.parametrize("state", list(InspectionState))
def test_detail_opens_in_every_state(lead, state):
    inspection = make_inspection(InspectionState.TICKING_CLOSED)
    JointInspection.objects.update(state=state)
    assert lead.get(url("detail", inspection)).status_code == 200


@pytest.mark.parametrize(
    ("who", "state", "offered"),
    [
        ("lead", InspectionState.DRAFT, {"may_edit", "may_cancel"}),
        ("lead", InspectionState.AWAITING_APPROVAL, {"may_cancel"}),
        ("head", InspectionState.AWAITING_APPROVAL, {"may_decide", "may_cancel"}),
        ("lead", InspectionState.TICKING, {"may_tick", "may_close", "may_extend", "may_cancel"}),
        ("partner", InspectionState.TICKING, {"may_tick"}),
        ("lead", InspectionState.TICKING_CLOSED, {"may_extend", "may_cancel"}),
        ("partner", InspectionState.TICKING_CLOSED, set()),
    ],
)
def test_page_offers_what_the_role_may_do(request, who, state, offered):
    client = request.getfixturevalue(who)
    context = client.get(url("detail", make_inspection(state))).context
    flags = ["edit", "decide", "tick", "close", "extend", "cancel", "complete"]
    assert {f"may_{flag}" for flag in flags if context[f"may_{flag}"]} == offered


def test_silent_department_is_shown_as_such(lead):
    inspection = make_inspection(InspectionState.TICKING_CLOSED)
    board = lead.get(url("detail", inspection)).context["board"]
    assert {row["state"] for row in board} == {ParticipationState.SILENT}
    assert "逾期未答复" in lead.get(url("detail", inspection)).content.decode()


def test_ticks_never_submitted_are_named_as_counting(lead, minzheng):
    inspection = make_inspection()
    tick = inspection.ticks.filter(department__code="shichang").get()
    ticking.tick(tick, ticked=True, note="", rev=0, actor=clerk_of(tick.department))
    ticking.close_ticking(inspection, actor=clerk_of(minzheng))
    board = lead.get(url("detail", inspection)).context["board"]
    assert [row["note"] for row in board if row["done"]] == ["未提交，已勾选的仍计入"]


def test_approver_reads_whom_it_will_invite(head):
    invitation = head.get(url("detail", make_inspection(InspectionState.AWAITING_APPROVAL))).context[
        "invitation"
    ]
    assert (len(invitation["departments"]), invitation["items"]) == (4, 5)


def test_board_answers_204_while_nothing_changes(lead):
    inspection = make_inspection()
    stamp = lead.get(url("detail", inspection)).context["stamp"]
    assert lead.get(url("progress_board", inspection), {"seen": stamp}).status_code == 204


def test_board_shows_a_new_answer(lead):
    inspection = make_inspection()
    stamp = lead.get(url("detail", inspection)).context["stamp"]
    tick_everything(inspection.participations.get(department__code="shichang"))
    response = lead.get(url("progress_board", inspection), {"seen": stamp})
    assert (response.status_code, response.context["answered"]) == (200, 1)


def test_board_has_the_page_reloaded_when_ticking_ends(lead, minzheng):
    inspection = make_inspection()
    ticking.close_ticking(inspection, actor=clerk_of(minzheng))
    response = lead.get(url("progress_board", inspection))
    assert (response.status_code, response["HX-Refresh"]) == (286, "true")


# --- Its steps ---------------------------------------------------------------------------------------------


def test_clerk_submits_and_head_approves(lead, head):
    inspection = make_inspection(InspectionState.DRAFT)
    lead.post(url("submit_for_approval", inspection))
    head.post(url("approve", inspection))
    inspection.refresh_from_db()
    assert inspection.state == InspectionState.TICKING


def test_clerk_is_refused_to_approve(lead):
    inspection = make_inspection(InspectionState.AWAITING_APPROVAL)
    assert lead.post(url("approve", inspection)).status_code == 403


def test_head_of_a_partner_does_not_even_see_what_to_approve(client_as):
    client = client_as(head_of(make_department("shichang")))
    inspection = make_inspection(InspectionState.AWAITING_APPROVAL)
    assert client.post(url("approve", inspection)).status_code == 404


def test_head_sends_back_and_the_page_says_why(lead, head):
    inspection = make_inspection(InspectionState.AWAITING_APPROVAL)
    head.post(url("send_back", inspection), {"reason": "范围太大"})
    assert "范围太大" in lead.get(url("detail", inspection)).content.decode()


def test_lead_closes_early_and_extends_again(lead):
    inspection = make_inspection()
    lead.post(url("close_ticking", inspection))
    inspection.refresh_from_db()
    closed = inspection.state
    until = timezone.localtime() + timedelta(days=2)
    lead.post(url("extend_ticking", inspection), {"until": until.strftime("%Y-%m-%dT%H:%M")})
    inspection.refresh_from_db()
    assert (closed, inspection.state) == (InspectionState.TICKING_CLOSED, InspectionState.TICKING)


def test_extending_without_a_time_is_explained(lead):
    response = lead.post(url("extend_ticking", make_inspection()), {"until": ""}, follow=True)
    assert messages_of(response) == ["请填写新的截止时间，如 2026-03-06 17:00。"]


def test_extending_backwards_is_explained(lead):
    inspection = make_inspection()
    until = timezone.localtime() + timedelta(days=1)
    response = lead.post(
        url("extend_ticking", inspection), {"until": until.strftime("%Y-%m-%dT%H:%M")}, follow=True
    )
    assert messages_of(response) == ["延长后的截止时间应晚于原截止时间。"]


def test_lead_cancels_with_a_reason(lead):
    inspection = make_inspection()
    lead.post(url("cancel", inspection), {"reason": "台风"})
    inspection.refresh_from_db()
    assert inspection.state == InspectionState.CANCELLED


def test_completing_too_early_is_explained(lead):
    response = lead.post(url("complete", make_inspection()), follow=True)
    assert messages_of(response) == ["联合检查勾选中，不能改为“已完成”。"]


@pytest.mark.parametrize("step", ["submit_for_approval", "cancel", "close_ticking", "complete"])
def test_partner_is_refused_every_step_of_the_lead(partner, step):
    assert partner.post(url(step, make_inspection()), {"reason": "不"}).status_code == 403


@pytest.mark.parametrize("step", ["submit_for_approval", "approve", "send_back", "cancel", "close_ticking"])
def test_steps_are_not_taken_by_opening_their_address(head, step):
    assert head.get(url(step, make_inspection())).status_code == 405
