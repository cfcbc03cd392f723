import threading

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.utils import timezone

from core.errors import DomainError, StaleError
from departments.enums import Role
from inspections.enums import InspectionState, ParticipationState
from inspections.models import JointInspection, Tick
from inspections.services import ticking
from ledger.services import entries_of
from tests.factories.departments import make_department, make_user
from tests.factories.inspections import clerk_of, make_inspection, tick_everything
from tests.factories.scenarios import make_version
from tests.factories.ticking import own_tick, part, put

pytestmark = pytest.mark.django_db


def passed(inspection) -> None:
    """The deadline has come, the beat has not."""
    JointInspection.objects.filter(pk=inspection.pk).update(tick_deadline=timezone.now())


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


# --- As in the last round -----------------------------------------------------------------


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


# --- At the same moment ---------------------------------------------------------------------


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
def test_departments_ticking_all_at_once_lose_nothing():
    inspection = make_inspection()
    departments = [row.department for row in inspection.participations.select_related("department")]
    clerks = {department: clerk_of(department) for department in departments}
    ready, failures = threading.Barrier(len(departments)), []

    def tick_own(department):
        try:
            ready.wait(timeout=10)
            for tick in inspection.ticks.filter(department=department):
                put(tick, clerks[department], note=department.code)
        except Exception as error:
            failures.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=tick_own, args=(department,)) for department in departments]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert set(inspection.ticks.values_list("ticked", "rev")) == {(True, 1)}
    assert all(tick.note == tick.department.code for tick in inspection.ticks.select_related("department"))


@pytest.mark.django_db(transaction=True)
def test_connection_lost_in_the_middle_of_a_tick_leaves_nothing_of_it(monkeypatch, shichang):
    inspection = make_inspection()
    clerk = clerk_of(shichang)
    tick_everything(part(inspection, shichang))
    tick = own_tick(inspection, shichang)
    entries = entries_of(inspection.subject).count()

    def die(*args, **kwargs):
        # What PostgreSQL sees of a web process that is killed: the session ends without a commit.
        connection.connection.close()
        raise SystemExit

    monkeypatch.setattr("inspections.services.ticking.ticks.append", die)
    with pytest.raises(SystemExit):
        ticking.tick(tick, ticked=False, note="改", rev=tick.rev, actor=clerk)
    connection.close()
    now = Tick.objects.get(pk=tick.pk)
    assert (now.ticked, now.note, now.rev) == (True, "", tick.rev)
    assert entries_of(inspection.subject).count() == entries
