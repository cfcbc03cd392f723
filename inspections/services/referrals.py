"""移送: a problem sent to whoever may punish it, taken up or returned, and what became of it.

`penalties` stands above this app and tells the sender of each step through `record_step`.
"""

from collections.abc import Iterable

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from core.digests import digest_text
from core.errors import DomainError
from core.workdays import add_workdays
from departments.enums import NotificationKind, Role
from departments.models import Department, User
from departments.permissions import CLERKS, require_role
from departments.services import notify
from inspections.enums import (
    FINDING_TRANSITIONS,
    REFERRAL_TRANSITIONS,
    Event,
    FindingState,
    ReferralState,
)
from inspections.models import Finding, Referral, ReferralStep
from inspections.services.routing import Route
from ledger import services as ledger

# Who works on referrals and rectifications of a department.
WORKERS = (*CLERKS, Role.OFFICER)
VERBS = {ReferralState.TAKEN_UP: "接收", ReferralState.RETURNED: "退回", ReferralState.CLOSED: "办结"}


def send_all(
    routed: Iterable[tuple[Finding, Route]], *, actor: User, department: Department
) -> list[Referral]:
    """Send findings along their routes in the caller's transaction: referral, first step, ledger, notification.

    Each must be taken up within REFERRAL_WORKDAYS (law.md §4). The findings' own state is the caller's to set.
    """
    routed = list(routed)
    now = timezone.now()
    due_on = add_workdays(timezone.localdate(now), settings.REFERRAL_WORKDAYS)
    referrals = Referral.objects.bulk_create(
        Referral(
            finding=finding,
            institution=finding.institution,
            from_department=finding.department,
            to_department=route.department,
            route=route.route,
            warning=route.warning,
            delegation=route.delegation,
            sent_at=now,
            sent_by=actor,
            due_on=due_on,
        )
        for finding, route in routed
    )
    ReferralStep.objects.bulk_create(
        _step(referral, Event.REFERRED, f"移送{referral.to_department.short_name}", route.why, actor)
        for referral, (_, route) in zip(referrals, routed, strict=True)
    )
    ledger.append_many(
        [
            ledger.Record(
                referral.institution.subject,
                Event.REFERRED,
                {
                    "referral": referral.pk,
                    "finding": str(referral.finding_id),
                    "from": referral.from_department.key,
                    "to": referral.to_department.key,
                    "route": referral.route,
                    "due_on": due_on.isoformat(),
                    **({"delegation": referral.delegation_id} if referral.delegation_id else {}),
                },
            )
            for referral in referrals
        ],
        actor=actor.key,
        department=department.key,
    )
    for referral in referrals:
        penalty = referral.finding.row.penalty_text
        notify(
            referral.to_department,
            f"{referral.institution.name}：{referral.from_department.short_name}移送“{_short(penalty)}”，"
            f"请于 {due_on} 前接收。{referral.warning}",
            subject=f"referral:{referral.pk}",
            roles=_readers(referral.to_department),
        )
    return referrals


@transaction.atomic
def take_up(referral: Referral, *, actor: User) -> Referral:
    """The receiving department takes the referral up; the sender reads of it.

    Raises PermissionDenied unless the actor works there, DomainError when it was taken up or returned before.
    """
    referral = _lock(referral)
    require_role(actor, WORKERS, referral.to_department)
    _move(referral, ReferralState.TAKEN_UP)
    referral.taken_up_at, referral.taken_up_by = timezone.now(), actor
    referral.save(update_fields=["state", "taken_up_at", "taken_up_by"])
    _append(referral, Event.REFERRAL_TAKEN_UP, actor)
    _tell(referral, Event.REFERRAL_TAKEN_UP, "接收移送", "", actor)
    return referral


