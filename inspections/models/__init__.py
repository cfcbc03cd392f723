"""Joint inspections, from launch to what became of each finding."""

from inspections.models.draws import (
    Draw,
    DrawContribution,
    DrawnInstitution,
    DrawRoster,
    RosterOfficer,
)
from inspections.models.findings import (
    Finding,
    Rectification,
    Referral,
    ReferralStep,
)
from inspections.models.launch import (
    Candidate,
    DueCheck,
    ItemRequest,
    JointInspection,
    JointInspectionGroupObjectPermission,
    JointInspectionUserObjectPermission,
    JointInspectionVersion,
    Participation,
    Tick,
    TickReminder,
)
from inspections.models.own_results import OwnResult
from inspections.models.plans import Plan, PlanRound
from inspections.models.tasks import (
    Answer,
    OfficerSwap,
    Photo,
    Signature,
    TakenOver,
    Task,
    TaskItem,
    TaskItemRow,
    TaskOfficer,
    TaskOrigin,
)

__all__ = [
    "Answer",
    "Candidate",
    "Draw",
    "DrawContribution",
    "DrawRoster",
    "DrawnInstitution",
    "DueCheck",
    "Finding",
    "ItemRequest",
    "JointInspection",
    "JointInspectionGroupObjectPermission",
    "JointInspectionUserObjectPermission",
    "JointInspectionVersion",
    "OfficerSwap",
    "OwnResult",
    "Participation",
    "Photo",
    "Plan",
    "PlanRound",
    "Rectification",
    "Referral",
    "ReferralStep",
    "RosterOfficer",
    "Signature",
    "TakenOver",
    "Task",
    "TaskItem",
    "TaskItemRow",
    "TaskOfficer",
    "TaskOrigin",
    "Tick",
    "TickReminder",
]
