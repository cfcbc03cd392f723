"""How a joint inspection gets on, for its lead: visits by town and over time, and what is late. Reads only."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import Count, F, Min, Q, QuerySet
from django.db.models.functions import TruncDate, TruncWeek
from django.utils import timezone

from inspections.enums import (
    UNANSWERED,
    InspectionState,
    ParticipationState,
    RectificationState,
    ReferralState,
    TaskState,
)
from inspections.models import Finding, JointInspection, Rectification, Referral, Task, TaskItem

OPEN_TASKS = (TaskState.ASSIGNED, TaskState.UNDER_WAY)
# A chart of more days than this counts weeks.
MOST_DAYS = 21


@dataclass(frozen=True)
class Late:
    """What one department owes, and since when; in the order of departments, never of numbers (国办发〔2024〕54号)."""

    department: str
    what: str
    count: int
    unit: str
    due: date


def totals(inspection: JointInspection) -> dict[str, int]:
    """Visits and findings in three queries."""
    today = timezone.localdate()
    overdue = Q(state__in=OPEN_TASKS, window_until__lt=today)
    tasks = _tasks(inspection).aggregate(
        visits=Count("pk", filter=~Q(state=TaskState.CANCELLED)),
        submitted=Count("pk", filter=Q(state=TaskState.SUBMITTED)),
        under_way=Count("pk", filter=Q(state=TaskState.UNDER_WAY)),
        overdue=Count("pk", filter=overdue),
    )
    rectifications = _rectifications(inspection).aggregate(
        rectifying=Count("pk"), rectifying_late=Count("pk", filter=Q(due_on__lt=today))
    )
    return {**tasks, **rectifications, "findings": _findings(inspection).count()}


def late(inspection: JointInspection) -> list[Late]:
    """Who is late with what: ticks, items of visits past their window, rechecks, referrals not taken up."""
    today = timezone.localdate()
    items = TaskItem.objects.filter(
        task__in=_tasks(inspection).filter(state__in=OPEN_TASKS, window_until__lt=today), value=""
    )
    rechecks = _rectifications(inspection).filter(due_on__lt=today)
    referrals = Referral.objects.filter(
        finding__in=_findings(inspection), state=ReferralState.SENT, due_on__lt=today
    )
    found = [
        *_owing(items, "department", "超过检查期限未填写", "家", "task__window_until", "task"),
        *_owing(rechecks, "department", "超过整改期限未复查", "条", "due_on"),
        *_owing(referrals, "to_department", "超过受理期限未接收", "条", "due_on"),
    ]
    return [row for _, row in sorted([*_silent(inspection), *found], key=lambda pair: pair[0])]


def by_town(inspection: JointInspection) -> list[dict[str, Any]]:
    """Visits of each town, in the order of towns; two queries, however many."""
    findings = dict(_findings(inspection).order_by().values_list("institution__town").annotate(n=Count("pk")))
    rows = (
        _tasks(inspection)
        .exclude(state=TaskState.CANCELLED)
        .order_by("institution__town__code")
        .values(town=F("institution__town"), name=F("institution__town__name"))
        .annotate(
            visits=Count("pk"),
            submitted=Count("pk", filter=Q(state=TaskState.SUBMITTED)),
            under_way=Count("pk", filter=Q(state=TaskState.UNDER_WAY)),
            waiting=Count("pk", filter=Q(state=TaskState.ASSIGNED)),
        )
    )
    return [{**row, "findings": findings.get(row["town"], 0)} for row in rows]


def over_time(inspection: JointInspection) -> list[dict[str, Any]]:
    """Forms submitted so far, a bar a day, or a week when the window is long; one query."""
    weekly = (inspection.window_until - inspection.window_from).days > MOST_DAYS
    truncate = TruncWeek("submitted_at") if weekly else TruncDate("submitted_at")
    counted = (
        _tasks(inspection)
        .filter(state=TaskState.SUBMITTED)
        .order_by()
        .values(period=truncate)
        .annotate(n=Count("pk"))
        .order_by("period")
    )
    bars, sum_so_far = [], 0
    for row in counted:
        sum_so_far += row["n"]
        label = f"{row['period']:%m-%d} 起一周" if weekly else f"{row['period']:%m-%d}"
        bars.append({"label": label, "value": sum_so_far, "note": f"（新增 {row['n']}）"})
    return bars


def _tasks(inspection: JointInspection) -> QuerySet[Task]:
    return Task.objects.filter(origins__joint_inspection=inspection)


def _findings(inspection: JointInspection) -> QuerySet[Finding]:
    submitted = _tasks(inspection).filter(state=TaskState.SUBMITTED)
    return Finding.objects.filter(task__in=submitted.order_by().values("pk"))


def _rectifications(inspection: JointInspection) -> QuerySet[Rectification]:
    return Rectification.objects.filter(
        finding__in=_findings(inspection).values("pk"), state=RectificationState.ORDERED
    )


def _silent(inspection: JointInspection) -> Iterable[tuple[int, Late]]:
    """Departments whose answer is missing after the deadline, until institutions are inspected."""
    if inspection.state not in (InspectionState.TICKING, InspectionState.TICKING_CLOSED):
        return
    missing = inspection.participations.filter(state__in=[*UNANSWERED, ParticipationState.SILENT])
    if inspection.state == InspectionState.TICKING and timezone.now() < inspection.tick_deadline:
        return
    due = timezone.localdate(inspection.tick_deadline)
    for row in missing.select_related("department"):
        yield row.department.order, Late(row.department.short_name, "超过勾选期限未答复", 1, "次", due)


def _owing(
    rows: QuerySet, department: str, what: str, unit: str, due: str, counted: str = "pk"
) -> Iterable[tuple[int, Late]]:
    grouped = (
        rows.order_by()
        .values(order=F(f"{department}__order"), name=F(f"{department}__short_name"))
        .annotate(n=Count(counted, distinct=True), oldest=Min(due))
    )
    for row in grouped:
        yield row["order"], Late(row["name"], what, row["n"], unit, row["oldest"])
