from dataclasses import dataclass

from django.db import models


class InspectionKind(models.TextChoices):
    DAILY = "DAILY", "日常检查（双随机）"
    SPECIAL = "SPECIAL", "专项检查"
    CASE = "CASE", "个案检查（投诉、线索）"
    FILED = "FILED", "备案后首次检查"
    UNFILED = "UNFILED", "未备案首次检查"
    SUBSIDY = "SUBSIDY", "季度补贴核查"
    ASSIST = "ASSIST", "协同检查"
    LISTED = "LISTED", "挂牌督办复查"


class Cause(models.TextChoices):
    """任务来源: why this inspection is held (行政检查文书的任务来源，law.md §6)."""

    PLAN = "PLAN", "年度计划或日常安排"
    COMPLAINT = "COMPLAINT", "投诉举报"
    CLUE = "CLUE", "问题线索"
    SUPERIOR = "SUPERIOR", "上级部署"


# Whatever stands behind them, these are not held up by the yearly cap (law.md §3).
BEYOND_THE_CAP = [Cause.COMPLAINT, Cause.CLUE, Cause.SUPERIOR]


@dataclass(frozen=True)
class KindRule:
    """What holds for a kind: is a 行政检查通知书 sent before, does a visit count towards the yearly cap, within
    how many working days is it due, must it answer 备案信息核实."""

    announced: bool
    counted: bool
    due_workdays: int | None = None
    asks_filing: bool = False

    @property
    def sentence(self) -> str:
        due = f"；{self.due_workdays} 个工作日内完成" if self.due_workdays else ""
        filing = "；须答复备案信息核实" if self.asks_filing else ""
        notice = "提前 3 个工作日通知" if self.announced else "不事先通知"
        return f"{notice}；{'计入' if self.counted else '不计入'}年度频次{due}{filing}"


# 养老机构行政检查办法: 日常、专项提前3个工作日通知，个案不得事先告知. Of the others it says nothing; unfiled homes and
# calls for help follow a clue, and so are treated as a 个案检查. 频次: 日常、个案、专项 (国办发〔2024〕54号).
# 20个工作日: 本溪评估指标2.5、2.6.
KIND_RULES = {
    InspectionKind.DAILY: KindRule(announced=True, counted=True),
    InspectionKind.SPECIAL: KindRule(announced=True, counted=True),
    InspectionKind.CASE: KindRule(announced=False, counted=True),
    InspectionKind.FILED: KindRule(announced=True, counted=False, due_workdays=20, asks_filing=True),
    InspectionKind.UNFILED: KindRule(announced=False, counted=False, due_workdays=20, asks_filing=True),
    InspectionKind.SUBSIDY: KindRule(announced=True, counted=False),
    InspectionKind.ASSIST: KindRule(announced=False, counted=False),
    InspectionKind.LISTED: KindRule(announced=True, counted=False),
}
# Nobody outside is told of these before they are over.
UNANNOUNCED = [kind for kind, rule in KIND_RULES.items() if not rule.announced]


class InspectionState(models.TextChoices):
    DRAFT = "DRAFT", "拟定中"
    AWAITING_APPROVAL = "AWAITING_APPROVAL", "待审批"
    TICKING = "TICKING", "勾选中"
    TICKING_CLOSED = "TICKING_CLOSED", "勾选已截止"
    GENERATING = "GENERATING", "生成任务中"
    UNDER_WAY = "UNDER_WAY", "检查中"
    COMPLETED = "COMPLETED", "已完成"
    CANCELLED = "CANCELLED", "已取消"


INSPECTION_TRANSITIONS = {
    InspectionState.DRAFT: {InspectionState.AWAITING_APPROVAL, InspectionState.CANCELLED},
    InspectionState.AWAITING_APPROVAL: {
        InspectionState.TICKING,
        InspectionState.DRAFT,
        InspectionState.CANCELLED,
    },
    InspectionState.TICKING: {InspectionState.TICKING_CLOSED, InspectionState.CANCELLED},
    InspectionState.TICKING_CLOSED: {
        InspectionState.TICKING,
        InspectionState.GENERATING,
        InspectionState.CANCELLED,
    },
    InspectionState.GENERATING: {InspectionState.UNDER_WAY},
    InspectionState.UNDER_WAY: {InspectionState.COMPLETED},
    InspectionState.COMPLETED: set(),
    InspectionState.CANCELLED: set(),
}


class ScopeSource(models.TextChoices):
    FILTER = "FILTER", "按条件"
    HAND = "HAND", "手工选择"


class SilenceRule(models.TextChoices):
    """What counts as ticked by a department that never answers; the lead chooses at launch."""

    NONE = "NONE", "不计任何事项"
    MANDATORY = "MANDATORY", "必查事项视为已勾选"


class ParticipationState(models.TextChoices):
    INVITED = "INVITED", "已通知"
    SEEN = "SEEN", "已查看"
    ANSWERED = "ANSWERED", "已勾选"
    OWN_SYSTEM = "OWN_SYSTEM", "使用自建系统"
    DECLINED = "DECLINED", "不参加"
    SILENT = "SILENT", "逾期未答复"


