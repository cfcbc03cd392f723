"""秘密数 for the seed: departments commit, then reveal; whoever withholds is named and the draw is void.

Every verb locks the joint inspection first, so that a commitment, the closing and a reveal that meet
happen one after the other. `advance_due` does what the deadlines call for.
"""

import logging
import re
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from core.errors import DomainError
from departments.models import Department, User
from departments.permissions import CLERKS
from departments.services import notify
from inspections import permissions
from inspections.draws import seeds
from inspections.enums import DrawState, Event, InspectionState
from inspections.models import Draw, DrawContribution, JointInspection
from inspections.services.draw import conclude, end, freeze, require_transition
from inspections.services.launch import locked
from inspections.services.participation import append

logger = logging.getLogger(__name__)

COMMITMENT = re.compile(r"[0-9a-f]{64}")
SECRET = re.compile(rf"[0-9A-Za-z]{{{seeds.SHORTEST},{seeds.LONGEST}}}")


@transaction.atomic
def open_contributions(inspection: JointInspection, *, actor: User) -> Draw:
    """Freeze the roster and ask the departments for commitments. Raises DomainError like `draw`."""
    inspection = locked(inspection)
    permissions.require_leading(actor, inspection)
    commit_by = timezone.now() + timedelta(hours=settings.DRAW_COMMIT_HOURS)
    frozen = freeze(inspection, actor=actor, commit_by=commit_by)
    for department in contributors(frozen):
        notify(
            department,
            f"“{inspection.name}”的抽取名单已固定，贵部门可在 {_moment(commit_by)} 前提交秘密数的承诺。",
            subject=frozen.subject,
            roles=CLERKS,
        )
    return frozen


@transaction.atomic
def commit(frozen: Draw, department: Department, *, commitment: str, actor: User) -> DrawContribution:
    """Fix the department's secret by its digest; once, for a slip must not become a choice.

    Raises DomainError for anything but a digest, after the deadline, or from a department that withheld.
    """
    inspection = locked(frozen.joint_inspection)
    permissions.require_contributing(actor, inspection, department)
    frozen = Draw.objects.select_for_update().get(pk=frozen.pk)
    _require_open(frozen, inspection, DrawState.COMMITTING, frozen.commit_by)
    if not contributors(frozen).filter(pk=department.pk).exists():
        raise DomainError("贵部门上次承诺后未公开秘密数，本次抽取不再采用贵部门的秘密数。")
    commitment = commitment.strip().lower()
    if not COMMITMENT.fullmatch(commitment):
        message = "承诺应为 64 位十六进制数，请使用“在本机生成”或“由系统生成”。"
        raise DomainError(message, fields={"commitment": message})
    if frozen.contributions.filter(department=department).exists():
        raise DomainError("贵部门已提交承诺，不能更换。")
    given = DrawContribution.objects.create(
        draw=frozen, department=department, commitment=commitment, committed_by=actor
    )
    payload = {"draw": frozen.pk, "department": department.code, "commitment": commitment}
    append(inspection, Event.DRAW_COMMITTED, payload, actor, department)
    return given


@transaction.atomic
def close_commitments(frozen: Draw, *, actor: User | None = None) -> Draw:
    """No more commitments: those given are to be revealed; with none of them the draw happens at once.

    Without an actor the deadline closes it.
    """
    inspection = locked(frozen.joint_inspection)
    if actor:
        permissions.require_leading(actor, inspection)
    frozen = Draw.objects.select_for_update().get(pk=frozen.pk)
    if inspection.state != InspectionState.TICKING_CLOSED or frozen.state != DrawState.COMMITTING:
        raise DomainError(f"抽取{frozen.get_state_display()}，不在征集秘密数。")
    given = list(frozen.contributions.select_related("department"))
    if not given:
        return conclude(frozen, inspection, actor)
    require_transition(frozen, DrawState.REVEALING)
    frozen.state = DrawState.REVEALING
    frozen.reveal_by = timezone.now() + timedelta(hours=settings.DRAW_REVEAL_HOURS)
    frozen.save(update_fields=["state", "reveal_by"])
    payload = {"draw": frozen.pk, "departments": [one.department.code for one in given]}
    append(inspection, Event.DRAW_REVEALING, payload, actor, inspection.lead_department)
    for one in given:
        notify(
            one.department,
            f"请在 {_moment(frozen.reveal_by)} 前公开“{inspection.name}”抽取的秘密数，逾期抽取作废。",
            subject=frozen.subject,
            roles=CLERKS,
        )
    return frozen


