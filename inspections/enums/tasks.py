"""The one form: its states, answers and signers."""

from django.db import models


class TaskState(models.TextChoices):
    ASSIGNED = "ASSIGNED", "待检查"
    UNDER_WAY = "UNDER_WAY", "检查中"
    SUBMITTED = "SUBMITTED", "已提交"
    CANCELLED = "CANCELLED", "已取消"


TASK_TRANSITIONS = {
    TaskState.ASSIGNED: {TaskState.UNDER_WAY, TaskState.CANCELLED},
    TaskState.UNDER_WAY: {TaskState.SUBMITTED, TaskState.CANCELLED},
    TaskState.SUBMITTED: set(),
    TaskState.CANCELLED: set(),
}


class AnswerValue(models.TextChoices):
    COMPLIANT = "COMPLIANT", "符合"
    NON_COMPLIANT = "NON_COMPLIANT", "不符合"
    NOT_APPLICABLE = "NOT_APPLICABLE", "不适用"


class SignerKind(models.TextChoices):
    OFFICER = "OFFICER", "执法人员"
    INSTITUTION = "INSTITUTION", "机构代表"
