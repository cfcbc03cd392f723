"""合并: ticked items × drawn institutions become one form an institution.

A background job works through the drawn institutions in the order of the draw, MERGE_CHUNK at a
time. A chunk is one transaction: its rows, its ledger entries and its progress. The job's `done` is
therefore exact at every moment, and a worker killed anywhere leaves nothing half-done.
"""

import logging
from functools import cache
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction

from core import jobs
from core.errors import DomainError
from core.models import BackgroundJob
from departments.enums import NotificationKind
from departments.models import User
from departments.services import notify, notify_users
from inspections import permissions
from inspections.enums import INSPECTION_TRANSITIONS, Event, InspectionState
from inspections.models import Draw, JointInspection, TaskOfficer
from inspections.services.assignment import Teams, fix_teams, teams_for
from inspections.services.draw import standing_draw
from ledger import services as ledger

logger = logging.getLogger(__name__)

KIND = "generate_tasks"
TASK = "inspections.tasks.generate_tasks"


@transaction.atomic
def start_generating(inspection: JointInspection, *, actor: User) -> BackgroundJob:
    """Begin generating the forms in the background.

    Raises DomainError when nothing was drawn or ticked, or a department cannot send two certified
    officers to every institution.
    """
    inspection = JointInspection.objects.select_for_update().get(pk=inspection.pk)
    permissions.require_leading(actor, inspection)
    if InspectionState.GENERATING not in INSPECTION_TRANSITIONS[inspection.state]:
        raise DomainError("勾选截止并抽取机构后，才能生成检查任务。")
    draw = standing_draw(inspection)
    if draw is None:
        raise DomainError("请先抽取机构。")
    departments = set(inspection.ticks.filter(ticked=True).values_list("department", flat=True))
    if not departments:
        raise DomainError("没有部门勾选任何检查事项，无法生成检查任务。")
    fix_teams(inspection, draw)
    inspection.state = InspectionState.GENERATING
    inspection.save(update_fields=["state"])
    ledger.append(
        inspection.subject,
        Event.GENERATING,
        {"draw": draw.pk, "institutions": draw.size, "departments": len(departments)},
        actor=actor.key,
        department=inspection.lead_department.key,
    )
    return jobs.start(
        kind=KIND,
        subject=inspection.subject,
        task=TASK,
        params={"joint_inspection": inspection.pk, "draw": draw.pk, "actor": actor.pk},
        total=draw.size,
    )


@transaction.atomic
def retry_generating(inspection: JointInspection, *, actor: User) -> None:
    """Have a job that gave up go on from where it stands; nothing happens while it still runs."""
    permissions.require_leading(actor, inspection)
    job = newest_job(inspection)
    if job is None:
        raise DomainError("尚未开始生成检查任务。")
    jobs.retry(job)


def generate(job_id: str | UUID) -> None:
    """Work the job off from where it stands; safe to call twice, at the same time, and after a crash."""
    job = jobs.claim(job_id)
    if job is None:
        return
    try:
        inspection = JointInspection.objects.select_related("lead_department").get(
            pk=job.params["joint_inspection"]
        )
        actor = User.objects.get(pk=job.params["actor"])
        draw = Draw.objects.get(pk=job.params["draw"])
        teams = teams_for(draw)
        while job.done < job.total:
            _generate_chunk(job, inspection, draw, teams, actor)
        _finish(job, inspection, actor)
    except jobs.LeaseLostError:
        logger.info("任务生成由另一进程接管：%s", job_id)
    except Exception as error:
        logger.exception("任务生成中断：%s", job_id)
        jobs.release(job, str(error))


@transaction.atomic
def _generate_chunk(
    job: BackgroundJob, inspection: JointInspection, draw: Draw, teams: Teams, actor: User
) -> None:
    first, last = job.done + 1, min(job.done + settings.MERGE_CHUNK, job.total)
    jobs.advance(job, done=last)
    planned = [
        (position, department)
        for position in range(first, last + 1)
        for department in teams.departments(position)
    ]
    with connection.cursor() as cursor:
        cursor.execute(
            _chunk_sql(),
            {
                "inspection": inspection.pk,
                "draw": draw.pk,
                "first": first,
                "last": last,
                "window_from": inspection.window_from,
                "window_until": inspection.window_until,
                "positions": [position for position, _ in planned],
                "departments": [department for _, department in planned],
            },
        )
        made = cursor.fetchall()
        sent = [
            (task, department, officer)
            for task, _, _, position, departments in made
            for department, officer in teams.sent(position, departments)
        ]
        cursor.execute(
            """
            INSERT INTO inspections_taskofficer (task_id, department_id, officer_id)
            SELECT * FROM unnest(%s::uuid[], %s::bigint[], %s::bigint[])
            """,
            [[row[column] for row in sent] for column in range(3)],
        )
    ledger.append_many(
        [
            ledger.Record(
                f"institution:{key}",
                Event.TASK_CREATED,
                {"joint_inspection": inspection.pk, "task": str(task), "items": items},
            )
            for task, key, items, _, _ in made
        ],
        actor=actor.key,
        department=inspection.lead_department.key,
    )


@transaction.atomic
def _finish(job: BackgroundJob, inspection: JointInspection, actor: User) -> None:
    jobs.finish(job)
    inspection = JointInspection.objects.select_for_update().get(pk=inspection.pk)
    if InspectionState.UNDER_WAY not in INSPECTION_TRANSITIONS[inspection.state]:
        return
    inspection.state = InspectionState.UNDER_WAY
    inspection.save(update_fields=["state"])
    tasks = inspection.origins.count()
    ledger.append(
        inspection.subject,
        Event.GENERATED,
        {"tasks": tasks},
        actor=actor.key,
        department=inspection.lead_department.key,
    )
    officers = TaskOfficer.objects.filter(task__origins__joint_inspection=inspection).values("officer__user")
    notify_users(
        User.objects.filter(pk__in=officers),
        f"您被安排参加“{inspection.name}”，请在 {inspection.window_until} 前完成检查。",
        # An officer wants the visits, not the joint inspection's page.
        subject=f"visits:{inspection.pk}",
    )
    notify(
        inspection.lead_department,
        f"“{inspection.name}”已生成 {tasks} 项检查任务。",
        subject=inspection.subject,
        kind=NotificationKind.NEWS,
    )


def newest_job(inspection: JointInspection) -> BackgroundJob | None:
    """The newest generating job of this joint inspection, whatever its state."""
    return BackgroundJob.objects.filter(kind=KIND, subject=inspection.subject).order_by("-created_at").first()


@cache
def _chunk_sql() -> str:
    return (Path(__file__).parent / "merge_chunk.sql").read_text()
