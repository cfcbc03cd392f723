from django.db import models


class InstitutionKind(models.TextChoices):
    """Types a census of elderly-care institutions counts (浙江《养老机构综合监管》任务1)."""

    PUBLIC_HOME = "PUBLIC_HOME", "公办养老机构"
    PRIVATE_HOME = "PRIVATE_HOME", "民办养老机构"
    PUBLIC_BUILT_PRIVATE_RUN = "PUBLIC_BUILT_PRIVATE_RUN", "公建民营养老机构"
    COMMUNITY_CENTER = "COMMUNITY_CENTER", "街道/乡镇社区服务中心（综合养老功能）"
    DAY_CARE = "DAY_CARE", "社区日间照料室"
    DESTITUTE_SUPPORT = "DESTITUTE_SUPPORT", "特困人员供养服务设施（敬老院）"
    RURAL_HAPPY_HOME = "RURAL_HAPPY_HOME", "农村幸福院"
    MEAL_POINT = "MEAL_POINT", "老年人助餐点"
    FILED_ORGANISATION = "FILED_ORGANISATION", "登记并备案的企事业单位、社会服务机构"
    UNFILED_ORGANISATION = "UNFILED_ORGANISATION", "登记未备案但经营范围含养老服务的企事业单位、社会服务机构"


class Feature(models.TextChoices):
    """What an institution has, and so which check items apply to it."""

    CANTEEN = "CANTEEN", "设有食堂"
    SPECIAL_EQUIPMENT = "SPECIAL_EQUIPMENT", "有特种设备"
    TRAINING_SCHOOL = "TRAINING_SCHOOL", "举办职业培训学校"
    CONSTRUCTION = "CONSTRUCTION", "有建设项目"
    SUBSIDY = "SUBSIDY", "领取补助资金"
    MEDICAL_UNIT = "MEDICAL_UNIT", "内设医疗机构"
    KEY_FIRE_UNIT = "KEY_FIRE_UNIT", "消防安全重点单位"


class LegalForm(models.TextChoices):
    """What kind of legal person runs it; decides where it registers (养老机构管理办法第9、10条)."""

    PUBLIC_INSTITUTION = "PUBLIC_INSTITUTION", "事业单位"
    SOCIAL_SERVICE = "SOCIAL_SERVICE", "社会服务机构（民办非企业单位）"
    COMPANY = "COMPANY", "企业"
    SELF_EMPLOYED = "SELF_EMPLOYED", "个体工商户"
    COLLECTIVE = "COLLECTIVE", "村（居）集体组织"
    OTHER = "OTHER", "其他"


class FireApproval(models.TextChoices):
    """消防审验手续 (requirements G9, 本溪评估指标4.9)."""

    ACCEPTED = "ACCEPTED", "已通过消防验收"
    FILED = "FILED", "已办理消防备案"
    NOT_REQUIRED = "NOT_REQUIRED", "限额以下无需办理"
    MISSING = "MISSING", "未办理"


class MedicalService(models.TextChoices):
    """How residents are cared for when ill."""

    IN_HOUSE = "IN_HOUSE", "内设医疗机构"
    CONTRACTED = "CONTRACTED", "与医疗机构签约"
    NEARBY = "NEARBY", "毗邻医疗机构"
    NONE = "NONE", "无"


class FilingState(models.TextChoices):
    FILED = "FILED", "已备案"
    NOT_FILED = "NOT_FILED", "未备案"
    NOT_REQUIRED = "NOT_REQUIRED", "无需备案"


class OperatingState(models.TextChoices):
    OPERATING = "OPERATING", "运营中"
    SUSPENDED = "SUSPENDED", "暂停运营"
    CLOSED = "CLOSED", "已终止"


class CreditClass(models.TextChoices):
    A = "A", "A（守信）"
    B = "B", "B（较好）"
    C = "C", "C（一般）"
    D = "D", "D（失信）"


class Event(models.TextChoices):
    """Kinds of ledger entries on an institution's chain that this app writes."""

    REGISTERED = "institution.registered", "登记入库"
    CHANGED = "institution.changed", "登记信息变更"
    STATE_CHANGED = "institution.state_changed", "运营状态变更"
    MERGED = "institution.merged", "并入其他登记"
    ABSORBED = "institution.absorbed", "并入临时登记"
    IMPORTED = "institution.imported", "导入机构名录"
    RECUSED = "institution.recused", "执法人员回避"
    RECUSAL_ENDED = "institution.recusal_ended", "撤销回避"


# A closed home may come back: a register must be correctable, and the reason stays on record.
TRANSITIONS = {
    OperatingState.OPERATING: [OperatingState.SUSPENDED, OperatingState.CLOSED],
    OperatingState.SUSPENDED: [OperatingState.OPERATING, OperatingState.CLOSED],
    OperatingState.CLOSED: [OperatingState.OPERATING],
}
