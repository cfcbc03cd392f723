"""Submit: the form freezes and every problem noted on it becomes effective, all in one transaction."""

from collections import Counter
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from core.digests import default_algorithm, digest_text
from core.errors import DomainError
from departments.models import Department, User
from inspections.enums import (
    FINDING_TRANSITIONS,
    TASK_TRANSITIONS,
    AnswerValue,
    Disposition,
    Event,
    FindingState,
    SignerKind,
    TaskState,
)
from inspections.models import Finding, Photo, Rectification, Task
from inspections.services import filing, referrals, visits
from inspections.services.routing import ROW_RELATED, routes
from ledger import services as ledger
from ledger.services import Record

# 行政处罚法第42条：执法人员不得少于两人
SIGNATURES_A_DEPARTMENT = 2

EFFECTS = {
    Disposition.CORRECTED: FindingState.CORRECTED,
    Disposition.RECTIFICATION: FindingState.RECTIFYING,
    Disposition.REFERRAL: FindingState.REFERRED,
}


@transaction.atomic
def submit(task: Task, *, actor: User) -> Task:
    """Freeze the form; corrected problems close, rectifications get their day, referrals go out.

    Raises PermissionDenied unless the actor is an assigned, certified officer, DomainError with everything
    `obstacles` names. Afterwards triggers in the database refuse any change to the form.
    """
    task = visits.lock_task(task)
    assignment = visits.require_assigned(task, actor)
    visits.require_certified(assignment)
    visits.require_open(task)
    missing = obstacles(task)
    if missing or TaskState.SUBMITTED not in TASK_TRANSITIONS[TaskState(task.state)]:
        raise DomainError("还不能提交：" + "；".join(missing) + "。")
    findings = list(
        Finding.objects.select_for_update(of=("self",))
        .filter(task=task, state=FindingState.PENDING)
        .select_related("department", "task_item", *(f"row__{name}" for name in ROW_RELATED))
        .order_by("department__order", "row__position", "pk")
    )
    _freeze(task, actor)
    _record_submission(task, len(findings), assignment.department, actor)
    _make_effective(task, findings, actor)
    return task


def obstacles(task: Task) -> list[str]:
    """What still stands between the form and its submission, each a Chinese clause; empty when nothing does."""
    missing = [
        f"{part['name']}还有 {part['total'] - part['done']} 项未填写"
        for part in visits.progress(task)
        if part["done"] < part["total"]
    ]
    if task.filing_agrees is None and filing.asks_filing(task):
        missing.append("备案信息核实还未填写")
    if missing:
        return missing
    if not task.items.exists():
        return ["表单上没有检查事项"]
    digest, today = visits.answers_digest(task), timezone.localdate()
    signed = [s for s in task.signatures.select_related("officer__user") if s.answers_digest == digest]
    counted = Counter(
        s.department_id for s in signed if s.kind == SignerKind.OFFICER and s.officer.is_certified_on(today)
    )
    for part in visits.progress(task):
        lacking = SIGNATURES_A_DEPARTMENT - counted[part["department"]]
        if lacking > 0:
            missing.append(f"{part['name']}还差 {lacking} 名执法人员签名")
    if not any(s.kind == SignerKind.INSTITUTION for s in signed):
        missing.append("机构代表还未签名")
    return missing


def _freeze(task: Task, actor: User) -> None:
    task.answers_digest = visits.answers_digest(task)
    task.digest_algorithm = default_algorithm()
    task.state = TaskState.SUBMITTED
    task.submitted_at, task.submitted_by = timezone.now(), actor
    task.save(update_fields=["answers_digest", "digest_algorithm", "state", "submitted_at", "submitted_by"])


def _record_submission(task: Task, found: int, department: Department, actor: User) -> None:
    values = Counter(task.items.values_list("value", flat=True))
    ledger.append(
        task.institution.subject,
        Event.TASK_SUBMITTED,
        {
            "task": str(task.pk),
            "inspections": sorted(task.origins.values_list("joint_inspection", flat=True)),
            "answers_digest": task.answers_digest,
            "algorithm": task.digest_algorithm,
            "items": sum(values.values()),
            "values": {value: values[value] for value in AnswerValue.values},
            "findings": found,
            **({} if task.filing_agrees is None else {"filing_agrees": task.filing_agrees}),
        },
        actor=actor.key,
        department=department.key,
    )


def _make_effective(task: Task, findings: list[Finding], actor: User) -> None:
    today = timezone.localdate()
    for finding in findings:
        state = EFFECTS[Disposition(finding.disposition)]
        if state not in FINDING_TRANSITIONS[FindingState(finding.state)]:
            raise DomainError(f"问题{finding.get_state_display()}，不能改为{state.label}。")
        finding.state, finding.found_on, finding.institution = state, today, task.institution
    Finding.objects.bulk_update(findings, ["state", "found_on"])
    rectifications = Rectification.objects.bulk_create(
        Rectification(
            finding=finding,
            department=finding.department,
            ordered_on=today,
            due_on=today + timedelta(days=finding.days),
        )
        for finding in findings
        if finding.disposition == Disposition.RECTIFICATION
    )
    due = {rectification.finding_id: rectification for rectification in rectifications}
    referred = [finding for finding in findings if finding.disposition == Disposition.REFERRAL]
    routed = routes([finding.row for finding in referred], task.institution, today)
    evidence = _evidence(task)
    # Entries carry the department whose problem it is, so that the archive can be read by department.
    for department in dict.fromkeys(finding.department for finding in findings):
        own = [finding for finding in findings if finding.department == department]
        records = []
        for finding in own:
            records.append(Record(task.institution.subject, Event.FOUND, _found(finding, evidence)))
            if finding.pk in due:
                records.append(
                    Record(task.institution.subject, Event.RECTIFICATION_ORDERED, _ordered(due[finding.pk]))
                )
        ledger.append_many(records, actor=actor.key, department=department.key)
        referrals.send_all(
            [(finding, routed[finding.row_id]) for finding in own if finding in referred],
            actor=actor,
            department=department,
        )


def _evidence(task: Task) -> dict[int, list[str]]:
    """Digests of each item's photos."""
    digests: dict[int, list[str]] = {}
    kept = Photo.objects.filter(task_item__task=task, removed_at=None).order_by("file__digest")
    for item, digest in kept.values_list("task_item", "file__digest"):
        digests.setdefault(item, []).append(digest)
    return digests


def _found(finding: Finding, evidence: dict[int, list[str]]) -> dict:
    return {
        "finding": str(finding.pk),
        "task": str(finding.task_id),
        "check_item": finding.task_item.check_item_id,
        "row": finding.row_id,
        "row_number": finding.row.number or str(finding.row.line + 1),
        "severity": finding.severity,
        "disposition": finding.disposition,
        "state": finding.state,
        "fact_digest": digest_text(finding.fact),
        "photos": evidence.get(finding.task_item_id, []),
        "found_on": finding.found_on.isoformat(),
    }


def _ordered(rectification: Rectification) -> dict:
    return {
        "finding": str(rectification.finding_id),
        "rectification": rectification.pk,
        "due_on": rectification.due_on.isoformat(),
    }
