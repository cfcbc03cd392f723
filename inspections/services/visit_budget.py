"""少进门: what others did or plan at the institutions in scope, and how often a department may come in a year."""

from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Q, QuerySet

from core.errors import DomainError
from departments.models import Department, User
from inspections import permissions
from inspections.enums import BEYOND_THE_CAP, KIND_RULES, Cause, Event, InspectionState, TaskState
from inspections.models import JointInspection, TakenOver, Task
from institutions.models import Institution
from ledger import services as ledger

COUNTED = [kind.value for kind, rule in KIND_RULES.items() if rule.counted]
OPEN = [TaskState.ASSIGNED, TaskState.UNDER_WAY]

# Visits of a year by department and institution in scope: forms that were not cancelled, of kinds that count and
# not 上级部署, and checks through a department's own platform.
BEYOND = """
WITH going AS (
    SELECT DISTINCT item.department_id
    FROM scenarios_publisheditem item
    JOIN inspections_jointinspectionversion chosen ON chosen.version_id = item.version_id
    WHERE chosen.joint_inspection_id = %(inspection)s
),
scope AS (
    SELECT institution_id FROM inspections_candidate WHERE joint_inspection_id = %(inspection)s
),
visit AS (
    SELECT DISTINCT task.institution_id, item.department_id, task.id::text AS made
    FROM scope
    JOIN inspections_task task USING (institution_id)
    JOIN inspections_taskitem item ON item.task_id = task.id
    WHERE task.state <> 'CANCELLED'
      AND extract(year FROM coalesce((task.submitted_at AT TIME ZONE %(zone)s)::date, task.window_from)) = %(year)s
      AND EXISTS (
          SELECT FROM inspections_taskorigin origin
          JOIN inspections_jointinspection held ON held.id = origin.joint_inspection_id
          WHERE origin.task_id = task.id AND held.kind = ANY(%(counted)s) AND held.cause <> %(superior)s
      )
    UNION ALL
    SELECT result.institution_id, result.department_id, result.id::text
    FROM scope
    JOIN inspections_ownresult result USING (institution_id)
    WHERE result.on_site AND result.state <> 'RETURNED' AND extract(year FROM result.checked_on) = %(year)s
),
cap AS (
    SELECT * FROM unnest(%(departments)s::bigint[], %(caps)s::int[]) AS cap (department_id, most)
)
SELECT visit.institution_id, visit.department_id, count(*), cap.most
FROM visit
JOIN going USING (department_id)
JOIN cap USING (department_id)
GROUP BY visit.institution_id, visit.department_id, cap.most
HAVING count(*) >= cap.most
ORDER BY visit.institution_id, visit.department_id
"""


@dataclass(frozen=True)
class Spent:
    """A department that may not come to an institution again this year."""

    institution: Institution
    department: Department
    visits: int
    cap: int


def is_held(inspection: JointInspection) -> bool:
    """Whether the cap holds it up: 日常、个案、专项, unless a complaint, a clue or a superior stands behind it."""
    return inspection.kind in COUNTED and inspection.cause not in BEYOND_THE_CAP


def spent(inspection: JointInspection) -> list[Spent]:
    """Departments at the cap at institutions in scope; three queries, however many there are."""
    departments = {department.pk: department for department in Department.objects.all()}
    caps = {
        pk: settings.VISITS_A_YEAR_BY_DEPARTMENT.get(department.code, settings.VISITS_A_YEAR)
        for pk, department in departments.items()
    }
    with connection.cursor() as cursor:
        cursor.execute(
            BEYOND,
            {
                "inspection": inspection.pk,
                "zone": settings.TIME_ZONE,
                "year": inspection.window_from.year,
                "counted": COUNTED,
                "superior": Cause.SUPERIOR.value,
                "departments": list(caps),
                "caps": list(caps.values()),
            },
        )
        rows = cursor.fetchall()
    institutions = Institution.objects.in_bulk({row[0] for row in rows}) if rows else {}
    return [Spent(institutions[one], departments[other], made, most) for one, other, made, most in rows]


