"""勾选: each department picks among the items it implements until the deadline, and may ask others.

Every verb locks the joint inspection first, so that a tick and the closing never cross: either the
tick is in and closing counts it, or the ticking is closed and the tick is refused.
"""

import logging
from collections.abc import Mapping
from datetime import datetime

from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone

from core.digests import digest_json, digest_text
from core.errors import DomainError, StaleError
from departments import services as departments
from departments.enums import NotificationKind
from departments.models import Department, User
from departments.permissions import CLERKS
from inspections import permissions
from inspections.enums import Event, InspectionState, ParticipationState, RequestState
from inspections.models import ItemRequest, JointInspection, Participation, Tick
from inspections.services.launch import locked, require_transition
from inspections.services.participation import (
    append,
    is_open,
    locked_open,
    locked_participation,
    mark_seen,
    move,
    refuse_requests,
    require_taking_part,
    settle_requests,
    tell_lead,
)

logger = logging.getLogger(__name__)

UNANSWERED = (ParticipationState.INVITED, ParticipationState.SEEN)


class StaleTickError(StaleError):
    """A colleague changed the tick first; `current` is the row as it stands."""

    def __init__(self, current: Tick):
        who = current.changed_by.name if current.changed_by else "他人"
        super().__init__(f"{who}刚刚改过此项，请看清现在的内容再决定。")
        self.current = current


@transaction.atomic
def see(participation: Participation, *, actor: User) -> Participation:
    """Note that the department opened its board; no more than that, and only while it may still answer."""
    permissions.require_ticking(actor, participation.joint_inspection, participation.department)
    inspection = locked(participation.joint_inspection)
    participation = locked_participation(participation)
    if is_open(inspection):
        mark_seen(participation)
    return participation


@transaction.atomic
def tick(tick: Tick, *, ticked: bool, note: str, rev: int, actor: User) -> Tick:
    """Tick or untick one item with a note, if it still is at revision `rev`.

    Raises StaleTickError with the present row when somebody wrote something else meanwhile (the same
    content written twice is no conflict), DomainError after the deadline or when the department declined.
    """
    permissions.require_ticking(actor, tick.joint_inspection, tick.department)
    inspection = locked_open(tick.joint_inspection)
    participation = locked_participation(_participation_of(tick))
    require_taking_part(participation)
    note = note.strip()
    rows = Tick.objects.select_related("department", "item", "changed_by")
    current = rows.get(pk=tick.pk)
    if (current.ticked, current.note) == (ticked, note):
        return current
    changed = Tick.objects.filter(pk=tick.pk, rev=rev).update(
        ticked=ticked, note=note, rev=F("rev") + 1, changed_at=timezone.now(), changed_by=actor
    )
    current = rows.get(pk=tick.pk)
    if not changed:
        raise StaleTickError(current)
    mark_seen(participation)
    _after_change(inspection, participation, [current], actor)
    return current


