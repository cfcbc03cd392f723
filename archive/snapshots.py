"""What is published of a visit or of a penalty: a copy in neutral words, made once.

Never in it: telephone numbers, persons' names, the free text of a finding or of the facts of a case.
"""

from typing import Any

from django.utils import timezone

from archive.masking import mask
from inspections.enums import AnswerValue, Disposition, FindingState, Severity
from inspections.models import Task
from institutions.models import Institution
from penalties.models import PenaltyCase


def task_content(task: Task) -> dict[str, Any]:
    """The visit's result: which items were looked at with what result, and which problems were found."""
    inspections = [origin.joint_inspection for origin in task.origins.select_related("joint_inspection")]
    items = list(task.items.select_related("department", "item").order_by("department__order", "item"))
    findings = (
        task.findings.exclude(state=FindingState.PENDING)
        .select_related("department", "row__item")
        .order_by("row__position")
    )
    names = _names(task.institution)
    return _institution(task.institution) | {
        "kind": "task",
        "inspections": [mask(inspection.name, names) for inspection in inspections],
        "checked_on": timezone.localdate(task.submitted_at).isoformat(),
        "departments": list(dict.fromkeys(item.department.name for item in items)),
        "items": [
            {
                "name": item.item.name,
                "department": item.department.short_name,
                "value": item.value,
                "result": AnswerValue(item.value).label,
            }
            for item in items
        ],
        "findings": [
            {
                "item": finding.row.check_text,
                "department": finding.department.short_name,
                "severity": Severity(finding.severity).label,
                "disposition": Disposition(finding.disposition).label,
            }
            for finding in findings
        ],
    }


def case_content(case: PenaltyCase) -> dict[str, Any]:
    """The penalty decision: number, organ, ground, kind, amount and date."""
    penalty = case.referral.finding.row.penalty_text
    people = [user.name for user in (case.filed_by, case.drafted_by, case.reviewed_by) if user]
    return _institution(case.institution) | {
        "kind": "case",
        "number": case.number,
        "department": case.department.name,
        "penalty_item": penalty,
        "basis": mask(case.basis, [*_names(case.institution), *people]),
        "decision": case.get_decision_display(),
        "fine_amount": "" if case.fine_amount is None else f"{case.fine_amount:.2f}",
        "decided_on": case.decided_on.isoformat(),
    }


def _institution(institution: Institution) -> dict[str, str]:
    return {"institution": institution.name, "uscc": institution.uscc or "", "town": institution.town.name}


def _names(institution: Institution) -> list[str]:
    return [institution.contact_name, institution.legal_representative]
