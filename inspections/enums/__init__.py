"""States, kinds and transition tables of inspections, by noun."""

from inspections.enums.draws import DRAW_TRANSITIONS, DrawState, StratifyBy
from inspections.enums.events import Event
from inspections.enums.findings import (
    FINDING_TRANSITIONS,
    RECTIFICATION_TRANSITIONS,
    REFERRAL_TRANSITIONS,
    Disposition,
    FindingState,
    RectificationState,
    ReferralRoute,
    ReferralState,
    Severity,
)
from inspections.enums.kinds import (
    BEYOND_THE_CAP,
    INSPECTION_TRANSITIONS,
    KIND_RULES,
    UNANNOUNCED,
    Cause,
    InspectionKind,
    InspectionState,
    KindRule,
)
from inspections.enums.participation import (
    ABSTAINING,
    ANSWERS,
    PARTICIPATION_TRANSITIONS,
    UNANSWERED,
    ParticipationState,
    RequestState,
    ScopeSource,
    SilenceRule,
)
from inspections.enums.results import OWN_RESULT_TRANSITIONS, Outcome, OwnResultState, RoundState
from inspections.enums.tasks import TASK_TRANSITIONS, AnswerValue, SignerKind, TaskState

__all__ = [
    "ABSTAINING",
    "ANSWERS",
    "BEYOND_THE_CAP",
    "DRAW_TRANSITIONS",
    "FINDING_TRANSITIONS",
    "INSPECTION_TRANSITIONS",
    "KIND_RULES",
    "OWN_RESULT_TRANSITIONS",
    "PARTICIPATION_TRANSITIONS",
    "RECTIFICATION_TRANSITIONS",
    "REFERRAL_TRANSITIONS",
    "TASK_TRANSITIONS",
    "UNANNOUNCED",
    "UNANSWERED",
    "AnswerValue",
    "Cause",
    "Disposition",
    "DrawState",
    "Event",
    "FindingState",
    "InspectionKind",
    "InspectionState",
    "KindRule",
    "Outcome",
    "OwnResultState",
    "ParticipationState",
    "RectificationState",
    "ReferralRoute",
    "ReferralState",
    "RequestState",
    "RoundState",
    "ScopeSource",
    "Severity",
    "SignerKind",
    "SilenceRule",
    "StratifyBy",
    "TaskState",
]
