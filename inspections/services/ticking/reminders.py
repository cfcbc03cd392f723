"""催办: who has not answered is reminded in working hours before the deadline, each time once."""

from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from core.workdays import is_workday, workdays_between
from departments import services as departments
from departments.permissions import CLERKS
from inspections.enums import UNANSWERED, Event, InspectionState
from inspections.models import JointInspection, TickReminder
from inspections.services.participation import append


def remind_due(now: datetime | None = None) -> int:
    """Remind every department whose answer is still missing; returns how many. Safe to run twice."""
    now = now or timezone.now()
    today, hour = timezone.localdate(now), timezone.localtime(now).hour
    if hour < settings.TICK_REMINDER_HOUR:
        return 0
    reminded = 0
    open_ones = JointInspection.objects.filter(state=InspectionState.TICKING, tick_deadline__gt=now)
    for pk, deadline in open_ones.order_by("pk").values_list("pk", "tick_deadline"):
        last_day = timezone.localdate(deadline)
        left = workdays_between(today, last_day)
        marks = [mark for mark in settings.TICK_REMINDER_WORKDAYS if mark >= left]
        if marks and (is_workday(today) or today == last_day):
            reminded += _remind(pk, deadline, min(marks), now)
    return reminded


@transaction.atomic
def _remind(pk: int, deadline: datetime, mark: int, now: datetime) -> int:
    # Somebody who extends or closes it at this moment goes first; the next round looks again.
    rows = JointInspection.objects.filter(pk=pk, state=InspectionState.TICKING, tick_deadline=deadline)
    inspection = rows.select_for_update(skip_locked=True, no_key=True).first()
    if inspection is None:
        return 0
    # Who was asked only today needs no reminder.
    start_of_day = timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)
    told = TickReminder.objects.filter(deadline=deadline, workdays=mark)
    due = list(
        inspection.participations.filter(state__in=UNANSWERED, asked_at__lt=start_of_day)
        .exclude(reminders__in=told)
        .select_related("department")
    )
    TickReminder.objects.bulk_create(
        TickReminder(participation=participation, deadline=deadline, workdays=mark) for participation in due
    )
    for participation in due:
        departments.notify(
            participation.department,
            f"“{inspection.name}”勾选将于 {timezone.localtime(deadline):%Y-%m-%d %H:%M} 截止，贵部门尚未答复。",
            subject=inspection.subject,
            roles=CLERKS,
        )
    if due:
        payload = {
            "departments": [participation.department.code for participation in due],
            "deadline": deadline.isoformat(),
            "workdays": mark,
        }
        append(inspection, Event.REMINDED, payload, None, inspection.lead_department)
    return len(due)
