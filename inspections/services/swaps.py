"""更换执法人员: another officer goes in somebody's place, with a reason that stays."""

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from core.digests import digest_text
from core.errors import DomainError
from departments.enums import NotificationKind
from departments.models import Department, Officer, Sector, User
from departments.services import notify_users
from inspections import permissions
from inspections.enums import Event
from inspections.models import OfficerSwap, Task, TaskItemRow, TaskOfficer
from inspections.services.visits import lock_task, require_open
from institutions.models import Recusal
from ledger import services as ledger
from scenarios.models import MatrixRow


@transaction.atomic
def swap(sent: TaskOfficer, *, replacement: Officer | None, reason: str, actor: User) -> OfficerSwap:
    """Send `replacement` instead. Who was drawn stays published with the draw.

    Raises DomainError for a closed form, an officer who has signed, a replacement who may not go, or no reason.
    """
    permissions.require_swapping(actor, sent.department)
    task = lock_task(sent.task)
    require_open(task)
    sent = TaskOfficer.objects.select_for_update().select_related("officer__user").get(pk=sent.pk)
    if task.signatures.filter(officer=sent.officer).exists():
        raise DomainError(f"{sent.officer.user.name}已在表单上签名，不能更换。")
    if replacement is None or not replacements(task, sent.department).filter(pk=replacement.pk).exists():
        message = "所选人员不能参加本次检查，请从列出的人员中选择。"
        raise DomainError(message, fields={"replacement": message})
    reason = reason.strip()
    if not reason:
        raise DomainError("请填写更换理由。", fields={"reason": "请填写更换理由。"})
    made = OfficerSwap.objects.create(
        task=task,
        department=sent.department,
        replaced=sent.officer,
        replacement=replacement,
        reason=reason,
        swapped_by=actor,
    )
    sent.officer = replacement
    sent.save(update_fields=["officer"])
    payload = {
        "task": str(task.pk),
        "from": made.replaced_id,
        "to": replacement.pk,
        "reason": digest_text(reason),
    }
    ledger.append(
        task.institution.subject,
        Event.OFFICER_SWAPPED,
        payload,
        actor=actor.key,
        department=sent.department.key,
    )
    subject, place = f"task:{task.pk}", task.institution.name
    notify_users([replacement.user], f"您被安排参加“{place}”的检查。", subject=subject)
    notify_users(
        [made.replaced.user], f"您不再参加“{place}”的检查。", subject=subject, kind=NotificationKind.NEWS
    )
    return made


def replacements(task: Task, department: Department) -> QuerySet[Officer]:
    """Officers of the department who may go in another's place: as when they are drawn, and not going already."""
    first = max(timezone.localdate(), task.window_from)
    officers = Officer.objects.available_between(first, max(first, task.window_until))
    recused = Recusal.objects.filter(institution=task.institution_id).values("officer")
    going = TaskOfficer.objects.filter(task=task).values("officer")
    officers = officers.filter(department=department).exclude(pk__in=recused).exclude(pk__in=going)
    own = task.items.filter(department=department)
    rows = TaskItemRow.objects.filter(task_item__in=own.values("pk")).values("row")
    for sector in Sector.objects.filter(pk__in=MatrixRow.objects.filter(pk__in=rows).values("sector")):
        officers = officers.inspecting(sector)
    return officers.select_related("user", "department")