@transaction.atomic
def tick_all(
    participation: Participation, *, ticked: bool, revs: Mapping[int, int], actor: User
) -> tuple[int, int]:
    """Tick (or untick) many of the department's items at once; `revs` is what the clerk saw, by tick id.

    Returns how many changed and how many were left alone because a colleague had changed them since.
    Notes stay. Raises DomainError like `tick`.
    """
    permissions.require_ticking(actor, participation.joint_inspection, participation.department)
    inspection = locked_open(participation.joint_inspection)
    participation = locked_participation(participation)
    require_taking_part(participation)
    own = Tick.objects.filter(joint_inspection=inspection, department=participation.department)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE inspections_tick SET ticked = %s, rev = tick.rev + 1, changed_at = %s, changed_by_id = %s
            FROM inspections_tick AS tick
            JOIN unnest(%s::bigint[], %s::int[]) AS seen (id, rev) ON seen.id = tick.id AND seen.rev = tick.rev
            WHERE inspections_tick.id = tick.id AND tick.joint_inspection_id = %s AND tick.department_id = %s
              AND tick.ticked <> %s
            RETURNING tick.id
            """,
            [
                ticked,
                timezone.now(),
                actor.pk,
                list(revs.keys()),
                list(revs.values()),
                inspection.pk,
                participation.department_id,
                ticked,
            ],
        )
        ids = [row[0] for row in cursor.fetchall()]
    left = own.filter(pk__in=revs).exclude(ticked=ticked).count()
    if ids:
        mark_seen(participation)
        _after_change(inspection, participation, list(own.filter(pk__in=ids).select_related("item")), actor)
    return len(ids), left


@transaction.atomic
def answer(participation: Participation, *, actor: User) -> Participation:
    """提交勾选: the department's answer goes on record; it may tick on, or answer again, until the deadline.

    Raises DomainError when it has items and ticks none: who will check nothing declines, with a reason.
    An invited department without items in the matrix answers that it takes part.
    """
    permissions.require_ticking(actor, participation.joint_inspection, participation.department)
    inspection = locked_open(participation.joint_inspection)
    participation = locked_participation(participation)
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
    permissions.require_ticking(actor, participation.joint_inspection, participation.department)
    inspection = locked_open(participation.joint_inspection)
    participation = locked_participation(participation)
    reason = reason.strip()
    if not reason:
        raise DomainError("请填写不参加的理由。", fields={"reason": "请填写不参加的理由。"})
    move(participation, ParticipationState.DECLINED)
    participation.reason = reason
    participation.answered_at = timezone.now()
    participation.answered_by = actor
    participation.save(update_fields=["state", "reason", "answered_at", "answered_by"])
    own = Tick.objects.filter(joint_inspection=inspection, department=participation.department)
    own.filter(ticked=True).update(
        ticked=False, rev=F("rev") + 1, changed_at=timezone.now(), changed_by=actor
    )
    refuse_requests(ItemRequest.objects.filter(tick__in=own), answer="该部门不参加本次检查。")
    payload = {"department": participation.department.code, "reason": digest_text(reason)}
    append(inspection, Event.DECLINED, payload, actor, participation.department)
    tell_lead(inspection, participation, f"{participation.department.short_name}不参加“{inspection.name}”。")
    return participation


@transaction.atomic
def rejoin(participation: Participation, *, actor: User) -> Participation:
    """A department that declined takes part after all; it ticks and answers anew."""
    permissions.require_ticking(actor, participation.joint_inspection, participation.department)
    inspection = locked_open(participation.joint_inspection)
    participation = locked_participation(participation)
    if participation.state != ParticipationState.DECLINED:
        raise DomainError("贵部门并未答复不参加。")
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
    if inspection.participations.filter(
        department=tick.department, state=ParticipationState.DECLINED
    ).exists():
        raise DomainError(f"{tick.department.short_name}不参加本次检查，请与牵头部门联系。")
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
    inspection = locked_open(request.tick.joint_inspection)
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


@transaction.atomic
def close_ticking(inspection: JointInspection, *, actor: User | None = None) -> JointInspection:
    """End the ticking: by the lead before the deadline, or by the clock (`actor` None).

    Who did not submit an answer is SILENT from here on; ticks it made anyway count. The final list of
    ticked items goes on record, and the lead decides how to go on.
    """
    inspection = locked(inspection)
    if actor:
        permissions.require_leading(actor, inspection)
    require_transition(inspection, InspectionState.TICKING_CLOSED)
    inspection.state = InspectionState.TICKING_CLOSED
    inspection.ticking_closed_at = timezone.now()
    inspection.save(update_fields=["state", "ticking_closed_at"])
    inspection.participations.filter(state__in=UNANSWERED).update(state=ParticipationState.SILENT)
    states: dict[str, list[str]] = {}
    for code, state in inspection.participations.values_list("department__code", "state"):
        states.setdefault(state.lower(), []).append(code)
    ticked = inspection.ticks.filter(ticked=True).order_by("check_item")
    payload = {"check_items": list(ticked.values_list("check_item_id", flat=True)), "departments": states}
    append(inspection, Event.TICKING_CLOSED, payload, actor, inspection.lead_department)
    silent = len(states.get(ParticipationState.SILENT.lower(), []))
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
    if timezone.localdate(until) > inspection.window_until:
        message = "勾选截止时间应不晚于检查截止日期。"
        raise DomainError(message, fields={"until": message})
    was = inspection.tick_deadline
    inspection.state = InspectionState.TICKING
    inspection.tick_deadline = until
    inspection.ticking_closed_at = None
    inspection.save(update_fields=["state", "tick_deadline", "ticking_closed_at"])
    silent = inspection.participations.filter(state=ParticipationState.SILENT)
    silent.filter(seen_at=None).update(state=ParticipationState.INVITED)
    silent.update(state=ParticipationState.SEEN)
    payload = {"from": was.isoformat(), "until": until.isoformat(), "reopened": reopens}
    append(inspection, Event.TICKING_EXTENDED, payload, actor, inspection.lead_department)
    for participation in inspection.participations.filter(state__in=UNANSWERED).select_related("department"):
        departments.notify(
            participation.department,
            f"“{inspection.name}”勾选延长至 {timezone.localtime(until):%Y-%m-%d %H:%M}，请按时答复。",
            subject=inspection.subject,
            roles=CLERKS,
        )
    return inspection


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


def _participation_of(tick: Tick) -> Participation:
    return Participation.objects.get(joint_inspection=tick.joint_inspection_id, department=tick.department_id)


def _after_change(
    inspection: JointInspection, participation: Participation, ticks: list[Tick], actor: User
) -> None:
    """Settle what others asked for; once the department has answered, every later change goes on record."""
    settle_requests(inspection, participation.department, ticks)
    if participation.state == ParticipationState.ANSWERED:
        changes = [
            {"check_item": t.check_item_id, "ticked": t.ticked, "rev": t.rev, "note": digest_text(t.note)}
            for t in ticks
        ]
        payload = {"department": participation.department.code, "changes": changes}
        append(inspection, Event.TICKED, payload, actor, participation.department)
