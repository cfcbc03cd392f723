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


class ColumnRole(models.TextChoices):
    """What a column of a printed matrix says; OTHER is kept as printed and means nothing here."""

    NUMBER = "NUMBER", "序号"
    SITUATION = "SITUATION", "一件事情形"
    SECTOR = "SECTOR", "条线"
    CHECK = "CHECK", "检查事项"
    CHECK_DEPARTMENT = "CHECK_DEPARTMENT", "检查实施部门"
    PENALTY = "PENALTY", "处罚事项"
    PENALTY_DEPARTMENT = "PENALTY_DEPARTMENT", "处罚实施部门"
    PART = "PART", "发起/配合"
    PARTNERS = "PARTNERS", "配合部门"
    OBJECT = "OBJECT", "检查对象"
    CONTENT = "CONTENT", "检查内容"
    BASIS = "BASIS", "依据"
    METHOD = "METHOD", "检查方式"
    SAMPLING = "SAMPLING", "抽查比例和频次"
    PERIOD = "PERIOD", "检查时间"
    LEVEL = "LEVEL", "实施层级"
    CATEGORY = "CATEGORY", "事项类别"
    REMARK = "REMARK", "备注"
    OTHER = "OTHER", "其他（保留原文）"


# The seven columns of 晋政民〔2024〕75号, and of a version made by hand.
STANDARD_COLUMNS = (
    ColumnRole.NUMBER,
    ColumnRole.SITUATION,
    ColumnRole.SECTOR,
    ColumnRole.CHECK,
    ColumnRole.CHECK_DEPARTMENT,
    ColumnRole.PENALTY,
    ColumnRole.PENALTY_DEPARTMENT,
)


class RowPart(models.TextChoices):
    """Whether a row's department implements the check itself or joins another's (发起/配合)."""

    IMPLEMENTING = "IMPLEMENTING", "实施"
    PARTNER = "PARTNER", "配合"


class ParticipantState(models.TextChoices):
    """How a department came to take part in a scenario, or not."""

    NAMED = "NAMED", "清单列明"
    INVITED = "INVITED", "待答复"
    ACCEPTED = "ACCEPTED", "接受邀请"
    DECLINED = "DECLINED", "谢绝邀请"


PARTICIPANT_TRANSITIONS = {
    ParticipantState.NAMED: {ParticipantState.INVITED},
    ParticipantState.INVITED: {ParticipantState.ACCEPTED, ParticipantState.DECLINED},
    ParticipantState.ACCEPTED: {ParticipantState.DECLINED},
    ParticipantState.DECLINED: {ParticipantState.INVITED},
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


class DelegationAct(models.TextChoices):
    """Why an entry of a delegation was written."""

    GRANTED = "GRANTED", "登记"
    ENDED = "ENDED", "终止"
    PROLONGED = "PROLONGED", "延长"
    CORRECTED = "CORRECTED", "更正"
    CONFIRMED = "CONFIRMED", "归档确认书"
    WITHDRAWN = "WITHDRAWN", "撤销登记"


class DelegationMark(models.TextChoices):
    """Where a town stands with an item on a day."""

    HELD = "HELD", "承接"
    ENDING = "ENDING", "即将到期"
    COMING = "COMING", "将承接"
    PAST = "PAST", "已终止"
    NONE = "NONE", "未承接"


class GapKind(models.TextChoices):
    """What a matrix lacks before every problem it may find has somewhere to go."""

    NO_BODY = "NO_BODY", "检查事项没有处罚主体"
    NOBODY = "NOBODY", "处罚事项没有部门实施"
    NO_DELEGATION = "NO_DELEGATION", "镇街未承接赋权"
    REPEALED = "REPEALED", "依据已废止"
    UNVERIFIED = "UNVERIFIED", "依据待核"
    NO_CONTACT = "NO_CONTACT", "部门没有联系人"


class Event(models.TextChoices):
    """Kinds of ledger entries on a scenario's chain."""

    IMPORTED = "scenario.imported", "导入事项清单"
    DRAFTED = "scenario.drafted", "起草版本"
    DRAFT_EDITED = "scenario.draft_edited", "修改草稿"
    PUBLISHED = "scenario.published", "发布版本"
    RETIRED = "scenario.retired", "停用版本"
    DISCARDED = "scenario.discarded", "废弃草稿"
    DELEGATED = "scenario.delegated", "赋权"
    DELEGATION_ENDED = "scenario.delegation_ended", "终止赋权"
    DELEGATION_CHANGED = "scenario.delegation_changed", "变更赋权"
    DELEGATIONS_IMPORTED = "scenario.delegations_imported", "导入赋权清单"
    ITEM_CREATED = "scenario.item_created", "登记事项"
    ITEM_EDITED = "scenario.item_edited", "修改事项内容"
    ITEM_RETIRED = "scenario.item_retired", "停用事项"
    ITEM_RESTORED = "scenario.item_restored", "恢复事项"
    PARTICIPANT_INVITED = "scenario.participant_invited", "邀请参与"
    PARTICIPANT_ACCEPTED = "scenario.participant_accepted", "接受邀请"
    PARTICIPANT_DECLINED = "scenario.participant_declined", "谢绝邀请"
    PARTICIPANT_WITHDRAWN = "scenario.participant_withdrawn", "取消邀请"
    CONTACT_NAMED = "scenario.contact_named", "指定科室和联系人"