@transaction.atomic
def return_referral(referral: Referral, *, reason: str, actor: User) -> Referral:
    """The receiving department sends the referral back with its reason; the finding waits for its department.

    Refusals as for `take_up`; DomainError with `fields` without a reason.
    """
    referral = _lock(referral)
    require_role(actor, WORKERS, referral.to_department)
    reason = reason.strip()
    if not reason:
        raise DomainError("请填写退回理由。", fields={"reason": "请填写退回理由。"})
    _move(referral, ReferralState.RETURNED)
    referral.return_reason = reason
    referral.save(update_fields=["state", "return_reason"])
    _move_finding(referral, FindingState.RETURNED)
    _append(referral, Event.REFERRAL_RETURNED, actor, reason_digest=digest_text(reason))
    _tell(referral, Event.REFERRAL_RETURNED, "退回移送", reason, actor, notification=NotificationKind.WORK)
    return referral


@transaction.atomic
def record_step(referral: Referral, *, kind: str, label: str, detail: str = "", actor: User) -> ReferralStep:
    """Tell the sender what happened to a referral taken up; `kind` is the caller's event, `label` its Chinese name.

    The caller has checked who may take the step and writes its own ledger entry. Raises DomainError unless
    the referral is being worked on.
    """
    referral = _lock(referral)
    if referral.state != ReferralState.TAKEN_UP:
        raise DomainError(f"移送{referral.get_state_display()}，不能登记办理情况。")
    return _tell(referral, kind, label, detail, actor)


@transaction.atomic
def close_referral(referral: Referral, *, actor: User) -> Referral:
    """The receiving department is done with it; the finding is closed. Refusals as for `take_up`."""
    referral = _lock(referral)
    require_role(actor, WORKERS, referral.to_department)
    _move(referral, ReferralState.CLOSED)
    referral.save(update_fields=["state"])
    _move_finding(referral, FindingState.CLOSED)
    _append(referral, Event.REFERRAL_CLOSED, actor)
    _tell(referral, Event.REFERRAL_CLOSED, "办结", "", actor)
    return referral


def _lock(referral: Referral) -> Referral:
    return (
        Referral.objects.select_for_update(of=("self",))
        .select_related("institution", "from_department", "to_department", "finding__row")
        .get(pk=referral.pk)
    )


def _move(referral: Referral, state: ReferralState) -> None:
    if state not in REFERRAL_TRANSITIONS[ReferralState(referral.state)]:
        raise DomainError(f"移送{referral.get_state_display()}，不能再{VERBS[state]}。")
    referral.state = state


def _move_finding(referral: Referral, state: FindingState) -> None:
    finding = Finding.objects.select_for_update().get(pk=referral.finding_id)
    if state not in FINDING_TRANSITIONS[FindingState(finding.state)]:
        raise DomainError(f"问题{finding.get_state_display()}，不能改为{state.label}。")
    finding.state = state
    finding.save(update_fields=["state"])
    referral.finding = finding


def _append(referral: Referral, event: Event, actor: User, **payload: str) -> None:
    ledger.append(
        referral.institution.subject,
        event,
        {"referral": referral.pk, "finding": str(referral.finding_id), "state": referral.state, **payload},
        actor=actor.key,
        department=referral.to_department.key,
    )


def _tell(
    referral: Referral,
    kind: str,
    label: str,
    detail: str,
    actor: User,
    notification: NotificationKind = NotificationKind.NEWS,
) -> ReferralStep:
    step = _step(referral, kind, label, detail, actor)
    step.save()
    if referral.from_department_id != referral.to_department_id:
        notify(
            referral.from_department,
            f"{referral.institution.name}：{referral.to_department.short_name}{label}（{_short(referral.finding.row.penalty_text)}）。",
            subject=f"finding:{referral.finding_id}",
            roles=_readers(referral.from_department),
            kind=notification,
        )
    return step


def _step(referral: Referral, kind: str, label: str, detail: str, actor: User) -> ReferralStep:
    return ReferralStep(referral=referral, kind=str(kind), label=label, detail=detail, by=actor)


def _readers(department: Department) -> tuple[Role, ...]:
    # A town's enforcement officer takes referrals up; in a bureau that is the clerk's work.
    return (Role.HANDLER, Role.OFFICER) if department.is_town else (Role.HANDLER,)


def _short(text: str, length: int = 40) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"
