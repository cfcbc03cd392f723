"""自建系统结果备案: a department files what it found by its own platform, the lead confirms or returns."""

from collections.abc import Iterable
from datetime import date

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.utils import timezone

from core.digests import digest_text
from core.errors import DomainError
from core.files import store_document
from departments import services as departments
from departments.enums import NotificationKind
from departments.models import Department, User
from departments.permissions import CLERKS, require_role
from inspections.enums import OWN_RESULT_TRANSITIONS, Event, Outcome, OwnResultState
from inspections.models import JointInspection, OwnResult
from institutions.models import Institution
from ledger import services as ledger
from scenarios.models import CheckItem


@transaction.atomic
def file_result(
    *,
    department: Department,
    number: str,
    institution: Institution,
    checked_on: date,
    items: Iterable[CheckItem],
    outcome: Outcome,
    actor: User,
    summary: str = "",
    on_site: bool = True,
    attachment: UploadedFile | None = None,
    joint_inspection: JointInspection | None = None,
) -> OwnResult:
    """Ask the lead of the joint inspection, else the keeper of the register, to confirm a result.

    Raises PermissionDenied unless the actor is a clerk of the department, DomainError with the fields at fault.
    """
    require_role(actor, CLERKS, department)
    lead = joint_inspection.lead_department if joint_inspection else _keeper()
    if lead.pk == department.pk:
        raise DomainError(f"{lead.short_name}是牵头部门，自己的检查请通过联合检查办理。")
    result = OwnResult(
        department=department, lead_department=lead, joint_inspection=joint_inspection, filed_by=actor
    )
    _write(result, number, institution, checked_on, list(items), outcome, summary, on_site, attachment)
    _file(result, actor)
    return result


@transaction.atomic
def correct_result(
    result: OwnResult,
    *,
    number: str,
    institution: Institution,
    checked_on: date,
    items: Iterable[CheckItem],
    outcome: Outcome,
    actor: User,
    summary: str = "",
    on_site: bool = True,
    attachment: UploadedFile | None = None,
) -> OwnResult:
    """File a returned result again; without a new attachment the old one stays. Raises as `file_result`."""
    result = _locked(result)
    require_role(actor, CLERKS, result.department)
    _require_transition(result, OwnResultState.AWAITING)
    result.state, result.filed_by, result.filed_at = OwnResultState.AWAITING, actor, timezone.now()
    result.decided_by, result.decided_at, result.returned_reason = None, None, ""
    _write(result, number, institution, checked_on, list(items), outcome, summary, on_site, attachment)
    _file(result, actor)
    return result


@transaction.atomic
def confirm_result(result: OwnResult, *, actor: User) -> OwnResult:
    """备案: from now on it counts in the coverage and stands in the dossier."""
    result = _decide(result, OwnResultState.CONFIRMED, actor)
    result.save(update_fields=["state", "decided_by", "decided_at"])
    _append(result, Event.OWN_RESULT_CONFIRMED, {}, actor, result.lead_department)
    _tell(result, f"“{result.institution.name}”的检查结果（{result.number}）已备案。", NotificationKind.NEWS)
    return result


@transaction.atomic
def return_result(result: OwnResult, *, reason: str, actor: User) -> OwnResult:
    """The lead wants it corrected, and says why."""
    result = _decide(result, OwnResultState.RETURNED, actor)
    result.returned_reason = reason.strip()
    if not result.returned_reason:
        raise DomainError("请填写退回理由。", fields={"reason": "请填写退回理由。"})
    result.save(update_fields=["state", "decided_by", "decided_at", "returned_reason"])
    payload = {"reason": digest_text(result.returned_reason)}
    _append(result, Event.OWN_RESULT_RETURNED, payload, actor, result.lead_department)
    _tell(result, f"“{result.institution.name}”的检查结果（{result.number}）被退回，请更正后再报。")
    return result


def _keeper() -> Department:
    keeper = Department.objects.filter(code=settings.REGISTER_KEEPER).first()
    if keeper is None:
        raise DomainError("还没有设置受理备案的牵头部门，请联系系统管理员。")
    return keeper


def _locked(result: OwnResult) -> OwnResult:
    rows = OwnResult.objects.select_related("department", "lead_department", "institution", "attachment")
    return rows.select_for_update(of=("self",), no_key=True).get(pk=result.pk)


def _require_transition(result: OwnResult, to: OwnResultState) -> None:
    if to not in OWN_RESULT_TRANSITIONS[OwnResultState(result.state)]:
        raise DomainError(f"该结果{result.get_state_display()}，不能改为“{to.label}”。")


def _decide(result: OwnResult, to: OwnResultState, actor: User) -> OwnResult:
    result = _locked(result)
    require_role(actor, CLERKS, result.lead_department)
    _require_transition(result, to)
    result.state, result.decided_by, result.decided_at = to, actor, timezone.now()
    return result


def _write(
    result: OwnResult,
    number: str,
    institution: Institution,
    checked_on: date,
    items: list[CheckItem],
    outcome: Outcome,
    summary: str,
    on_site: bool,
    attachment: UploadedFile | None,
) -> None:
    number, summary, problems = number.strip(), summary.strip(), {}
    taken = OwnResult.objects.filter(department=result.department, number=number).exclude(pk=result.pk)
    if not number:
        problems["number"] = "请填写本部门系统中的检查编号。"
    elif taken.exists():
        problems["number"] = f"检查编号“{number}”已经报备过。"
    if checked_on > timezone.localdate():
        problems["checked_on"] = "检查日期不能晚于今天。"
    if not items:
        problems["items"] = "请至少选择一项检查事项。"
    elif any(item.department_id != result.department.pk for item in items):
        problems["items"] = "只能选择本部门的检查事项。"
    if outcome == Outcome.PROBLEMS and not summary:
        problems["summary"] = "发现问题的，请说明情况。"
    if problems:
        raise DomainError("".join(problems.values()), fields=problems)
    result.number, result.institution, result.checked_on = number, institution, checked_on
    result.outcome, result.summary, result.on_site = outcome, summary, on_site
    if attachment:
        result.attachment = store_document(attachment)
    result.save()
    result.items.set(items)


def _file(result: OwnResult, actor: User) -> None:
    payload = {
        "number_digest": digest_text(result.number),
        "visited_on": result.checked_on.isoformat(),
        "on_site": result.on_site,
        "outcome": result.outcome,
        "checked_items": sorted(result.items.values_list("pk", flat=True)),
        "summary": digest_text(result.summary),
        "attachment": result.attachment.digest if result.attachment else "",
    }
    _append(result, Event.OWN_RESULT_FILED, payload, actor, result.department)
    departments.notify(
        result.lead_department,
        f"{result.department.short_name}报备“{result.institution.name}”的检查结果，请确认。",
        subject=result.subject,
        roles=CLERKS,
    )


def _append(result: OwnResult, event: Event, payload: dict, actor: User, department: Department) -> None:
    ledger.append(
        result.institution.subject,
        event,
        {"own_result": result.pk, **payload},
        actor=actor.key,
        department=department.key,
    )


def _tell(result: OwnResult, text: str, kind: NotificationKind = NotificationKind.WORK) -> None:
    departments.notify(result.department, text, subject=result.subject, roles=CLERKS, kind=kind)
