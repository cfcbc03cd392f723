import threading
from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection, transaction
from django.utils import timezone

from core.errors import DomainError, StaleError
from departments.enums import Role
from departments.models import Notification
from inspections import tasks
from inspections.enums import Event, InspectionState, ParticipationState, RequestState
from inspections.models import ItemRequest, JointInspection, Participation, Tick
from inspections.services import launch, ticking
from inspections.services.draw import draw
from ledger.services import entries_of
from tests.factories.departments import make_department, make_user
from tests.factories.inspections import clerk_of, make_inspection, tick_everything
from tests.factories.scenarios import make_version

pytestmark = pytest.mark.django_db


@pytest.fixture
def inspection() -> JointInspection:
    return make_inspection(InspectionState.TICKING)


@pytest.fixture
def shichang():
    return make_department("shichang")


@pytest.fixture
def ziran():
    return make_department("ziran")


@pytest.fixture
def clerk(shichang):
    return clerk_of(shichang)


def part(inspection, department) -> Participation:
    return inspection.participations.get(department=department)


def own_tick(inspection, department) -> Tick:
    return inspection.ticks.filter(department=department).order_by("pk").first()


def put(tick: Tick, actor, *, ticked: bool = True, note: str = "", rev: int | None = None) -> Tick:
    return ticking.tick(tick, ticked=ticked, note=note, rev=tick.rev if rev is None else rev, actor=actor)


def last_entry(inspection):
    return entries_of(inspection.subject).last()


def passed(inspection) -> None:
    """The deadline has come, the beat has not."""
    JointInspection.objects.filter(pk=inspection.pk).update(tick_deadline=timezone.now())


def refuse_ledger(*args, **kwargs):
    raise RuntimeError("no room left")


# --- Ticking one's own items --------------------------------------------------------------


def test_opening_the_board_is_noted_once(inspection, shichang, clerk):
    first = ticking.see(part(inspection, shichang), actor=clerk)
    again = ticking.see(part(inspection, shichang), actor=clerk)
    assert (first.state, again.seen_at) == (ParticipationState.SEEN, first.seen_at)


def test_tick_writes_value_note_and_who(inspection, shichang, clerk):
    tick = put(own_tick(inspection, shichang), clerk, note=" 带上量具 ")
    assert (tick.ticked, tick.note, tick.rev, tick.changed_by) == (True, "带上量具", 1, clerk)


def test_tick_counts_as_having_seen_it(inspection, shichang, clerk):
    put(own_tick(inspection, shichang), clerk)
    assert part(inspection, shichang).state == ParticipationState.SEEN


def test_second_clerk_with_an_old_revision_is_told_the_truth(inspection, shichang, clerk):
    tick = own_tick(inspection, shichang)
    put(tick, clerk, note="先查后厨")
    with pytest.raises(ticking.StaleTickError) as refusal:
        put(tick, make_user(shichang, Role.HANDLER), ticked=False, rev=0)
    current = refusal.value.current
    assert (current.ticked, current.note, current.rev, current.changed_by) == (True, "先查后厨", 1, clerk)


def test_stale_tick_writes_nothing(inspection, shichang, clerk):
    tick = own_tick(inspection, shichang)
    put(tick, clerk)
    with pytest.raises(StaleError):
        put(tick, clerk, ticked=False, rev=0)
    tick.refresh_from_db()
    assert (tick.ticked, tick.rev) == (True, 1)


def test_same_content_sent_twice_is_no_conflict(inspection, shichang, clerk):
    tick = own_tick(inspection, shichang)
    put(tick, clerk, note="甲")
    assert put(tick, clerk, note="甲", rev=0).rev == 1


def test_department_may_not_tick_anothers_item(inspection, ziran, clerk):
    with pytest.raises(PermissionDenied):
        put(own_tick(inspection, ziran), clerk)


def test_officer_may_not_tick(inspection, shichang):
    with pytest.raises(PermissionDenied):
        put(own_tick(inspection, shichang), make_user(shichang, Role.OFFICER))


