"""The matrix: item library, scenarios and their versions, delegations of penalty power to towns."""

from scenarios.models.delegations import Delegation
from scenarios.models.library import (
    CheckItem,
    CheckItemText,
    PenaltyItem,
    PenaltyItemText,
)
from scenarios.models.matrices import (
    ColumnLayout,
    MatrixRow,
    MatrixUpload,
    PublishedItem,
    PublishedPenalty,
    Scenario,
    ScenarioGroupObjectPermission,
    ScenarioUserObjectPermission,
    ScenarioVersion,
)
from scenarios.models.participants import ScenarioParticipant

__all__ = [
    "CheckItem",
    "CheckItemText",
    "ColumnLayout",
    "Delegation",
    "MatrixRow",
    "MatrixUpload",
    "PenaltyItem",
    "PenaltyItemText",
    "PublishedItem",
    "PublishedPenalty",
    "Scenario",
    "ScenarioGroupObjectPermission",
    "ScenarioParticipant",
    "ScenarioUserObjectPermission",
    "ScenarioVersion",
]
