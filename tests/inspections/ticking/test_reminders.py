from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from departments.models import Notification
from inspections.enums import Event, InspectionState
from inspections.models import JointInspection, Participation, TickReminder
from inspections.services import ticking
from ledger.services import entries_of
from tests.factories.departments import make_department
from tests.factories.inspections import clerk_of, make_inspection, tick_everything

pytestmark = pytest.mark.django_db

# A Friday's deadline in a week without holidays; 国庆 ended on the 8th.
THURSDAY, FRIDAY = 22, 23


def at(day: int, hour: int = 9, minute: int = 0) -> datetime:
    return timezone.make_aware(datetime(2026, 10, day, hour, minute))


@pytest.fixture
def inspection() -> JointInspection:
    inspection = make_inspection()
    JointInspection.objects.filter(pk=inspection.pk).update(tick_deadline=at(FRIDAY, 17))
    Participation.objects.update(asked_at=at(19, 10))
    return inspection


def reminders_of(department) -> int:
    return Notification.objects.filter(recipient=clerk_of(department), text__contains="尚未答复").count()


@pytest.fixture
def ziran():
    department = make_department("ziran")
    clerk_of(department)
    return department


def test_unanswered_departments_are_reminded_a_working_day_before(inspection, ziran):
    assert ticking.remind_due(at(THURSDAY)) == 4
    assert reminders_of(ziran) == 1


def test_two_working_days_before_nobody_is_reminded(inspection):
    assert ticking.remind_due(at(21)) == 0


def test_nobody_is_reminded_before_the_office_opens(inspection):
    assert ticking.remind_due(at(THURSDAY, 8, 59)) == 0


def test_each_reminder_is_sent_once(inspection, ziran):
    sent = [
        ticking.remind_due(at(THURSDAY)),
        ticking.remind_due(at(THURSDAY, 15)),
        ticking.remind_due(at(FRIDAY)),
    ]
    assert sent == [4, 0, 4]
    assert reminders_of(ziran) == 2


def test_machine_switched_off_on_the_day_before_sends_the_last_one_only(inspection):
    assert ticking.remind_due(at(FRIDAY, 16)) == 4
    assert set(TickReminder.objects.values_list("workdays", flat=True)) == {0}


def test_who_answered_or_declined_is_left_alone(inspection, ziran):
    JointInspection.objects.update(tick_deadline=timezone.now() + timedelta(days=3))
    tick_everything(inspection.participations.get(department__code="shichang"))
    ticking.decline(inspection.participations.get(department=ziran), reason="集训", actor=clerk_of(ziran))
    JointInspection.objects.update(tick_deadline=at(FRIDAY, 17))
    assert ticking.remind_due(at(THURSDAY)) == 2
    assert reminders_of(ziran) == 0


def test_who_was_asked_today_is_left_alone(inspection):
    Participation.objects.update(asked_at=at(THURSDAY, 8))
    assert ticking.remind_due(at(THURSDAY, 10)) == 0


def test_later_deadline_is_reminded_of_anew(inspection):
    ticking.remind_due(at(THURSDAY))
    JointInspection.objects.update(tick_deadline=at(28, 17))
    assert ticking.remind_due(at(27)) == 4


def test_passed_deadline_reminds_nobody(inspection):
    assert ticking.remind_due(at(FRIDAY, 17)) == 0


def test_closed_ticking_reminds_nobody(inspection):
    JointInspection.objects.update(state=InspectionState.TICKING_CLOSED)
    assert ticking.remind_due(at(THURSDAY)) == 0


def test_reminders_stand_in_the_trail(inspection):
    ticking.remind_due(at(THURSDAY))
    entry = entries_of(inspection.subject).last()
    assert (entry.kind, sorted(entry.payload["departments"]), entry.payload["workdays"]) == (
        Event.REMINDED,
        ["minzheng", "shichang", "xiaofang", "ziran"],
        1,
    )


def test_calm_days_over_a_weekend_remind_on_friday_for_monday(inspection):
    JointInspection.objects.update(tick_deadline=at(26, 17))
    assert [ticking.remind_due(at(day)) for day in (24, 25)] == [0, 0]
    assert ticking.remind_due(at(FRIDAY)) == 4