def test_tick_after_the_deadline_is_refused_before_the_beat_came(inspection, shichang, clerk):
    passed(inspection)
    with pytest.raises(DomainError, match="截止"):
        put(own_tick(inspection, shichang), clerk)


def test_tick_on_a_closed_ticking_is_refused(inspection, shichang, clerk):
    ticking.close_ticking(inspection, actor=clerk_of(inspection.lead_department))
    with pytest.raises(DomainError, match="不能勾选"):
        put(own_tick(inspection, shichang), clerk)


def test_bulk_ticks_all_own_items_and_leaves_notes(inspection):
    minzheng = make_department("minzheng")
    clerk = clerk_of(minzheng)
    put(own_tick(inspection, minzheng), clerk, ticked=False, note="查名册")
    own = inspection.ticks.filter(department=minzheng)
    counts = ticking.tick_all(
        part(inspection, minzheng), ticked=True, revs=dict(own.values_list("pk", "rev")), actor=clerk
    )
    assert counts == (2, 0)
    assert list(own.order_by("pk").values_list("ticked", "note")) == [(True, "查名册"), (True, "")]


def test_bulk_leaves_alone_what_a_colleague_changed(inspection, shichang, clerk):
    tick = own_tick(inspection, shichang)
    put(tick, make_user(shichang, Role.HANDLER), ticked=False, note="本次不查")
    assert ticking.tick_all(part(inspection, shichang), ticked=True, revs={tick.pk: 0}, actor=clerk) == (0, 1)
    tick.refresh_from_db()
    assert tick.ticked is False


def test_bulk_does_not_reach_another_departments_items(inspection, shichang, ziran, clerk):
    foreign = own_tick(inspection, ziran)
    assert ticking.tick_all(part(inspection, shichang), ticked=True, revs={foreign.pk: 0}, actor=clerk) == (
        0,
        0,
    )
    foreign.refresh_from_db()
    assert foreign.ticked is False


# --- Answering, declining --------------------------------------------------------------------


def test_answer_records_the_ticked_items(inspection, shichang, clerk):
    tick = put(own_tick(inspection, shichang), clerk)
    answered = ticking.answer(part(inspection, shichang), actor=clerk)
    entry = last_entry(inspection)
    assert (answered.state, answered.answered_by) == (ParticipationState.ANSWERED, clerk)
    assert (entry.kind, entry.department, entry.payload["check_items"]) == (
        Event.TICKED,
        shichang.key,
        [tick.check_item_id],
    )


def test_answer_without_a_tick_is_refused(inspection, shichang, clerk):
    with pytest.raises(DomainError, match="不参加"):
        ticking.answer(part(inspection, shichang), actor=clerk)


def test_change_after_the_answer_goes_on_record(inspection, shichang, clerk):
    tick = put(own_tick(inspection, shichang), clerk)
    ticking.answer(part(inspection, shichang), actor=clerk)
    put(tick, clerk, note="加查留样")
    changes = last_entry(inspection).payload["changes"]
    assert [(c["check_item"], c["ticked"], c["rev"]) for c in changes] == [(tick.check_item_id, True, 2)]


def test_department_may_answer_again_before_the_deadline(inspection, shichang, clerk):
    put(own_tick(inspection, shichang), clerk)
    ticking.answer(part(inspection, shichang), actor=clerk)
    assert ticking.answer(part(inspection, shichang), actor=clerk).state == ParticipationState.ANSWERED


def test_answer_after_the_deadline_is_refused(inspection, shichang, clerk):
    put(own_tick(inspection, shichang), clerk)
    passed(inspection)
    with pytest.raises(DomainError, match="截止"):
        ticking.answer(part(inspection, shichang), actor=clerk)


def test_failing_ledger_leaves_the_answer_ungiven(inspection, shichang, clerk, monkeypatch):
    put(own_tick(inspection, shichang), clerk)
    monkeypatch.setattr("ledger.services.append", refuse_ledger)
    with pytest.raises(RuntimeError):
        ticking.answer(part(inspection, shichang), actor=clerk)
    assert part(inspection, shichang).state == ParticipationState.SEEN