def others(inspection: JointInspection) -> QuerySet[Task]:
    """Visits of others at institutions in scope: submitted within OVERLAP_DAYS before, or due in the same window."""
    since = inspection.window_from - timedelta(days=settings.OVERLAP_DAYS)
    scope = inspection.candidates.order_by().values("institution")
    return (
        Task.objects.filter(institution__in=scope)
        .filter(
            Q(state=TaskState.SUBMITTED, submitted_at__date__gte=since)
            | Q(
                state__in=OPEN,
                window_from__lte=inspection.window_until,
                window_until__gte=inspection.window_from,
            )
        )
        .exclude(origins__joint_inspection=inspection)
    )


def require_budget(inspection: JointInspection) -> None:
    """Raise DomainError for institutions at the cap, and for visits of others nobody gave a reason to repeat."""
    if not is_held(inspection):
        return
    full = {row.institution.pk: row for row in spent(inspection)}
    if full:
        one = next(iter(full.values()))
        raise DomainError(
            f"检查范围内有 {len(full)} 家机构本年检查已达上限（如“{one.institution.name}”，"
            f"{one.department.short_name} {one.visits} 次），请在“同期检查”中移出。"
        )
    again = others(inspection).order_by().values("institution").distinct().count()
    if again and not inspection.overlap_reason:
        raise DomainError(
            f"检查范围内有 {again} 家机构近期已检查或已安排检查，请在“同期检查”中互认结果，或说明再查的理由。"
        )


@transaction.atomic
def give_reason(inspection: JointInspection, *, reason: str, actor: User) -> JointInspection:
    """Why the visits of others do not do. Raises DomainError without one."""
    inspection = _draft(inspection, actor)
    reason = reason.strip()
    if not reason:
        raise DomainError("请填写再查的理由。", fields={"reason": "请填写再查的理由。"})
    inspection.overlap_reason = reason[:500]
    inspection.save(update_fields=["overlap_reason"])
    return inspection


@transaction.atomic
def take_over(inspection: JointInspection, task: Task, *, actor: User) -> TakenOver:
    """结果互认: the result of another visit stands for this one, and its institution leaves the scope.

    Raises DomainError unless that visit was submitted and is one of `others`.
    """
    inspection = _draft(inspection, actor)
    task = (
        others(inspection).filter(pk=task.pk, state=TaskState.SUBMITTED).select_related("institution").first()
    )
    if task is None:
        raise DomainError("只能互认检查范围内机构近期已提交的检查结果。")
    taken = TakenOver.objects.create(
        joint_inspection=inspection, institution=task.institution, task=task, taken_by=actor
    )
    inspection.candidates.filter(institution=task.institution).delete()
    payload = {"institution": str(task.institution.key), "task": str(task.pk)}
    _append(inspection, Event.RESULT_TAKEN_OVER, payload, actor)
    return taken


@transaction.atomic
def leave_out_spent(inspection: JointInspection, *, actor: User) -> int:
    """Take every institution at the cap out of the scope; returns how many."""
    inspection = _draft(inspection, actor)
    keys = {row.institution.pk: str(row.institution.key) for row in spent(inspection)}
    inspection.candidates.filter(institution__in=keys).delete()
    if keys:
        payload = {"institutions": sorted(keys.values())}
        _append(inspection, Event.SPENT_LEFT_OUT, payload, actor)
    return len(keys)


def _append(inspection: JointInspection, event: Event, payload: dict, actor: User) -> None:
    ledger.append(
        inspection.subject, event, payload, actor=actor.key, department=inspection.lead_department.key
    )


def _draft(inspection: JointInspection, actor: User) -> JointInspection:
    rows = JointInspection.objects.select_related("lead_department__group")
    inspection = rows.select_for_update(of=("self",), no_key=True).get(pk=inspection.pk)
    permissions.require_leading(actor, inspection)
    if inspection.state != InspectionState.DRAFT:
        raise DomainError(f"联合检查{inspection.get_state_display()}，检查范围不能再变更。")
    return inspection
