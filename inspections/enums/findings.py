"""问题、整改、移送."""

from django.db import models


class Severity(models.TextChoices):
    GENERAL = "GENERAL", "一般"
    MAJOR = "MAJOR", "重大"


class Disposition(models.TextChoices):
    CORRECTED = "CORRECTED", "当场改正"
    RECTIFICATION = "RECTIFICATION", "限期整改"
    REFERRAL = "REFERRAL", "移送处罚"


class FindingState(models.TextChoices):
    """PENDING until the form is submitted; then what became of the problem."""

    PENDING = "PENDING", "待提交"
    CORRECTED = "CORRECTED", "已当场改正"
    RECTIFYING = "RECTIFYING", "整改中"
    RECTIFIED = "RECTIFIED", "整改完成"
    REFERRED = "REFERRED", "已移送"
    RETURNED = "RETURNED", "移送被退回"
    CLOSED = "CLOSED", "已办结"


FINDING_TRANSITIONS = {
    FindingState.PENDING: {FindingState.CORRECTED, FindingState.RECTIFYING, FindingState.REFERRED},
    FindingState.CORRECTED: set(),
    FindingState.RECTIFYING: {FindingState.RECTIFIED, FindingState.REFERRED},
    FindingState.RECTIFIED: set(),
    FindingState.REFERRED: {FindingState.RETURNED, FindingState.CLOSED},
    FindingState.RETURNED: {FindingState.REFERRED, FindingState.RECTIFYING, FindingState.CLOSED},
    FindingState.CLOSED: set(),
}


class RectificationState(models.TextChoices):
    ORDERED = "ORDERED", "待整改"
    ACCEPTED = "ACCEPTED", "复查通过"
    FAILED = "FAILED", "逾期或复查未通过"


RECTIFICATION_TRANSITIONS = {
    RectificationState.ORDERED: {RectificationState.ACCEPTED, RectificationState.FAILED},
    # A failed rectification gets a new term, or goes on as a referral.
    RectificationState.FAILED: {RectificationState.ORDERED},
    RectificationState.ACCEPTED: set(),
}


class ReferralRoute(models.TextChoices):
    DEPARTMENT = "DEPARTMENT", "矩阵所列部门"
    DELEGATED_TOWN = "DELEGATED_TOWN", "承接处罚权的镇街"
    FALLBACK = "FALLBACK", "未赋权，回检查部门"


class ReferralState(models.TextChoices):
    SENT = "SENT", "待接收"
    TAKEN_UP = "TAKEN_UP", "办理中"
    RETURNED = "RETURNED", "已退回"
    CLOSED = "CLOSED", "已办结"


REFERRAL_TRANSITIONS = {
    ReferralState.SENT: {ReferralState.TAKEN_UP, ReferralState.RETURNED},
    ReferralState.TAKEN_UP: {ReferralState.CLOSED},
    ReferralState.RETURNED: set(),
    ReferralState.CLOSED: set(),
}
