"""提请: a department asks the owner of an item to tick it, and the owner says why not."""

from django.db import transaction
from django.utils import timezone

from core.digests import digest_text
from core.errors import DomainError
from departments import services as departments
from departments.enums import NotificationKind
from departments.models import Department, User
from departments.permissions import CLERKS
from inspections import permissions
from inspections.enums import ABSTAINING, Event, RequestState
from inspections.models import ItemRequest, Tick
from inspections.services.participation import append, locked_open, locked_to_answer, refuse_requests


@transaction.atomic
def request_item(tick: Tick, *, department: Department, reason: str, actor: User) -> ItemRequest:
    """提请: ask the owner of an item to tick it; it counts once the owner does. A refused one may be asked again."""
    permissions.require_ticking(actor, tick.joint_inspection, department)
    inspection = locked_open(tick.joint_inspection)
    tick = Tick.objects.select_related("department").get(pk=tick.pk)
    reason = reason.strip()
    if tick.department_id == department.pk:
        raise DomainError("本部门的事项请直接勾选，无需提请。")
    if not inspection.participations.filter(department=department).exists():
        raise DomainError("贵部门未参与此次联合检查。")
    if tick.ticked:
        raise DomainError("该事项已由实施部门勾选，无需提请。")
    if inspection.participations.filter(department=tick.department, state__in=ABSTAINING).exists():
        raise DomainError(f"{tick.department.short_name}不在本次检查中检查该事项，请与牵头部门联系。")
    if not reason:
        raise DomainError("请填写提请理由。", fields={"reason": "请填写提请理由。"})
    request = ItemRequest.objects.filter(tick=tick, department=department).first()
    if request and request.state != RequestState.REFUSED:
        raise DomainError("贵部门已提请过该事项，请等待答复。")
    request = request or ItemRequest(tick=tick, department=department)
    request.reason, request.answer, request.state = reason, "", RequestState.REQUESTED
    request.requested_by, request.requested_at = actor, timezone.now()
    request.save()
    payload = {
        "department": department.code,
        "of": tick.department.code,
        "check_item": tick.check_item_id,
        "reason": digest_text(reason),
    }
    append(inspection, Event.REQUESTED, payload, actor, department)
    departments.notify(
        tick.department,
        f"{department.short_name}提请贵部门在“{inspection.name}”中勾选一项检查事项。",
        subject=inspection.subject,
        roles=CLERKS,
    )
    return request


@transaction.atomic
def refuse_request(request: ItemRequest, *, answer: str, actor: User) -> ItemRequest:
    """The owner of the item will not tick it, and says why."""
    owner = request.tick.department
    permissions.require_ticking(actor, request.tick.joint_inspection, owner)
    inspection, _ = locked_to_answer(request.tick.joint_inspection.participations.get(department=owner))
    request = ItemRequest.objects.select_related("department", "tick").get(pk=request.pk)
    answer = answer.strip()
    if request.state != RequestState.REQUESTED:
        raise DomainError(f"该提请{request.get_state_display()}，无需再答复。")
    if not answer:
        raise DomainError("请填写不采纳的理由。", fields={"answer": "请填写不采纳的理由。"})
    refuse_requests(ItemRequest.objects.filter(pk=request.pk), answer=answer)
    request.refresh_from_db(fields=["state", "answer"])
    payload = {
        "department": owner.code,
        "to": request.department.code,
        "check_item": request.tick.check_item_id,
        "answer": digest_text(answer),
    }
    append(inspection, Event.REQUEST_REFUSED, payload, actor, owner)
    departments.notify(
        request.department,
        f"{owner.short_name}未采纳贵部门在“{inspection.name}”中的提请。",
        subject=inspection.subject,
        kind=NotificationKind.NEWS,
    )
    return request
