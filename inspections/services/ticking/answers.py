"""What a department says to the invitation: these items, none, or by our own system."""

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from core.digests import digest_json, digest_text
from core.errors import DomainError
from departments.models import User
from inspections import permissions
from inspections.enums import ABSTAINING, Event, ParticipationState
from inspections.models import ItemRequest, JointInspection, Participation, Tick
from inspections.services.participation import (
    append,
    locked_to_answer,
    move,
    refuse_requests,
    require_taking_part,
    tell_lead,
)


@transaction.atomic
def answer(participation: Participation, *, actor: User) -> Participation:
    """提交勾选: the department's answer goes on record; it may tick on, or answer again, until the deadline.

    Raises DomainError when it has items and ticks none: who will check nothing declines, with a reason.
    An invited department without items in the matrix answers that it takes part.
    """
    permissions.require_ticking(actor, participation.joint_inspection, participation.department)
    inspection, participation = locked_to_answer(participation)
    require_taking_part(participation)
    ticks = list(
        Tick.objects.filter(joint_inspection=inspection, department=participation.department).order_by("pk")
    )
    ticked = [tick for tick in ticks if tick.ticked]
    if ticks and not ticked:
        raise DomainError("还没有勾选任何事项。如不参加本次检查，请选择“不参加”并说明理由。")
    move(participation, ParticipationState.ANSWERED)
    participation.answered_at = timezone.now()
    participation.answered_by = actor
    participation.save(update_fields=["state", "answered_at", "answered_by"])
    payload = {
        "department": participation.department.code,
        "check_items": sorted(tick.check_item_id for tick in ticked),
        "answer": digest_json([[tick.check_item_id, tick.ticked, tick.note, tick.rev] for tick in ticks]),
    }
    append(inspection, Event.TICKED, payload, actor, participation.department)
    tell_lead(
        inspection, participation, f"{participation.department.short_name}已提交“{inspection.name}”的勾选。"
    )
    return participation


@transaction.atomic
def decline(participation: Participation, *, reason: str, actor: User) -> Participation:
    """不参加, with a reason: its ticks are withdrawn and what others asked of it is answered with a no."""
    inspection, participation = _abstain(
        participation,
        ParticipationState.DECLINED,
        reason,
        lacking="请填写不参加的理由。",
        told="该部门不参加本次检查。",
        actor=actor,
    )
    tell_lead(inspection, participation, f"{participation.department.short_name}不参加“{inspection.name}”。")
    return participation


@transaction.atomic
def use_own_system(participation: Participation, *, system: str, actor: User) -> Participation:
    """使用自建系统: the department checks through its own platform and files the results later (B4).

    Its items are not on the one form, so its ticks are withdrawn; `system` says which platform.
    """
    inspection, participation = _abstain(
        participation,
        ParticipationState.OWN_SYSTEM,
        system,
        lacking="请填写自建系统的名称。",
        told="该部门使用自建系统检查，结果另行备案。",
        actor=actor,
    )
    said = f"{participation.department.short_name}将使用自建系统完成“{inspection.name}”的检查，结果随后备案。"
    tell_lead(inspection, participation, said)
    return participation


@transaction.atomic
def rejoin(participation: Participation, *, actor: User) -> Participation:
    """A department that declined, or meant to use its own system, takes part after all and answers anew."""
    permissions.require_ticking(actor, participation.joint_inspection, participation.department)
    inspection, participation = locked_to_answer(participation)
    if participation.state not in ABSTAINING:
        raise DomainError("贵部门没有答复不参加或使用自建系统。")
    move(participation, ParticipationState.SEEN)
    participation.reason = ""
    participation.answered_at = participation.answered_by = None
    participation.save(update_fields=["state", "reason", "answered_at", "answered_by"])
    payload = {"department": participation.department.code}
    append(inspection, Event.REJOINED, payload, actor, participation.department)
    tell_lead(
        inspection, participation, f"{participation.department.short_name}改为参加“{inspection.name}”。"
    )
    return participation


def _abstain(
    participation: Participation,
    state: ParticipationState,
    reason: str,
    *,
    lacking: str,
    told: str,
    actor: User,
) -> tuple[JointInspection, Participation]:
    permissions.require_ticking(actor, participation.joint_inspection, participation.department)
    inspection, participation = locked_to_answer(participation)
    reason = reason.strip()
    if not reason:
        raise DomainError(lacking, fields={"reason": lacking})
    move(participation, state)
    participation.reason = reason
    participation.answered_at = timezone.now()
    participation.answered_by = actor
    participation.save(update_fields=["state", "reason", "answered_at", "answered_by"])
    own = Tick.objects.filter(joint_inspection=inspection, department=participation.department)
    own.filter(ticked=True).update(
        ticked=False, rev=F("rev") + 1, changed_at=timezone.now(), changed_by=actor
    )
    refuse_requests(ItemRequest.objects.filter(tick__in=own), answer=told)
    event = Event.DECLINED if state == ParticipationState.DECLINED else Event.OWN_SYSTEM
    payload = {"department": participation.department.code, "reason": digest_text(reason)}
    append(inspection, event, payload, actor, participation.department)
    return inspection, participation
