"""抽取: what a rule may sort by, and the way a draw goes."""

from django.db import models


class StratifyBy(models.TextChoices):
    """What a sampling rule may sort institutions by (差异化监管)."""

    CREDIT_CLASS = "CREDIT_CLASS", "信用等级"
    KIND = "KIND", "机构类型"
    TOWN = "TOWN", "所属镇街"
    MAJOR_HAZARD = "MAJOR_HAZARD", "未办结的重大问题"


class DrawState(models.TextChoices):
    """COMMITTING and REVEALING only when departments give secrets; VOID when one was withheld."""

    COMMITTING = "COMMITTING", "征集秘密数"
    REVEALING = "REVEALING", "公开秘密数"
    DRAWN = "DRAWN", "已抽取"
    VOID = "VOID", "已作废"
    REPLACED = "REPLACED", "已批准重抽"


DRAW_TRANSITIONS = {
    # Nobody gave a secret: the portal's alone decides.
    DrawState.COMMITTING: {DrawState.REVEALING, DrawState.DRAWN, DrawState.VOID},
    DrawState.REVEALING: {DrawState.DRAWN, DrawState.VOID},
    DrawState.DRAWN: {DrawState.REPLACED},
    DrawState.VOID: set(),
    DrawState.REPLACED: set(),
}
