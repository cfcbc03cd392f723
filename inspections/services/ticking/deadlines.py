"""When the ticking ends: by the clock or early, later than planned, and for one department later still."""

import logging
from datetime import datetime

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from core.digests import digest_text
from core.errors import DomainError
from departments import services as departments
from departments.enums import Role
from departments.models import User
from departments.permissions import CLERKS
from inspections import permissions
from inspections.enums import (
    UNANSWERED,
    Event,
    InspectionState,
    ParticipationState,
    RequestState,
    SilenceRule,
)
from inspections.models import ItemRequest, JointInspection, Participation
from inspections.services.launch import locked, require_transition
from inspections.services.participation import append, locked_both

logger = logging.getLogger(__name__)


@transaction.atomic
def close_ticking(inspection: JointInspection, *, actor: User | None = None) -> JointInspection:
    """End the ticking: by the lead before the deadline, or by the clock (`actor` None).

    Who did not submit an answer is SILENT from here on, and its 负责人 is told; ticks it made anyway count,
    and with SilenceRule.MANDATORY its 必查事项 as well. The final list of ticked items goes on record, and
    the lead decides how to go on.
    """
    inspection = locked(inspection)
    if actor:
        permissions.require_leading(actor, inspection)
    require_transition(inspection, InspectionState.TICKING_CLOSED)
    inspection.state = InspectionState.TICKING_CLOSED
    inspection.ticking_closed_at = timezone.now()
    inspection.save(update_fields=["state", "ticking_closed_at"])
    inspection.participations.filter(state__in=UNANSWERED).update(state=ParticipationState.SILENT)
    mandatory = _tick_mandatory(inspection) if inspection.silence_rule == SilenceRule.MANDATORY else []
    states: dict[str, list[str]] = {}
    for code, state in inspection.participations.values_list("department__code", "state"):
        states.setdefault(state.lower(), []).append(code)
    ticked = inspection.ticks.filter(ticked=True).order_by("check_item")
    payload = {
        "check_items": list(ticked.values_list("check_item_id", flat=True)),
        "mandatory": mandatory,
        "departments": states,
    }
    append(inspection, Event.TICKING_CLOSED, payload, actor, inspection.lead_department)
    silent = _escalate(inspection)
    departments.notify(
        inspection.lead_department,
        f"“{inspection.name}”勾选已截止，" + (f"{silent} 个部门未答复。" if silent else "各部门均已答复。"),
        subject=inspection.subject,
    )
    return inspection


@transaction.atomic
def extend_ticking(inspection: JointInspection, *, until: datetime, actor: User) -> JointInspection:
    """Move the deadline later, reopening a closed ticking as long as nothing was drawn; the unanswered are told."""
    inspection = locked(inspection)
    permissions.require_leading(actor, inspection)
    reopens = inspection.state == InspectionState.TICKING_CLOSED
    if reopens and inspection.draws.exists():
        raise DomainError("已抽取机构，不能再延长勾选。")
    if not reopens and inspection.state != InspectionState.TICKING:
        raise DomainError(f"联合检查{inspection.get_state_display()}，不能延长勾选。")
    if until <= timezone.now():
        message = "延长后的截止时间应晚于现在。"
        raise DomainError(message, fields={"until": message})
    if not reopens and until <= inspection.tick_deadline:
        message = "延长后的截止时间应晚于原截止时间。"
        raise DomainError(message, fields={"until": message})
    _require_within_window(inspection, until)
    was = inspection.tick_deadline
    inspection.state = InspectionState.TICKING
    inspection.tick_deadline = until
    inspection.ticking_closed_at = None
    inspection.save(update_fields=["state", "tick_deadline", "ticking_closed_at"])
    inspection.participations.update(late_until=None, late_reason="")
    silent = inspection.participations.filter(state=ParticipationState.SILENT)
    silent.filter(seen_at=None).update(state=ParticipationState.INVITED)
    silent.update(state=ParticipationState.SEEN)
    payload = {"from": was.isoformat(), "until": until.isoformat(), "reopened": reopens}
    append(inspection, Event.TICKING_EXTENDED, payload, actor, inspection.lead_department)
    unanswered = inspection.participations.filter(state__in=UNANSWERED)
    unanswered.update(asked_at=timezone.now())
    for participation in unanswered.select_related("department"):
        departments.notify(
            participation.department,
            f"“{inspection.name}”勾选延长至 {timezone.localtime(until):%Y-%m-%d %H:%M}，请按时答复。",
            subject=inspection.subject,
            roles=CLERKS,
        )
    return inspection