def test_declining_keeps_the_reason_and_withdraws_the_ticks(inspection, shichang, clerk):
    tick = put(own_tick(inspection, shichang), clerk)
    declined = ticking.decline(part(inspection, shichang), reason=" 人员集训 ", actor=clerk)
    tick.refresh_from_db()
    assert (declined.state, declined.reason, tick.ticked) == (ParticipationState.DECLINED, "人员集训", False)


def test_declining_without_a_reason_is_refused(inspection, shichang, clerk):
    with pytest.raises(DomainError, match="理由"):
        ticking.decline(part(inspection, shichang), reason=" ", actor=clerk)


def test_declining_keeps_the_reasons_words_out_of_the_ledger(inspection, shichang, clerk):
    ticking.decline(part(inspection, shichang), reason="李四病假", actor=clerk)
    assert "李四" not in str(last_entry(inspection).payload)


def test_declined_department_cannot_tick_until_it_rejoins(inspection, shichang, clerk):
    ticking.decline(part(inspection, shichang), reason="人员集训", actor=clerk)
    with pytest.raises(DomainError, match="改为参加"):
        put(own_tick(inspection, shichang), clerk)
    ticking.rejoin(part(inspection, shichang), actor=clerk)
    assert put(own_tick(inspection, shichang), clerk).ticked is True


def test_rejoining_without_having_declined_is_refused(inspection, shichang, clerk):
    with pytest.raises(DomainError):
        ticking.rejoin(part(inspection, shichang), actor=clerk)


def test_own_system_withdraws_the_ticks_and_tells_the_lead(inspection, shichang, clerk):
    lead = clerk_of(inspection.lead_department)
    tick = put(own_tick(inspection, shichang), clerk)
    row = ticking.use_own_system(part(inspection, shichang), system=" 市场监管一体化平台 ", actor=clerk)
    tick.refresh_from_db()
    assert (row.state, row.reason, tick.ticked) == (
        ParticipationState.OWN_SYSTEM,
        "市场监管一体化平台",
        False,
    )
    assert last_entry(inspection).kind == Event.OWN_SYSTEM
    assert Notification.objects.filter(recipient=lead, text__contains="使用自建系统").count() == 1


def test_own_system_without_its_name_is_refused(inspection, shichang, clerk):
    with pytest.raises(DomainError, match="名称"):
        ticking.use_own_system(part(inspection, shichang), system=" ", actor=clerk)


def test_department_with_an_own_system_is_not_silent(inspection, shichang, clerk):
    ticking.use_own_system(part(inspection, shichang), system="平台", actor=clerk)
    ticking.close_due(inspection.tick_deadline)
    assert part(inspection, shichang).state == ParticipationState.OWN_SYSTEM


def test_department_comes_back_from_its_own_system(inspection, shichang, clerk):
    ticking.use_own_system(part(inspection, shichang), system="平台", actor=clerk)
    with pytest.raises(DomainError, match="使用自建系统"):
        put(own_tick(inspection, shichang), clerk)
    ticking.rejoin(part(inspection, shichang), actor=clerk)
    assert put(own_tick(inspection, shichang), clerk).ticked is True


# --- As in the last round ---------------------------------------------------------------------


@pytest.fixture
def last(inspection, shichang):
    """A completed round of the same scenario in which 市场监管局 ticked, and the others did not."""
    last = make_inspection(version=inspection.versions.get())
    tick_everything(part(last, shichang))
    JointInspection.objects.filter(pk=last.pk).update(state=InspectionState.COMPLETED)
    return last


def copy(inspection, department) -> tuple[int, int]:
    revs = dict(inspection.ticks.filter(department=department).values_list("pk", "rev"))
    return ticking.copy_last(part(inspection, department), revs=revs, actor=clerk_of(department))


def test_copying_ticks_what_was_ticked_last(inspection, shichang, last):
    assert (ticking.last_round(inspection, shichang), copy(inspection, shichang)) == (last, (1, 0))
    assert own_tick(inspection, shichang).ticked is True


def test_copying_takes_the_newest_round(inspection, shichang, last):
    newer = make_inspection(version=inspection.versions.get(), ticked=True)
    JointInspection.objects.filter(pk=newer.pk).update(state=InspectionState.COMPLETED)
    assert ticking.last_round(inspection, shichang) == newer


