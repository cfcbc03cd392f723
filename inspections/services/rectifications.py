"""限期整改: re-checked, or given a new day, by the department that ordered it."""

from datetime import date

from django.db import transaction
from django.utils import timezone

from core.digests import digest_text
from core.errors import DomainError
from departments.models import User
from departments.permissions import require_role
from inspections.enums import (
    FINDING_TRANSITIONS,
    RECTIFICATION_TRANSITIONS,
    Event,
    FindingState,
    RectificationState,
)
from inspections.models import Finding, Rectification
from inspections.services.referrals import WORKERS
from ledger import services as ledger


@transaction.atomic
def recheck(
    rectification: Rectification, *, accepted: bool, result: str, checked_on: date, actor: User
) -> Rectification:
    """Record what a re-check on `checked_on` saw; accepted, the problem is rectified.

    Raises PermissionDenied unless the actor works in the ordering department; DomainError with `fields`
    without a result or for a day before the order or after today; DomainError when it was re-checked before.
    """
    rectification, finding = _lock(rectification)
    require_role(actor, WORKERS, rectification.department)
    errors = {}
    result = result.strip()
    if not result:
        errors["result"] = "请写明复查看到的情况。"
    if not rectification.ordered_on <= checked_on <= timezone.localdate():
        errors["checked_on"] = f"复查日期应在 {rectification.ordered_on} 至今天之间。"
    if errors:
        raise DomainError(next(iter(errors.values())), fields=errors)
    _move(rectification, RectificationState.ACCEPTED if accepted else RectificationState.FAILED)
    rectification.result, rectification.checked_on, rectification.checked_by = result, checked_on, actor
    rectification.save(update_fields=["state", "result", "checked_on", "checked_by"])
    if accepted:
        if FindingState.RECTIFIED not in FINDING_TRANSITIONS[FindingState(finding.state)]:
            raise DomainError(f"问题{finding.get_state_display()}，不能登记整改完成。")
        finding.state = FindingState.RECTIFIED
        finding.save(update_fields=["state"])
    event = Event.RECTIFICATION_ACCEPTED if accepted else Event.RECTIFICATION_FAILED
    _append(
        rectification,
        event,
        actor,
        checked_on=checked_on.isoformat(),
        due_on=rectification.due_on.isoformat(),
        result_digest=digest_text(result),
    )
    return rectification


@transaction.atomic
def extend(rectification: Rectification, *, due_on: date, actor: User) -> Rectification:
    """Set a later day; a failed rectification is ordered anew. Refusals as for `recheck`."""
    rectification, finding = _lock(rectification)
    require_role(actor, WORKERS, rectification.department)
    if finding.state != FindingState.RECTIFYING:
        raise DomainError(f"问题{finding.get_state_display()}，不能再延长整改期限。")
    if due_on <= rectification.due_on or due_on <= timezone.localdate():
        day = max(rectification.due_on, timezone.localdate())
        raise DomainError("新的整改期限应更晚。", fields={"due_on": f"应晚于 {day}。"})
    if rectification.state != RectificationState.ORDERED:
        _move(rectification, RectificationState.ORDERED)
    former, rectification.due_on = rectification.due_on, due_on
    rectification.save(update_fields=["state", "due_on"])
    _append(
        rectification,
        Event.RECTIFICATION_EXTENDED,
        actor,
        due_on=due_on.isoformat(),
        former_due_on=former.isoformat(),
    )
    return rectification


def _lock(rectification: Rectification) -> tuple[Rectification, Finding]:
    # The finding first, as every other verb on it does.
    finding = Finding.objects.select_for_update().get(pk=rectification.finding_id)
    locked = Rectification.objects.select_for_update(of=("self",)).select_related(
        "department", "finding__institution"
    )
    return locked.get(pk=rectification.pk), finding


def _move(rectification: Rectification, state: RectificationState) -> None:
    if state not in RECTIFICATION_TRANSITIONS[RectificationState(rectification.state)]:
        raise DomainError(f"整改{rectification.get_state_display()}，不能再改为{state.label}。")
    rectification.state = state


def _append(rectification: Rectification, event: Event, actor: User, **payload: str) -> None:
    ledger.append(
        rectification.finding.institution.subject,
        event,
        {
            "rectification": rectification.pk,
            "finding": str(rectification.finding_id),
            "state": rectification.state,
            **payload,
        },
        actor=actor.key,
        department=rectification.department.key,
    )
