from django.db import models


class DepartmentKind(models.TextChoices):
    BUREAU = "BUREAU", "市级部门"
    TOWN = "TOWN", "镇街"


class Role(models.TextChoices):
    """岗位. The first six are held in a department, the last four across all."""

    HANDLER = "HANDLER", "经办"
    REVIEWER = "REVIEWER", "审核"
    HEAD = "HEAD", "负责人"
    LEGAL_REVIEWER = "LEGAL_REVIEWER", "法制审核"
    DEPARTMENT_ADMIN = "DEPARTMENT_ADMIN", "部门管理员"
    OFFICER = "OFFICER", "执法人员"
    SYSTEM_ADMIN = "SYSTEM_ADMIN", "系统管理员"
    SECURITY_ADMIN = "SECURITY_ADMIN", "安全管理员"
    AUDITOR = "AUDITOR", "审计管理员"
    INSPECTORATE = "INSPECTORATE", "督查"


GLOBAL_ROLES = [Role.SYSTEM_ADMIN, Role.SECURITY_ADMIN, Role.AUDITOR, Role.INSPECTORATE]
# They look at everything and change nothing.
OVERSEEING_ROLES = [Role.AUDITOR, Role.INSPECTORATE]


class NotificationKind(models.TextChoices):
    WORK = "WORK", "待办"
    NEWS = "NEWS", "进展"
