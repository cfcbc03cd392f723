"""Closing and extending, to the microsecond and at once."""

import threading
from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection, transaction
from django.utils import timezone

from core.errors import DomainError
from departments.models import Notification
from inspections import tasks
from inspections.enums import Event, InspectionState, ParticipationState
from inspections.models import JointInspection
from inspections.services import launch, ticking
from inspections.services.draw import draw
from ledger.services import entries_of
from tests.factories.inspections import clerk_of, make_inspection, tick_everything
from tests.factories.scenarios import make_version
from tests.factories.ticking import last_entry, own_tick, part, put

pytestmark = pytest.mark.django_db


def passed(inspection) -> None:
    """The deadline has come, the beat has not."""
    JointInspection.objects.filter(pk=inspection.pk).update(tick_deadline=timezone.now())


def set_clocks(monkeypatch, moment) -> None:
    """Set every clock of the ticking to `moment`."""
    monkeypatch.setattr("django.utils.timezone.now", lambda: moment)


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


# --- The edge -----------------------------------------------------------------------------------


def test_tick_a_microsecond_before_the_deadline_counts(monkeypatch, shichang):
    inspection = make_inspection()
    clerk, tick = clerk_of(shichang), own_tick(inspection, shichang)
    set_clocks(monkeypatch, inspection.tick_deadline - timedelta(microseconds=1))
    assert ticking.tick(tick, ticked=True, note="", rev=0, actor=clerk).ticked is True


def test_tick_at_the_deadline_is_refused(monkeypatch, shichang):
    inspection = make_inspection()
    clerk, tick = clerk_of(shichang), own_tick(inspection, shichang)
    set_clocks(monkeypatch, inspection.tick_deadline)
    with pytest.raises(DomainError, match="截止"):
        ticking.tick(tick, ticked=True, note="", rev=0, actor=clerk)


def test_deadline_extended_at_the_last_moment_keeps_the_beat_out():
    inspection = make_inspection()
    was = inspection.tick_deadline
    ticking.extend_ticking(
        inspection, until=was + timedelta(hours=1), actor=clerk_of(inspection.lead_department)
    )
    assert ticking.close_due(was) == 0


# --- At the same moment --------------------------------------------------------------------------


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


@pytest.mark.django_db(transaction=True)
def test_two_leads_closing_and_extending_at_once_leave_one_of_two_whole_states():
    inspection = make_inspection()
    lead = clerk_of(inspection.lead_department)
    until = inspection.tick_deadline + timedelta(days=1)
    ready, outcomes = threading.Barrier(2), []

    def act(verb, **given):
        try:
            ready.wait(timeout=10)
            verb(JointInspection.objects.get(pk=inspection.pk), actor=lead, **given)
            outcomes.append(verb.__name__)
        finally:
            connection.close()

    threads = [
        threading.Thread(target=act, args=(ticking.close_ticking,)),
        threading.Thread(target=act, args=(ticking.extend_ticking,), kwargs={"until": until}),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    inspection.refresh_from_db()
    states = set(inspection.participations.values_list("state", flat=True))
    last = last_entry(inspection).kind
    assert sorted(outcomes) == ["close_ticking", "extend_ticking"]
    # Whoever came second found the first one's work done, and the trail says which.
    assert (inspection.state, inspection.tick_deadline, states, last) in [
        (InspectionState.TICKING, until, {ParticipationState.INVITED}, Event.TICKING_EXTENDED),
        (InspectionState.TICKING_CLOSED, until, {ParticipationState.SILENT}, Event.TICKING_CLOSED),
    ]
