"""Rounds of a plan, and results of departments' own systems."""

from django.db import models


class RoundState(models.TextChoices):
    """How far a round of a plan is; follows from the joint inspections launched for it."""

    PLANNED = "PLANNED", "未发起"
    LAUNCHED = "LAUNCHED", "已发起"
    DONE = "DONE", "已完成"


class OwnResultState(models.TextChoices):
    AWAITING = "AWAITING", "待确认"
    CONFIRMED = "CONFIRMED", "已备案"
    RETURNED = "RETURNED", "已退回"


OWN_RESULT_TRANSITIONS = {
    OwnResultState.AWAITING: {OwnResultState.CONFIRMED, OwnResultState.RETURNED},
    # Corrected, it is asked about again.
    OwnResultState.RETURNED: {OwnResultState.AWAITING},
    OwnResultState.CONFIRMED: set(),
}


class Outcome(models.TextChoices):
    CLEAN = "CLEAN", "未发现问题"
    PROBLEMS = "PROBLEMS", "发现问题"
