"""情况紧急: a check goes out before the 负责人 approved it, with the reason and a clock (law.md §3)."""

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from core.digests import digest_text
from core.errors import DomainError
from core.workdays import add_workdays
from departments import services as departments
from departments.enums import Role
from departments.models import User
from inspections import permissions
from inspections.enums import Event, InspectionState
from inspections.models import JointInspection
from inspections.services.launch import locked, require_ready, send_out
from inspections.services.participation import append


@transaction.atomic
def send_in_emergency(inspection: JointInspection, *, reason: str, actor: User) -> JointInspection:
    """Tell the departments at once; the 负责人 approves within EMERGENCY_APPROVAL_WORKDAYS.

    Raises as `launch.submit_for_approval`, but neither cap nor overlap holds it up, and DomainError without
    a reason.
    """
    inspection = locked(inspection)
    permissions.require_leading(actor, inspection)
    if inspection.state not in (InspectionState.DRAFT, InspectionState.AWAITING_APPROVAL):
        raise DomainError(f"联合检查{inspection.get_state_display()}，不必紧急先行。")
    if not reason.strip():
        raise DomainError("请填写紧急情况。", fields={"reason": "请填写紧急情况。"})
    require_ready(inspection)
    inspection.state = InspectionState.TICKING
    inspection.emergency_reason = reason.strip()[:500]
    inspection.approval_due_on = add_workdays(timezone.localdate(), settings.EMERGENCY_APPROVAL_WORKDAYS)
    inspection.launched_by = inspection.launched_by or actor
    inspection.save(update_fields=["state", "emergency_reason", "approval_due_on", "launched_by"])
    payload = {
        "reason": digest_text(inspection.emergency_reason),
        "due_on": inspection.approval_due_on.isoformat(),
        **send_out(inspection),
    }
    append(inspection, Event.SENT_IN_EMERGENCY, payload, actor, inspection.lead_department)
    departments.notify(
        inspection.lead_department,
        f"联合检查“{inspection.name}”因情况紧急已先行实施，请于 {inspection.approval_due_on} 前补办审批。",
        subject=inspection.subject,
        roles=(Role.HEAD,),
    )
    return inspection


@transaction.atomic
def approve_afterwards(inspection: JointInspection, *, actor: User) -> JointInspection:
    """The 负责人 of the lead makes up for the approval, in time or late. Raises DomainError where none is due."""
    inspection = locked(inspection)
    permissions.require_approving(actor, inspection)
    if not inspection.awaits_approval_afterwards or inspection.state == InspectionState.CANCELLED:
        raise DomainError("该联合检查不需要补办审批。")
    inspection.approved_by, inspection.approved_at = actor, timezone.now()
    inspection.save(update_fields=["approved_by", "approved_at"])
    late = timezone.localdate() > inspection.approval_due_on
    payload = {"due_on": inspection.approval_due_on.isoformat(), "late": late}
    append(inspection, Event.APPROVED_AFTERWARDS, payload, actor, inspection.lead_department)
    return inspection
