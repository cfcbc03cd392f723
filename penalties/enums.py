from django.db import models


class CaseState(models.TextChoices):
    FILED = "FILED", "已立案"
    LEGAL_REVIEW = "LEGAL_REVIEW", "法制审核中"
    DECIDED = "DECIDED", "已决定"
    SERVED = "SERVED", "已送达"
    CLOSED = "CLOSED", "已结案"


# 法制审核 gives the case back to its handler either way; PenaltyCase.legal_review tells with what result.
CASE_TRANSITIONS = {
    CaseState.FILED: {CaseState.LEGAL_REVIEW, CaseState.DECIDED},
    CaseState.LEGAL_REVIEW: {CaseState.FILED},
    CaseState.DECIDED: {CaseState.SERVED},
    CaseState.SERVED: {CaseState.CLOSED},
    CaseState.CLOSED: set(),
}


class Decision(models.TextChoices):
    """处罚种类（处罚法9条），外加不予处罚（33条）"""

    WARNING = "WARNING", "警告"
    CRITICISM = "CRITICISM", "通报批评"
    FINE = "FINE", "罚款"
    WARNING_AND_FINE = "WARNING_AND_FINE", "警告并处罚款"
    SUSPENSION = "SUSPENSION", "责令停产停业"
    NOT_PUNISHED = "NOT_PUNISHED", "不予处罚"


# Decisions with an amount of money.
FINING = (Decision.FINE, Decision.WARNING_AND_FINE)


class LegalReview(models.TextChoices):
    """法制审核（处罚法58条）"""

    NOT_REQUIRED = "NOT_REQUIRED", "无需法制审核"
    REQUIRED = "REQUIRED", "须法制审核"
    PASSED = "PASSED", "法制审核通过"
    REJECTED = "REJECTED", "法制审核未通过"


class Event(models.TextChoices):
    """Kinds of ledger entries on the institution's chain this app writes."""

    FILED = "penalty.filed", "立案"
    DRAFTED = "penalty.drafted", "拟定处罚"
    REVIEW_REQUESTED = "penalty.review_requested", "提请法制审核"
    REVIEWED = "penalty.reviewed", "法制审核"
    DECIDED = "penalty.decided", "作出处罚决定"
    SERVED = "penalty.served", "送达"
    PAID = "penalty.paid", "缴款"
    CLOSED = "penalty.closed", "结案"