def test_round_in_which_the_department_ticked_nothing_is_no_last_round(inspection, ziran, last):
    with pytest.raises(DomainError, match="上一次"):
        copy(inspection, ziran)


def test_round_of_another_scenario_is_no_last_round(inspection, shichang):
    other = make_inspection(version=make_version(), ticked=True)
    JointInspection.objects.filter(pk=other.pk).update(state=InspectionState.COMPLETED)
    assert ticking.last_round(inspection, shichang) is None


def test_round_still_under_way_is_no_last_round(inspection, shichang):
    make_inspection(version=inspection.versions.get(), ticked=True)
    assert ticking.last_round(inspection, shichang) is None


def test_copying_leaves_alone_what_a_colleague_changed(inspection, shichang, clerk, last):
    tick = put(own_tick(inspection, shichang), clerk, ticked=False, note="本次不查")
    revs = {tick.pk: 0}
    assert ticking.copy_last(part(inspection, shichang), revs=revs, actor=clerk) == (0, 1)


# --- Asking for items of others -----------------------------------------------------------------


def ask(inspection, of, department) -> ItemRequest:
    return ticking.request_item(
        own_tick(inspection, of), department=department, reason="群众反映", actor=clerk_of(department)
    )


def test_request_tells_the_owner(inspection, shichang, ziran):
    owner = clerk_of(ziran)
    request = ask(inspection, ziran, shichang)
    assert (request.state, last_entry(inspection).kind) == (RequestState.REQUESTED, Event.REQUESTED)
    assert Notification.objects.filter(recipient=owner, text__contains="提请").count() == 1


def test_request_counts_once_the_owner_ticks(inspection, shichang, ziran):
    request = ask(inspection, ziran, shichang)
    put(own_tick(inspection, ziran), clerk_of(ziran))
    request.refresh_from_db()
    assert request.state == RequestState.TICKED


def test_request_is_open_again_when_the_owner_unticks(inspection, shichang, ziran):
    request = ask(inspection, ziran, shichang)
    tick = put(own_tick(inspection, ziran), clerk_of(ziran))
    put(tick, clerk_of(ziran), ticked=False)
    request.refresh_from_db()
    assert request.state == RequestState.REQUESTED


def test_asking_for_ones_own_item_is_refused(inspection, shichang):
    with pytest.raises(DomainError, match="无需提请"):
        ask(inspection, shichang, shichang)


def test_asking_twice_is_refused(inspection, shichang, ziran):
    ask(inspection, ziran, shichang)
    with pytest.raises(DomainError, match="已提请"):
        ask(inspection, ziran, shichang)


def test_asking_for_a_ticked_item_is_refused(inspection, shichang, ziran):
    put(own_tick(inspection, ziran), clerk_of(ziran))
    with pytest.raises(DomainError, match="已由实施部门勾选"):
        ask(inspection, ziran, shichang)


def test_uninvolved_department_may_not_ask(inspection, ziran):
    with pytest.raises(PermissionDenied):
        ask(inspection, ziran, make_department("renshe"))


def test_owner_refuses_a_request_with_an_answer(inspection, shichang, ziran):
    request = ticking.refuse_request(
        ask(inspection, ziran, shichang), answer="本季度已查", actor=clerk_of(ziran)
    )
    assert (request.state, request.answer, last_entry(inspection).kind) == (
        RequestState.REFUSED,
        "本季度已查",
        Event.REQUEST_REFUSED,
    )


def test_refusing_a_request_needs_an_answer(inspection, shichang, ziran):
    with pytest.raises(DomainError):
        ticking.refuse_request(ask(inspection, ziran, shichang), answer=" ", actor=clerk_of(ziran))


def test_only_the_owner_refuses_a_request(inspection, shichang, ziran):
    with pytest.raises(PermissionDenied):
        ticking.refuse_request(ask(inspection, ziran, shichang), answer="不查", actor=clerk_of(shichang))