@transaction.atomic
def allow_late(participation: Participation, *, until: datetime, reason: str, actor: User) -> Participation:
    """The lead lets one department tick after the closing, until a time and with a reason (准许补勾).

    Raises DomainError while ticking is open (then it is extended) and once institutions were drawn.
    """
    permissions.require_leading(actor, participation.joint_inspection)
    inspection, participation = locked_both(participation)
    if inspection.state != InspectionState.TICKING_CLOSED:
        raise DomainError(f"联合检查{inspection.get_state_display()}，只有勾选截止后、抽取前才能准许补勾。")
    if inspection.draws.exists():
        raise DomainError("已抽取机构，不能再补勾。")
    reason = reason.strip()
    if not reason:
        raise DomainError("请填写准许补勾的理由。", fields={"reason": "请填写准许补勾的理由。"})
    if until <= timezone.now():
        message = "补勾的截止时间应晚于现在。"
        raise DomainError(message, fields={"until": message})
    _require_within_window(inspection, until)
    participation.late_until, participation.late_reason = until, reason
    participation.save(update_fields=["late_until", "late_reason"])
    payload = {
        "department": participation.department.code,
        "until": until.isoformat(),
        "reason": digest_text(reason),
    }
    append(inspection, Event.LATE_ALLOWED, payload, actor, inspection.lead_department)
    departments.notify(
        participation.department,
        f"牵头部门准许贵部门在 {timezone.localtime(until):%Y-%m-%d %H:%M} 前补充勾选“{inspection.name}”。",
        subject=inspection.subject,
        roles=CLERKS,
    )
    return participation


def close_due(now: datetime | None = None) -> int:
    """Close every ticking whose deadline has come; returns how many. Safe to run twice and side by side."""
    now = now or timezone.now()
    due = JointInspection.objects.filter(state=InspectionState.TICKING, tick_deadline__lte=now)
    closed = 0
    for pk in due.order_by("tick_deadline").values_list("pk", flat=True):
        try:
            closed += _close_if_due(pk, now)
        except Exception:
            # One that cannot be closed must not keep the others open; the next sweep tries it again.
            logger.exception("ticking of joint inspection %s could not be closed", pk)
    return closed


@transaction.atomic
def _close_if_due(pk: int, now: datetime) -> int:
    # Whoever holds the row (a tick, a lead extending it) finishes first; the next sweep looks again.
    due = JointInspection.objects.filter(pk=pk, state=InspectionState.TICKING, tick_deadline__lte=now)
    inspection = due.select_for_update(skip_locked=True, no_key=True).first()
    if inspection is None:
        return 0
    close_ticking(inspection)
    return 1


def _require_within_window(inspection: JointInspection, until: datetime) -> None:
    if timezone.localdate(until) > inspection.window_until:
        message = "勾选截止时间应不晚于检查截止日期。"
        raise DomainError(message, fields={"until": message})


def _tick_mandatory(inspection: JointInspection) -> list[int]:
    """Tick the 必查事项 of the silent; returns their check items. Nobody's name stands at these ticks."""
    silent = inspection.participations.filter(state=ParticipationState.SILENT)
    due = inspection.ticks.filter(
        ticked=False, item__mandatory=True, department__in=silent.values("department")
    )
    found = dict(due.order_by("check_item").values_list("pk", "check_item"))
    inspection.ticks.filter(pk__in=found).update(
        ticked=True, rev=F("rev") + 1, changed_at=timezone.now(), changed_by=None
    )
    ItemRequest.objects.filter(tick__in=found).update(state=RequestState.TICKED, answer="")
    return list(found.values())


def _escalate(inspection: JointInspection) -> int:
    """Tell the 负责人 of every department that stayed silent; returns how many departments."""
    silent = inspection.participations.filter(state=ParticipationState.SILENT).select_related("department")
    for participation in silent:
        departments.notify(
            participation.department,
            f"“{inspection.name}”勾选已截止，贵部门未答复。确需补勾的，请与{inspection.lead_department.short_name}联系。",
            subject=inspection.subject,
            roles=(Role.HEAD,),
        )
    return len(silent)
