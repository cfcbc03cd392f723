"""What every verb on the one form asks first: is it open, who is writing, what stands on it."""

from collections.abc import Iterable
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models import Count, Q
from django.utils import timezone

from core.digests import digest_json, digest_text
from core.errors import DomainError
from departments.models import Department, User
from inspections.enums import FindingState, TaskState
from inspections.models import Finding, Photo, Task, TaskItem, TaskOfficer


def lock_task(task: Task) -> Task:
    """The visit as it stands, locked until the transaction ends: one writer on a form at a time."""
    return Task.objects.select_for_update(of=("self",)).select_related("institution__town").get(pk=task.pk)


def require_assigned(task: Task, user: User, department: Department | None = None) -> TaskOfficer:
    """The user's assignment to the visit. Raises PermissionDenied (403) for everybody else,
    and, when `department` is given, for officers another department sent."""
    assignment = (
        TaskOfficer.objects.filter(task=task, officer__user=user)
        .select_related("officer__user", "department")
        .first()
    )
    if assignment is None:
        raise PermissionDenied("您不是本次检查的执法人员，只能查看。")
    if department is not None and assignment.department_id != department.pk:
        raise PermissionDenied(f"该事项由{department.short_name}填写，您只能查看。")
    return assignment


def require_certified(assignment: TaskOfficer) -> None:
    """Raise PermissionDenied unless the officer's 执法证 is valid today (行政处罚法第42条)."""
    officer = assignment.officer
    if not officer.is_certified_on(timezone.localdate()):
        until = officer.certified_until
        raise PermissionDenied(f"{officer.user.name}的执法证不在有效期内（至 {until}），不能参加检查。")


def require_open(task: Task) -> None:
    """Raise DomainError once the form is submitted or the visit cancelled."""
    if not task.is_open:
        raise DomainError(f"表单{task.get_state_display()}，不能再修改。", code="closed")


def start(task: Task) -> None:
    """The first stroke on a form starts the visit."""
    if task.state == TaskState.ASSIGNED:
        task.state, task.started_at = TaskState.UNDER_WAY, timezone.now()
        task.save(update_fields=["state", "started_at"])


def unanswered(task: Task) -> int:
    """How many items of the form have no answer yet."""
    return task.items.filter(value="").count()


def progress(task: Task) -> list[dict[str, Any]]:
    """Answered and all items of each department on the form, in the departments' order."""
    rows = (
        task.items.values("department", "department__short_name", "department__order")
        .annotate(total=Count("pk"), done=Count("pk", filter=~Q(value="")))
        .order_by("department__order", "department")
    )
    return [
        {
            "department": row["department"],
            "name": row["department__short_name"],
            "done": row["done"],
            "total": row["total"],
        }
        for row in rows
    ]


def answers_digest(task: Task) -> str:
    """Digest over the form as it stands: values, notes, findings and photos of every item.

    What a signature signs and what submit freezes. Free text enters as its own digest.
    """
    findings: dict[int, list] = {}
    for finding in Finding.objects.filter(task=task).order_by("row_id"):
        findings.setdefault(finding.task_item_id, []).append(
            {
                "row": finding.row_id,
                "severity": finding.severity,
                "disposition": finding.disposition,
                "days": finding.days,
                "fact": digest_text(finding.fact),
            }
        )
    photos: dict[int, list[str]] = {}
    kept = Photo.objects.filter(task_item__task=task, removed_at=None)
    for item, digest in kept.order_by("file__digest").values_list("task_item", "file__digest"):
        photos.setdefault(item, []).append(digest)
    items = [
        {
            "check_item": item.check_item_id,
            "department": item.department.code,
            "value": item.value,
            "note": digest_text(item.note),
            "findings": findings.get(item.pk, []),
            "photos": photos.get(item.pk, []),
        }
        for item in TaskItem.objects.filter(task=task).select_related("department").order_by("check_item_id")
    ]
    filing = Task.objects.values_list("filing_agrees", flat=True).get(pk=task.pk)
    asked = {} if filing is None else {"filing_agrees": filing}
    return digest_json({"task": str(task.pk), "items": items, **asked})


def pending(task: Task):
    """The findings noted so far on an open form."""
    return task.findings.filter(state=FindingState.PENDING)


def add_progress(tasks: Iterable[Task]) -> None:
    """Set `done` and `total` (items) on each visit, in one query."""
    tasks = list(tasks)
    counted = {
        row["task"]: row
        for row in TaskItem.objects.filter(task__in=[task.pk for task in tasks])
        .order_by()
        .values("task")
        .annotate(total=Count("pk"), done=Count("pk", filter=~Q(value="")))
    }
    for task in tasks:
        row = counted.get(task.pk, {"done": 0, "total": 0})
        task.done, task.total = row["done"], row["total"]


def may_take_signatures(assignment: TaskOfficer | None) -> bool:
    """Whether an assigned officer's phone may take signatures today."""
    return assignment is not None and assignment.officer.is_certified_on(timezone.localdate())
