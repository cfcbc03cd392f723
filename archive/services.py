"""公示: publish a visit's result or a penalty decision, and withdraw what was published.

The public reads a copy (Disclosure.content); later changes below do not alter it. The ledger holds its digest.
"""

from datetime import date

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from archive import snapshots
from archive.enums import DISCLOSURE_TRANSITIONS, DisclosureState, Event
from archive.masking import holds_private_numbers
from archive.models import Disclosure
from archive.permissions import (
    require_auditor,
    require_publishing_case,
    require_publishing_task,
    require_withdrawing,
)
from core.digests import default_algorithm, digest_json, digest_text
from core.errors import DomainError
from core.workdays import add_workdays
from departments.models import Department, User
from inspections.enums import TaskState
from inspections.models import Task
from ledger.services import append
from penalties.enums import CaseState, Decision
from penalties.models import PenaltyCase

# A decision there is something to read of; 不予处罚 is no penalty and is not published.
DECIDED = (CaseState.DECIDED, CaseState.SERVED, CaseState.CLOSED)


def task_due_on(task: Task) -> date:
    """The last day to publish: DISCLOSURE_WORKDAYS after the form was submitted (law.md §3)."""
    return add_workdays(timezone.localdate(task.submitted_at), settings.DISCLOSURE_WORKDAYS)


def case_due_on(case: PenaltyCase) -> date:
    """The last day to publish: PENALTY_DISCLOSURE_WORKDAYS after the decision (国办发〔2018〕118号)."""
    return add_workdays(case.decided_on, settings.PENALTY_DISCLOSURE_WORKDAYS)


@transaction.atomic
def publish_task(task: Task, *, actor: User) -> Disclosure:
    """Publish a submitted visit's result for its lead department; once.

    Raises PermissionDenied unless the actor is a clerk of a lead department, DomainError before submission
    or when it was published before.
    """
    task = Task.objects.select_for_update(of=("self",)).select_related("institution__town").get(pk=task.pk)
    department = require_publishing_task(actor, task)
    if task.state != TaskState.SUBMITTED:
        raise DomainError(f"检查任务{task.get_state_display()}，提交后才能公示。")
    _refuse_twice(Disclosure.objects.filter(task=task).first())
    return _publish(
        Disclosure(
            task=task,
            institution=task.institution,
            department=department,
            title=f"{task.institution.name}检查结果"[:200],
            content=snapshots.task_content(task),
            due_on=task_due_on(task),
            published_by=actor,
        ),
        actor,
    )


@transaction.atomic
def publish_case(case: PenaltyCase, *, actor: User) -> Disclosure:
    """Publish a penalty decision for the department that made it; once. Refusals as for `publish_task`."""
    case = (
        PenaltyCase.objects.select_for_update(of=("self",))
        .select_related(
            "institution__town",
            "department",
            "filed_by",
            "drafted_by",
            "reviewed_by",
            "referral__finding__row",
        )
        .get(pk=case.pk)
    )
    require_publishing_case(actor, case)
    if case.state not in DECIDED:
        raise DomainError(f"案件{case.get_state_display()}，作出决定后才能公示。")
    if case.decision == Decision.NOT_PUNISHED:
        raise DomainError("不予处罚的案件没有处罚决定可以公示。")
    _refuse_twice(Disclosure.objects.filter(penalty_case=case).first())
    return _publish(
        Disclosure(
            penalty_case=case,
            institution=case.institution,
            department=case.department,
            title=f"{case.institution.name}行政处罚决定"[:200],
            content=snapshots.case_content(case),
            due_on=case_due_on(case),
            published_by=actor,
        ),
        actor,
    )


@transaction.atomic
def withdraw(disclosure: Disclosure, *, reason: str, actor: User) -> Disclosure:
    """Withdraw a publication; a stub with the reason stays for everybody to read (处罚法48条).

    The reason is public, so telephone and identity numbers in it are refused.
    """
    disclosure = (
        Disclosure.objects.select_for_update(of=("self",))
        .select_related("institution", "department")
        .get(pk=disclosure.pk)
    )
    require_withdrawing(actor, disclosure)
    if DisclosureState.WITHDRAWN not in DISCLOSURE_TRANSITIONS[DisclosureState(disclosure.state)]:
        raise DomainError("此条公示已经撤回。")
    reason = reason.strip()
    if not reason:
        raise DomainError("请填写撤回原因。", fields={"reason": "请填写撤回原因。"})
    if holds_private_numbers(reason):
        message = "撤回原因会公开，请删去其中的电话或身份证号码。"
        raise DomainError(message, fields={"reason": message})
    disclosure.state = DisclosureState.WITHDRAWN
    disclosure.withdrawn_at, disclosure.withdrawn_by = timezone.now(), actor
    disclosure.withdrawn_reason = reason
    disclosure.save()
    payload = _subject(disclosure) | {
        "reason_digest": digest_text(reason),
        "digest_algorithm": default_algorithm(),
    }
    _append(disclosure, Event.WITHDRAWN, payload, actor)
    return disclosure


@transaction.atomic
def record_export(what: str, *, actor: User, entries: int, chosen: dict[str, str]) -> None:
    """审计管理员 takes records away: what, how many, and a digest of what was chosen stand on the actor's own chain.

    Raises PermissionDenied for everybody else.
    """
    require_auditor(actor)
    payload = {"what": what, "entries": entries, "chosen_digest": digest_json(chosen)}
    append(actor.subject, Event.TRAIL_EXPORTED, payload, actor=actor.key)


def _publish(disclosure: Disclosure, actor: User) -> Disclosure:
    disclosure.save()
    payload = _subject(disclosure) | {
        "due_on": disclosure.due_on.isoformat(),
        "content_digest": digest_json(disclosure.content),
        "digest_algorithm": default_algorithm(),
    }
    _append(disclosure, Event.DISCLOSED, payload, actor)
    return disclosure


def _subject(disclosure: Disclosure) -> dict:
    payload: dict = {"disclosure": disclosure.pk}
    if disclosure.task_id:
        payload["task"] = str(disclosure.task_id)
    if disclosure.penalty_case_id:
        payload["case"] = disclosure.penalty_case_id
    return payload


def _append(disclosure: Disclosure, event: Event, payload: dict, actor: User) -> None:
    department: Department = disclosure.department
    append(disclosure.institution.subject, event, payload, actor=actor.key, department=department.key)


def _refuse_twice(earlier: Disclosure | None) -> None:
    if earlier is None:
        return
    if earlier.state == DisclosureState.WITHDRAWN:
        raise DomainError("此结果公示后已撤回，不能再次公示。")
    raise DomainError("此结果已经公示。")