@transaction.atomic
def reveal(frozen: Draw, department: Department, *, secret: str, actor: User) -> Draw:
    """Give the secret behind the commitment; the last one given makes the draw, in the same transaction.

    So nobody stands between the last secret and the result. Raises DomainError when it does not fit.
    """
    inspection = locked(frozen.joint_inspection)
    permissions.require_contributing(actor, inspection, department)
    frozen = Draw.objects.select_for_update().get(pk=frozen.pk)
    _require_open(frozen, inspection, DrawState.REVEALING, frozen.reveal_by)
    given = frozen.contributions.filter(department=department).first()
    if given is None:
        raise DomainError("贵部门没有提交承诺，不需要公开秘密数。")
    if given.secret:
        raise DomainError("贵部门已公开秘密数。")
    secret = secret.strip()
    fits = SECRET.fullmatch(secret) and (commitment_of(frozen, department, secret) == given.commitment)
    if not fits:
        message = "与贵部门提交的承诺不符，请核对秘密数是否完整。"
        raise DomainError(message, fields={"secret": message})
    given.secret, given.revealed_at, given.revealed_by = secret, timezone.now(), actor
    given.save(update_fields=["secret", "revealed_at", "revealed_by"])
    payload = {"draw": frozen.pk, "department": department.code, "commitment": given.commitment}
    append(inspection, Event.DRAW_REVEALED, payload, actor, department)
    if frozen.contributions.filter(secret="").exists():
        return frozen
    conclude(frozen, inspection, actor)
    notify(
        inspection.lead_department,
        f"各部门均已公开秘密数，“{inspection.name}”已抽取 {frozen.size} 家机构。",
        subject=inspection.subject,
    )
    return frozen


def commitment_of(frozen: Draw, department: Department, secret: str) -> str:
    """The commitment that fixes this secret for this department and draw."""
    return seeds.commitment(frozen.roster_digest, department.code, secret)


def contributors(frozen: Draw) -> QuerySet[Department]:
    """Departments that may give a secret: the lead and the participants, but for those that withheld one."""
    inspection = frozen.joint_inspection_id
    withheld = DrawContribution.objects.filter(
        draw__joint_inspection=inspection, draw__state=DrawState.VOID, secret=""
    )
    taking_part = Q(participations__joint_inspection=inspection) | Q(led_inspections=inspection)
    return Department.objects.filter(taking_part).exclude(pk__in=withheld.values("department")).distinct()


def advance_due(now: datetime | None = None) -> int:
    """Close what is due and void what was withheld; returns how many. Safe to run twice and side by side."""
    now = now or timezone.now()
    due = Draw.objects.filter(
        Q(state=DrawState.COMMITTING, commit_by__lte=now)
        | Q(state=DrawState.REVEALING, reveal_by__lte=now)
        | Q(joint_inspection__state=InspectionState.CANCELLED)
    ).open()
    advanced = 0
    for pk in list(due.order_by("pk").values_list("pk", flat=True)):
        try:
            advanced += _advance(pk, now)
        except Exception:
            # One that cannot go on must not keep the others waiting; the next sweep tries it again.
            logger.exception("draw %s could not be advanced", pk)
    return advanced


@transaction.atomic
def _advance(pk: int, now: datetime) -> int:
    inspection = locked(JointInspection.objects.get(draws=pk))
    frozen = Draw.objects.select_for_update().get(pk=pk)
    if not frozen.is_open:
        return 0
    if inspection.state == InspectionState.CANCELLED:
        end(frozen, DrawState.VOID, "联合检查已取消。", None)
    elif frozen.state == DrawState.COMMITTING and frozen.commit_by <= now:
        close_commitments(frozen)
    elif frozen.state == DrawState.REVEALING and frozen.reveal_by <= now:
        _void(frozen, inspection)
    return 1


def _void(frozen: Draw, inspection: JointInspection) -> None:
    withheld = [one.department for one in frozen.contributions.filter(secret="").select_related("department")]
    named = "、".join(department.short_name for department in withheld)
    end(frozen, DrawState.VOID, f"{named}提交承诺后逾期未公开秘密数。", None)
    payload = {"draw": frozen.pk, "withheld": [department.code for department in withheld]}
    append(inspection, Event.DRAW_VOIDED, payload, None, inspection.lead_department)
    told = {inspection.lead_department, *withheld}
    for department in sorted(told, key=lambda one: one.pk):
        notify(
            department,
            f"{named}逾期未公开秘密数，“{inspection.name}”第 {frozen.number} 次抽取作废；"
            "重新抽取时不再采用其秘密数。",
            subject=inspection.subject,
        )


def _require_open(
    frozen: Draw, inspection: JointInspection, state: DrawState, until: datetime | None
) -> None:
    if inspection.state != InspectionState.TICKING_CLOSED or frozen.state != state:
        raise DomainError(f"本次抽取{frozen.get_state_display()}，不在{state.label}。")
    if until is None or timezone.now() >= until:
        raise DomainError(f"{state.label}已于 {_moment(until)} 截止。" if until else "本次抽取不征集秘密数。")


def _moment(when: datetime) -> str:
    return f"{timezone.localtime(when):%Y-%m-%d %H:%M}"
