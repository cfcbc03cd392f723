"""One item ticked, many at once, or as in the last round; nothing a colleague wrote is overwritten unread."""

from collections.abc import Mapping

from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone

from core.digests import digest_text
from core.errors import DomainError, StaleError
from departments.models import Department, User
from inspections import permissions
from inspections.enums import Event, InspectionState, ParticipationState
from inspections.models import JointInspection, Participation, Tick
from inspections.services.participation import (
    append,
    is_open_to,
    locked_both,
    locked_to_answer,
    mark_seen,
    require_taking_part,
    settle_requests,
)


class StaleTickError(StaleError):
    """A colleague changed the tick first; `current` is the row as it stands."""

    def __init__(self, current: Tick):
        who = current.changed_by.name if current.changed_by else "系统"
        super().__init__(f"{who}刚刚改过此项，请看清现在的内容再决定。")
        self.current = current


@transaction.atomic
def see(participation: Participation, *, actor: User) -> Participation:
    """Note that the department opened its board; no more than that, and only while it may still answer."""
    permissions.require_ticking(actor, participation.joint_inspection, participation.department)
    inspection, participation = locked_both(participation)
    if is_open_to(participation, inspection):
        mark_seen(participation)
    return participation


@transaction.atomic
def tick(tick: Tick, *, ticked: bool, note: str, rev: int, actor: User) -> Tick:
    """Tick or untick one item with a note, if it still is at revision `rev`.

    Raises StaleTickError with the present row when somebody wrote something else meanwhile (the same
    content written twice is no conflict), DomainError after the deadline or when the department declined.
    """
    permissions.require_ticking(actor, tick.joint_inspection, tick.department)
    inspection, participation = locked_to_answer(_participation_of(tick))
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
    inspection, participation = locked_to_answer(participation)
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


def last_round(inspection: JointInspection, department: Department) -> JointInspection | None:
    """The newest completed joint inspection on one of the same scenarios in which the department ticked."""
    return (
        JointInspection.objects.filter(
            state=InspectionState.COMPLETED,
            versions__scenario__versions__joint_inspections=inspection,
            ticks__in=Tick.objects.filter(department=department, ticked=True),
        )
        .exclude(pk=inspection.pk)
        .order_by("-created_at", "-pk")
        .first()
    )


@transaction.atomic
def copy_last(participation: Participation, *, revs: Mapping[int, int], actor: User) -> tuple[int, int]:
    """Tick what the department ticked in its last round, and leave everything else; returns as `tick_all`.

    Notes are not copied: they were written for another day. Raises DomainError when there was no round.
    """
    permissions.require_ticking(actor, participation.joint_inspection, participation.department)
    last = last_round(participation.joint_inspection, participation.department)
    if last is None:
        raise DomainError("没有可以沿用的上一次勾选：同一主题下还没有办结的联合检查。")
    before = last.ticks.filter(department=participation.department, ticked=True)
    own = Tick.objects.filter(pk__in=revs, check_item__in=before.values("check_item"))
    again = set(own.values_list("pk", flat=True))
    kept = {pk: rev for pk, rev in revs.items() if pk in again}
    return tick_all(participation, ticked=True, revs=kept, actor=actor)


def _participation_of(tick: Tick) -> Participation:
    return Participation.objects.get(joint_inspection=tick.joint_inspection_id, department=tick.department_id)


def _after_change(
    inspection: JointInspection, participation: Participation, ticks: list[Tick], actor: User
) -> None:
    """Settle what others asked for; what changes after the answer, or after the deadline, goes on record."""
    settle_requests(inspection, participation.department, ticks)
    late = inspection.state == InspectionState.TICKING_CLOSED
    if participation.state == ParticipationState.ANSWERED or late:
        changes = [
            {"check_item": t.check_item_id, "ticked": t.ticked, "rev": t.rev, "note": digest_text(t.note)}
            for t in ticks
        ]
        payload = {"department": participation.department.code, "late": late, "changes": changes}
        append(inspection, Event.TICKED, payload, actor, participation.department)
