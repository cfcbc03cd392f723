from django.db import models


class VersionState(models.TextChoices):
    DRAFT = "DRAFT", "草稿"
    PUBLISHED = "PUBLISHED", "已发布"
    RETIRED = "RETIRED", "已停用"


VERSION_TRANSITIONS = {
    VersionState.DRAFT: {VersionState.PUBLISHED},
    VersionState.PUBLISHED: {VersionState.RETIRED},
    VersionState.RETIRED: set(),
}


class BasisState(models.TextChoices):
    CURRENT = "CURRENT", "现行"
    REPEALED = "REPEALED", "已废止"
    UNVERIFIED = "UNVERIFIED", "依据待核"


class PenaltyBodyKind(models.TextChoices):
    """Who implements a row's penalty: one department, or the town the institution stands in."""

    DEPARTMENT = "DEPARTMENT", "部门"
    DELEGATED_TOWN = "DELEGATED_TOWN", "承接行政处罚权的乡镇（街道）"
    NONE = "NONE", "未列处罚"


class DelegationList(models.TextChoices):
    """赋权清单"""

    GENERAL = "GENERAL", "行政处罚权"
    FIRE = "FIRE", "消防行政处罚权"


class Event(models.TextChoices):
    """Kinds of ledger entries on a scenario's chain."""

    IMPORTED = "scenario.imported", "导入事项清单"
    PUBLISHED = "scenario.published", "发布版本"
    RETIRED = "scenario.retired", "停用版本"
    DISCARDED = "scenario.discarded", "废弃草稿"
    DELEGATED = "scenario.delegated", "赋权"
    DELEGATION_ENDED = "scenario.delegation_ended", "终止赋权"
    ITEM_EDITED = "scenario.item_edited", "修改事项内容"
