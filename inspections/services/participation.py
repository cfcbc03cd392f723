"""What every verb of ticking needs: the locked rows, whether it may still answer, and whom to tell."""

from django.db.models import QuerySet
from django.utils import timezone

from core.errors import DomainError
from departments import services as departments
from departments.enums import NotificationKind
from departments.models import Department, User
from inspections.enums import (
    ABSTAINING,
    PARTICIPATION_TRANSITIONS,
    Event,
    InspectionState,
    ParticipationState,
    RequestState,
)
from inspections.models import ItemRequest, JointInspection, Participation, Tick
from inspections.services.launch import locked
from ledger import services as ledger

SYSTEM = "system"


def is_open(inspection: JointInspection) -> bool:
    return inspection.state == InspectionState.TICKING and timezone.now() < inspection.tick_deadline


def locked_open(inspection: JointInspection) -> JointInspection:
    """The locked joint inspection; raises DomainError unless its ticking is open at this moment."""
    inspection = locked(inspection)
    _require_open(inspection)
    return inspection


def is_open_to(participation: Participation, inspection: JointInspection) -> bool:
    """Whether the department may tick at this moment: the ticking is open, or it may be late."""
    return is_open(inspection) or _may_be_late(participation, inspection)


def locked_both(participation: Participation) -> tuple[JointInspection, Participation]:
    """Both rows as they are now, the joint inspection locked first."""
    inspection = locked(participation.joint_inspection)
    rows = Participation.objects.select_related("department__group")
    return inspection, rows.select_for_update(of=("self",), no_key=True).get(pk=participation.pk)


def locked_to_answer(participation: Participation) -> tuple[JointInspection, Participation]:
    """As `locked_both`; raises DomainError unless the department may tick at this moment."""
    inspection, participation = locked_both(participation)
    if not _may_be_late(participation, inspection):
        _require_open(inspection)
    return inspection, participation


def require_taking_part(participation: Participation) -> None:
    if participation.state in ABSTAINING:
        raise DomainError(f"贵部门已答复{participation.get_state_display()}，如需勾选请先改为参加。")


def move(participation: Participation, to: ParticipationState) -> None:
    # Answering again is allowed until the deadline and is no transition.
    if participation.state != to and to not in PARTICIPATION_TRANSITIONS[participation.state]:
        raise DomainError(f"贵部门{participation.get_state_display()}，不能改为“{to.label}”。")
    participation.state = to


def mark_seen(participation: Participation) -> None:
    if participation.seen_at is None:
        participation.seen_at = timezone.now()
    if participation.state == ParticipationState.INVITED:
        move(participation, ParticipationState.SEEN)
    participation.save(update_fields=["state", "seen_at"])


def tell_lead(inspection: JointInspection, participation: Participation, text: str) -> None:
    if participation.department_id != inspection.lead_department_id:
        departments.notify(
            inspection.lead_department, text, subject=inspection.subject, kind=NotificationKind.NEWS
        )


def append(
    inspection: JointInspection, event: Event, payload: dict, actor: User | None, department: Department
) -> None:
    ledger.append(
        inspection.subject, event, payload, actor=actor.key if actor else SYSTEM, department=department.key
    )


def settle_requests(inspection: JointInspection, owner: Department, ticks: list[Tick]) -> None:
    """A ticked item fulfils what was asked of it; an unticked one is open again."""
    on = [tick.pk for tick in ticks if tick.ticked]
    off = [tick.pk for tick in ticks if not tick.ticked]
    ItemRequest.objects.filter(tick__in=off, state=RequestState.TICKED).update(state=RequestState.REQUESTED)
    waiting = ItemRequest.objects.filter(tick__in=on).exclude(state=RequestState.TICKED)
    asked = list(Department.objects.filter(pk__in=waiting.values("department")))
    waiting.update(state=RequestState.TICKED, answer="")
    for department in asked:
        departments.notify(
            department,
            f"{owner.short_name}已按贵部门提请勾选“{inspection.name}”的检查事项。",
            subject=inspection.subject,
            kind=NotificationKind.NEWS,
        )


def refuse_requests(requests: QuerySet, *, answer: str) -> None:
    requests.exclude(state=RequestState.REFUSED).update(state=RequestState.REFUSED, answer=answer)


def _may_be_late(participation: Participation, inspection: JointInspection) -> bool:
    """The lead's leave holds until its time, and until institutions are drawn."""
    return (
        inspection.state == InspectionState.TICKING_CLOSED
        and participation.late_until is not None
        and timezone.now() < participation.late_until
        and not inspection.draws.exists()
    )


def _require_open(inspection: JointInspection) -> None:
    if inspection.state == InspectionState.TICKING and not is_open(inspection):
        deadline = f"{timezone.localtime(inspection.tick_deadline):%Y-%m-%d %H:%M}"
        raise DomainError(f"勾选已于 {deadline} 截止，请联系牵头部门延期。")
    if inspection.state != InspectionState.TICKING:
        raise DomainError(f"联合检查{inspection.get_state_display()}，现在不能勾选。")