UNANSWERED = (ParticipationState.INVITED, ParticipationState.SEEN)
# They answered, and have nothing on the one form.
ABSTAINING = (ParticipationState.DECLINED, ParticipationState.OWN_SYSTEM)
ANSWERS = (ParticipationState.ANSWERED, *ABSTAINING)

PARTICIPATION_TRANSITIONS = {
    ParticipationState.INVITED: {
        ParticipationState.SEEN,
        *ANSWERS,
        ParticipationState.SILENT,
    },
    ParticipationState.SEEN: {*ANSWERS, ParticipationState.SILENT},
    ParticipationState.ANSWERED: set(ABSTAINING),
    ParticipationState.DECLINED: {ParticipationState.SEEN, ParticipationState.OWN_SYSTEM},
    ParticipationState.OWN_SYSTEM: {ParticipationState.SEEN, ParticipationState.DECLINED},
    # The lead may extend the deadline; the department is then asked again.
    ParticipationState.SILENT: {
        ParticipationState.INVITED,
        ParticipationState.SEEN,
        *ANSWERS,
    },
}


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


class RequestState(models.TextChoices):
    REQUESTED = "REQUESTED", "待答复"
    TICKED = "TICKED", "已勾选"
    REFUSED = "REFUSED", "未采纳"


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


class Event(models.TextChoices):
    """Kinds of ledger entries this app writes: to the joint inspection's chain, then the institution's."""

    PLAN_MADE = "plan.made", "建立年度计划"
    PLAN_ROUND_ADDED = "plan.round_added", "计划添加轮次"
    PLAN_ROUND_REMOVED = "plan.round_removed", "计划删除轮次"
    LAUNCHED = "inspection.launched", "发起联合检查"
    RESULT_TAKEN_OVER = "inspection.result_taken_over", "互认检查结果"
    SPENT_LEFT_OUT = "inspection.spent_left_out", "移出已达频次上限的机构"
    DUE_CHECK_OPENED = "inspection.due_check_opened", "自动拟定法定检查"
    CHANGED = "inspection.changed", "修改联合检查方案"
    SUBMITTED_FOR_APPROVAL = "inspection.submitted_for_approval", "提请审批"
    APPROVED = "inspection.approved", "审批通过"
    SENT_IN_EMERGENCY = "inspection.sent_in_emergency", "情况紧急先行实施"
    APPROVED_AFTERWARDS = "inspection.approved_afterwards", "补办审批"
    SENT_BACK = "inspection.sent_back", "审批退回"
    TICKED = "inspection.ticked", "勾选检查事项"
    REQUESTED = "inspection.requested", "提请其他部门事项"
    REQUEST_REFUSED = "inspection.request_refused", "不采纳提请"
    DECLINED = "inspection.declined", "部门不参加"
    OWN_SYSTEM = "inspection.own_system", "部门使用自建系统"
    REJOINED = "inspection.rejoined", "部门改为参加"
    REMINDED = "inspection.reminded", "催办勾选"
    LATE_ALLOWED = "inspection.late_allowed", "准许补勾"
    TICKING_CLOSED = "inspection.ticking_closed", "勾选截止"
    TICKING_EXTENDED = "inspection.ticking_extended", "延长勾选"
    ROSTER_FROZEN = "inspection.roster_frozen", "固定抽取名单"
    DRAW_COMMITTED = "inspection.draw_committed", "提交秘密数的承诺"
    DRAW_REVEALING = "inspection.draw_revealing", "开始公开秘密数"
    DRAW_REVEALED = "inspection.draw_revealed", "公开秘密数"
    DRAW_VOIDED = "inspection.draw_voided", "抽取作废"
    DRAW_REPLACED = "inspection.draw_replaced", "批准重新抽取"
    DRAWN = "inspection.drawn", "抽取机构"
    GENERATING = "inspection.generating", "开始生成任务"
    GENERATED = "inspection.generated", "任务生成完毕"
    COMPLETED = "inspection.completed", "联合检查完成"
    CANCELLED = "inspection.cancelled", "取消联合检查"
    TASK_CREATED = "task.created", "列入联合检查"
    OFFICER_SWAPPED = "task.officer_swapped", "更换执法人员"
    TASK_SUBMITTED = "task.submitted", "检查表单提交"
    OWN_RESULT_FILED = "own_result.filed", "自建系统结果报备"
    OWN_RESULT_CONFIRMED = "own_result.confirmed", "自建系统结果备案"
    OWN_RESULT_RETURNED = "own_result.returned", "退回自建系统结果"
    FOUND = "finding.found", "发现问题"
    RECTIFICATION_ORDERED = "rectification.ordered", "责令限期整改"
    RECTIFICATION_ACCEPTED = "rectification.accepted", "整改复查通过"
    RECTIFICATION_FAILED = "rectification.failed", "整改复查未通过"
    RECTIFICATION_EXTENDED = "rectification.extended", "延长整改期限"
    REFERRED = "referral.sent", "移送"
    REFERRAL_TAKEN_UP = "referral.taken_up", "接收移送"
    REFERRAL_RETURNED = "referral.returned", "退回移送"
    REFERRAL_CLOSED = "referral.closed", "移送办结"