def test_refused_request_may_be_made_again(inspection, shichang, ziran):
    first = ticking.refuse_request(ask(inspection, ziran, shichang), answer="不查", actor=clerk_of(ziran))
    again = ask(inspection, ziran, shichang)
    assert (again.pk, again.state, again.answer) == (first.pk, RequestState.REQUESTED, "")


def test_declining_answers_what_was_asked_of_the_department(inspection, shichang, ziran):
    request = ask(inspection, ziran, shichang)
    ticking.decline(part(inspection, ziran), reason="人员集训", actor=clerk_of(ziran))
    request.refresh_from_db()
    assert request.state == RequestState.REFUSED


# --- Closing, extending ----------------------------------------------------------------------------


def test_lead_closes_early_and_the_silent_are_named(inspection, shichang):
    tick_everything(part(inspection, shichang))
    closed = ticking.close_ticking(inspection, actor=clerk_of(inspection.lead_department))
    assert closed.state == InspectionState.TICKING_CLOSED
    assert dict(inspection.participations.values_list("department__code", "state")) == {
        "minzheng": ParticipationState.SILENT,
        "shichang": ParticipationState.ANSWERED,
        "ziran": ParticipationState.SILENT,
        "xiaofang": ParticipationState.SILENT,
    }


def test_closing_records_the_final_list_with_ticks_never_submitted(inspection, shichang, ziran):
    tick_everything(part(inspection, shichang))
    unsubmitted = put(own_tick(inspection, ziran), clerk_of(ziran))
    ticking.close_ticking(inspection, actor=clerk_of(inspection.lead_department))
    entry = last_entry(inspection)
    assert entry.payload["check_items"] == sorted(
        [own_tick(inspection, shichang).check_item_id, unsubmitted.check_item_id]
    )
    assert entry.payload["departments"]["answered"] == ["shichang"]


def test_participant_may_not_close(inspection, clerk):
    with pytest.raises(PermissionDenied):
        ticking.close_ticking(inspection, actor=clerk)


def test_closing_twice_is_refused(inspection):
    lead = clerk_of(inspection.lead_department)
    ticking.close_ticking(inspection, actor=lead)
    with pytest.raises(DomainError):
        ticking.close_ticking(inspection, actor=lead)


def test_close_due_closes_exactly_the_due_ones():
    version = make_version()
    due, later = make_inspection(version=version), make_inspection(version=version)
    draft = make_inspection(InspectionState.DRAFT, version=version)
    passed(due)
    passed(draft)
    assert ticking.close_due() == 1
    assert list(JointInspection.objects.order_by("pk").values_list("pk", "state")) == [
        (due.pk, InspectionState.TICKING_CLOSED),
        (later.pk, InspectionState.TICKING),
        (draft.pk, InspectionState.DRAFT),
    ]


def test_close_due_run_again_does_nothing(inspection):
    passed(inspection)
    assert [ticking.close_due(), ticking.close_due()] == [1, 0]
    assert [e.kind for e in entries_of(inspection.subject)].count(Event.TICKING_CLOSED) == 1


def test_clock_closes_as_the_system(inspection):
    passed(inspection)
    tasks.close_due_ticking()
    assert last_entry(inspection).actor == "system"


def test_closing_by_the_clock_tells_the_lead_how_many_are_silent(inspection):
    lead = clerk_of(inspection.lead_department)
    passed(inspection)
    ticking.close_due()
    assert Notification.objects.filter(recipient=lead, text__contains="4 个部门未答复").count() == 1


def test_deadline_to_the_second_belongs_to_the_closing(inspection):
    assert ticking.close_due(inspection.tick_deadline - timedelta(microseconds=1)) == 0
    assert ticking.close_due(inspection.tick_deadline) == 1


def test_one_that_cannot_be_closed_keeps_no_other_open(monkeypatch):
    version = make_version()
    poisoned, healthy = make_inspection(version=version), make_inspection(version=version)
    passed(poisoned)
    passed(healthy)
    plain = ticking.close_ticking

    def close(inspection, *, actor=None):
        if inspection.pk == poisoned.pk:
            raise RuntimeError("no room left")
        return plain(inspection, actor=actor)

    monkeypatch.setattr("inspections.services.ticking.deadlines.close_ticking", close)
    assert ticking.close_due() == 1
    healthy.refresh_from_db()
    assert healthy.state == InspectionState.TICKING_CLOSED


