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
# 三权分立 (等保三级，law.md §8): who configures, who gives rights and who reads the trail are three people.
SEPARATE_ROLES = [Role.SYSTEM_ADMIN, Role.SECURITY_ADMIN, Role.AUDITOR]


class AliasOrigin(models.TextChoices):
    """Where another name of a department comes from."""

    REGISTERED = "REGISTERED", "登记"
    LEARNT = "LEARNT", "导入时确认"
    FORMER = "FORMER", "曾用名"


class Absence(models.TextChoices):
    """Why an officer cannot be sent although the certificate is valid."""

    LEAVE = "LEAVE", "离岗"
    RESIGNED = "RESIGNED", "离职"
    TRANSFERRED = "TRANSFERRED", "调离"


class Warned(models.TextChoices):
    """What an officer was told about a certificate; each once for each certificate."""

    EXPIRING = "EXPIRING", "即将到期"
    EXPIRED = "EXPIRED", "已过期"


class Validity(models.TextChoices):
    """What an officer's certificate is worth on a day."""

    VALID = "VALID", "有效"
    EXPIRING = "EXPIRING", "即将到期"
    EXPIRED = "EXPIRED", "已过期"
    NOT_YET = "NOT_YET", "未生效"
    OFF_DUTY = "OFF_DUTY", "不在岗"


class NotificationKind(models.TextChoices):
    WORK = "WORK", "待办"
    NEWS = "NEWS", "进展"


class Event(models.TextChoices):
    """Kinds of ledger entries on the chain of an account (`account:12`), a department (`department:minzheng`), or
    the register of officers (`register:officers`)."""

    CREATED = "account.created", "建立账号"
    CHANGED = "account.changed", "变更账号信息"
    APPOINTED = "account.appointed", "授予岗位"
    DISMISSED = "account.dismissed", "撤销岗位"
    CERTIFIED = "account.certified", "登记执法证"
    DEACTIVATED = "account.deactivated", "停用账号"
    REACTIVATED = "account.reactivated", "启用账号"
    PASSWORD_RESET = "account.password_reset", "重置密码"
    PASSWORD_CHANGED = "account.password_changed", "修改密码"
    SECTORS_SET = "account.sectors_set", "设定可检查条线"
    WENT_OFF_DUTY = "account.off_duty", "登记不在岗"
    BACK_ON_DUTY = "account.back_on_duty", "恢复在岗"
    OFFICERS_IMPORTED = "officers.imported", "导入执法人员"
    DEPARTMENT_CREATED = "department.created", "登记部门"
    DEPARTMENT_CHANGED = "department.changed", "变更部门信息"
    ALIAS_ADDED = "department.alias_added", "登记部门别名"
    ALIAS_REMOVED = "department.alias_removed", "删除部门别名"
