"""Kinds of joint inspection with the rule of each, and the way one goes."""

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