def test_extending_moves_the_deadline(inspection):
    until = inspection.tick_deadline + timedelta(days=2)
    extended = ticking.extend_ticking(inspection, until=until, actor=clerk_of(inspection.lead_department))
    assert (extended.tick_deadline, last_entry(inspection).kind) == (until, Event.TICKING_EXTENDED)


def test_extending_reopens_a_closed_ticking_and_asks_the_silent_again(inspection, shichang, ziran, clerk):
    ticking.see(part(inspection, shichang), actor=clerk)
    passed(inspection)
    ticking.close_due()
    until = timezone.now() + timedelta(days=1)
    extended = ticking.extend_ticking(inspection, until=until, actor=clerk_of(inspection.lead_department))
    assert (extended.state, extended.ticking_closed_at) == (InspectionState.TICKING, None)
    assert (part(inspection, shichang).state, part(inspection, ziran).state) == (
        ParticipationState.SEEN,
        ParticipationState.INVITED,
    )


def test_silent_department_answers_after_an_extension(inspection, shichang, clerk):
    passed(inspection)
    ticking.close_due()
    ticking.extend_ticking(
        inspection, until=timezone.now() + timedelta(days=1), actor=clerk_of(inspection.lead_department)
    )
    tick_everything(part(inspection, shichang))
    assert part(inspection, shichang).state == ParticipationState.ANSWERED


@pytest.mark.parametrize("days", [-1, 2, 60])
def test_extending_to_a_day_out_of_order_is_refused(inspection, days):
    with pytest.raises(DomainError) as refusal:
        ticking.extend_ticking(
            inspection,
            until=timezone.now() + timedelta(days=days),
            actor=clerk_of(inspection.lead_department),
        )
    assert list(refusal.value.fields) == ["until"]


def test_extending_after_the_draw_is_refused(inspection):
    lead = clerk_of(inspection.lead_department)
    ticking.close_ticking(inspection, actor=lead)
    draw(inspection, actor=lead)
    with pytest.raises(DomainError, match="已抽取"):
        ticking.extend_ticking(inspection, until=timezone.now() + timedelta(days=1), actor=lead)


def test_participant_may_not_extend(inspection, clerk):
    with pytest.raises(PermissionDenied):
        ticking.extend_ticking(inspection, until=timezone.now() + timedelta(days=5), actor=clerk)


def test_draft_cannot_be_extended():
    draft = make_inspection(InspectionState.DRAFT)
    with pytest.raises(DomainError):
        ticking.extend_ticking(
            draft, until=timezone.now() + timedelta(days=5), actor=clerk_of(draft.lead_department)
        )


# --- At the same moment ---------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_two_clerks_ticking_at_once_one_wins_and_one_is_told():
    inspection = make_inspection(InspectionState.TICKING)
    shichang = make_department("shichang")
    clerks = [clerk_of(shichang), make_user(shichang, Role.HANDLER)]
    tick = own_tick(inspection, shichang)
    ready, outcomes = threading.Barrier(2), []

    def write(clerk, note):
        try:
            ready.wait(timeout=10)
            outcomes.append(put(Tick.objects.get(pk=tick.pk), clerk, note=note, rev=0).note)
        except StaleError:
            outcomes.append("stale")
        finally:
            connection.close()

    threads = [threading.Thread(target=write, args=pair) for pair in zip(clerks, ["甲", "乙"], strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    tick.refresh_from_db()
    assert sorted(outcomes) == sorted([tick.note, "stale"])


@pytest.mark.django_db(transaction=True)
def test_beat_passes_by_an_inspection_somebody_is_working_on():
    inspection = make_inspection(InspectionState.TICKING)
    passed(inspection)
    closed = []

    def beat():
        closed.append(ticking.close_due())
        connection.close()

    with transaction.atomic():
        launch.locked(inspection)
        thread = threading.Thread(target=beat)
        thread.start()
        thread.join()
    beat()
    assert closed == [0, 1]
