"""Answers on the one form: each an operation of one phone under a client-made id, safe to repeat."""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from core.errors import DomainError, StaleError
from departments.models import User
from inspections.enums import AnswerValue, Disposition, Severity
from inspections.models import Answer, Finding, Task, TaskItem
from inspections.services import signatures, visits

MAX_TEXT = 2000
MAX_DAYS = 365


@transaction.atomic
def answer(
    task_item: TaskItem,
    *,
    answer_id: UUID,
    base_rev: int,
    value: str,
    note: str = "",
    findings: Iterable[Mapping[str, Any]] = (),
    actor: User,
) -> TaskItem:
    """Write one item: its value, a note and, for 不符合, one finding for each matrix row concerned.

    `base_rev` is the revision the writer saw. A finding is {"row": MatrixRow id among the item's own,
    "severity", "disposition", "days" (calendar days, for 限期整改 only), "fact"}. The same `answer_id` again
    returns the item and writes nothing. A change after somebody signed removes the signatures: they stood
    under other answers. The first answer starts the visit.

    Raises PermissionDenied for anyone but an assigned, certified officer of the item's department,
    StaleError when the item changed since `base_rev`, DomainError with `fields` for bad input, DomainError
    once the form is submitted.
    """
    task = visits.lock_task(task_item.task)
    item = TaskItem.objects.select_related("department").get(pk=task_item.pk)
    assignment = visits.require_assigned(task, actor, item.department)
    note = (note or "").strip()
    wanted = _checked(item, value, note, list(findings))
    if _is_replay(item, answer_id, base_rev, value, note, wanted):
        return item
    visits.require_open(task)
    visits.require_certified(assignment)
    now = timezone.now()
    # Compare and set: whoever read an older revision writes nothing.
    written = TaskItem.objects.filter(pk=item.pk, rev=base_rev).update(
        value=value, note=note, rev=F("rev") + 1, answered_at=now, answered_by=actor
    )
    if not written:
        raise StaleError("该事项已被他人修改，请核对后再保存。")
    Answer.objects.create(
        id=answer_id,
        task_item=item,
        base_rev=base_rev,
        rev=base_rev + 1,
        value=value,
        note=note,
        findings=wanted,
        answered_by=actor,
        answered_at=now,
    )
    _note_findings(task, item, wanted, actor)
    visits.start(task)
    signatures.void(task)
    item.refresh_from_db()
    return item


def _is_replay(item: TaskItem, answer_id: UUID, base_rev: int, value: str, note: str, findings: list) -> bool:
    earlier = Answer.objects.filter(pk=answer_id).first()
    if earlier is None:
        return False
    then = (earlier.task_item_id, earlier.base_rev, earlier.value, earlier.note, earlier.findings)
    if then != (item.pk, base_rev, value, note, findings):
        raise DomainError(
            "同一答复编号先后的内容不一致，未保存。请刷新页面后重新填写。", code="answer_id_reused"
        )
    return True


def _checked(
    item: TaskItem, value: str, note: str, findings: list[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """The findings as they are kept; DomainError naming every field that is wrong."""
    errors: dict[str, str] = {}
    if value not in AnswerValue.values:
        errors["value"] = "请选择符合、不符合或不适用。"
    if len(note) > MAX_TEXT:
        errors["note"] = f"情况说明最多 {MAX_TEXT} 字。"
    if value == AnswerValue.NON_COMPLIANT and not findings:
        errors["findings"] = "不符合的，请至少选择一项对应的处罚事项。"
    if value != AnswerValue.NON_COMPLIANT and findings:
        errors["findings"] = "只有不符合的事项才能记录问题。"
    rows = set(item.rows.values_list("row", flat=True)) if findings else set()
    kept = [_checked_finding(finding, rows, errors) for finding in findings]
    if len({finding["row"] for finding in kept}) < len(kept):
        errors["findings"] = "同一处罚事项只能记录一个问题。"
    if errors:
        raise DomainError(next(iter(errors.values())), fields=errors, code="invalid")
    return sorted(kept, key=lambda finding: finding["row"])


def _checked_finding(finding: Mapping[str, Any], rows: set[int], errors: dict[str, str]) -> dict[str, Any]:
    row, days = finding.get("row"), finding.get("days")
    fact = str(finding.get("fact") or "").strip()
    severity, disposition = finding.get("severity"), finding.get("disposition")
    if row not in rows:
        errors[f"findings.{row}.row"] = "所选处罚事项不属于本检查事项。"
    if severity not in Severity.values:
        errors[f"findings.{row}.severity"] = "请选择严重程度。"
    if disposition not in Disposition.values:
        errors[f"findings.{row}.disposition"] = "请选择处置方式。"
    if disposition == Disposition.RECTIFICATION:
        if not isinstance(days, int) or isinstance(days, bool) or not 1 <= days <= MAX_DAYS:
            errors[f"findings.{row}.days"] = f"整改天数应为 1 至 {MAX_DAYS} 天。"
    else:
        days = None
    if not fact:
        errors[f"findings.{row}.fact"] = "请写明发现的事实。"
    elif len(fact) > MAX_TEXT:
        errors[f"findings.{row}.fact"] = f"事实最多 {MAX_TEXT} 字。"
    return {"row": row, "severity": severity, "disposition": disposition, "days": days, "fact": fact}


def _note_findings(task: Task, item: TaskItem, wanted: list[dict[str, Any]], actor: User) -> None:
    """Make the item's pending findings these; a row that stays keeps its finding's id."""
    rows = [finding["row"] for finding in wanted]
    visits.pending(task).filter(task_item=item).exclude(row__in=rows).delete()
    for finding in wanted:
        Finding.objects.update_or_create(
            task_item=item,
            row_id=finding["row"],
            defaults={
                "task": task,
                "institution_id": task.institution_id,
                "department_id": item.department_id,
                "severity": finding["severity"],
                "disposition": finding["disposition"],
                "days": finding["days"],
                "fact": finding["fact"],
                "found_on": timezone.localdate(),
                "recorded_by": actor,
            },
        )
