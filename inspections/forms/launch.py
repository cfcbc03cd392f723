"""What a clerk fills in to launch a joint inspection, and the filter of the list."""

from datetime import date, datetime, time, timedelta
from typing import Any

from django import forms
from django.db.models import Q, QuerySet
from django.utils import timezone

from core.forms import DayField, MomentField
from core.workdays import add_workdays
from departments.models import Department, User
from departments.permissions import CLERKS
from inspections.enums import Cause, InspectionKind, InspectionState, ScopeSource, SilenceRule
from inspections.models import JointInspection, PlanRound
from scenarios.enums import VersionState
from scenarios.models import ScenarioVersion

# 勾选期限的默认值：三个工作日后下班前；检查窗口其后三十天（可改）
TICK_WORKDAYS = 3
WINDOW_DAYS = 30
# A call for help has a page of its own.
LAUNCHED_KINDS = [choice for choice in InspectionKind.choices if choice[0] != InspectionKind.ASSIST]


class VersionsField(forms.ModelMultipleChoiceField):
    """Published versions in force, named with the day they took effect."""

    def label_from_instance(self, version: ScenarioVersion) -> str:
        return f"{version}（{version.effective_from} 起施行）"


class LaunchForm(forms.Form):
    """The plan of a joint inspection; whom it concerns is InstitutionScopeForm's business."""

    lead_department = forms.ModelChoiceField(
        label="牵头部门", queryset=Department.objects.none(), empty_label=None
    )
    name = forms.CharField(
        label="名称",
        max_length=128,
        widget=forms.TextInput(attrs={"placeholder": "如：2026年第二季度养老机构联合检查"}),
    )
    kind = forms.ChoiceField(label="检查类型", choices=LAUNCHED_KINDS, widget=forms.RadioSelect)
    cause = forms.ChoiceField(
        label="任务来源", choices=Cause.choices, widget=forms.RadioSelect, required=False
    )
    versions = VersionsField(
        label="一件事主题",
        queryset=ScenarioVersion.objects.none(),
        widget=forms.CheckboxSelectMultiple,
        help_text="事项以所选版本发布时为准，以后的新版本不影响本次检查。",
        error_messages={"required": "请至少选择一个已发布的版本。"},
    )
    purpose = forms.CharField(
        label="说明", required=False, max_length=2000, widget=forms.Textarea(attrs={"rows": 3})
    )
    window_from = DayField(label="检查开始日期")
    window_until = DayField(label="检查截止日期")
    tick_deadline = MomentField(label="勾选截止时间", help_text="到时自动截止；之前可提前截止，也可延长。")
    silence_rule = forms.ChoiceField(
        label="逾期未答复的部门",
        choices=SilenceRule.choices,
        widget=forms.RadioSelect,
        help_text="必查事项由各部门在事项库中标明；逾期未答复的，同时告知该部门负责人。",
    )
    scope_mode = forms.ChoiceField(
        label="选择方式",
        choices=[(ScopeSource.FILTER, "按条件，可另外手工添加"), (ScopeSource.HAND, "只检查手工选择的机构")],
        widget=forms.RadioSelect,
    )

    def __init__(
        self,
        *args: Any,
        user: User,
        inspection: JointInspection | None = None,
        plan_round: PlanRound | None = None,
        **kwargs: Any,
    ):
        leads = [inspection.lead_department] if inspection else user.departments_as(*CLERKS)
        versions = published_versions()
        first = plan_of(inspection) if inspection else default_plan(leads[0], versions)
        if plan_round:
            first |= plan_of_round(plan_round)
        super().__init__(*args, initial={**first, **kwargs.pop("initial", {})}, **kwargs)
        self.fields["lead_department"].queryset = Department.objects.filter(pk__in=[d.pk for d in leads])
        self.fields["versions"].queryset = versions
        if len(leads) == 1:
            self.fields["lead_department"].widget = forms.HiddenInput()

    def clean_cause(self) -> Cause:
        """A client that says nothing of it plans as ever."""
        return Cause(self.cleaned_data["cause"] or Cause.PLAN)

    def plan(self) -> dict[str, Any]:
        """The keyword arguments of `launch.launch` and `launch.change` this form answers for."""
        names = (
            "name",
            "kind",
            "cause",
            "versions",
            "purpose",
            "window_from",
            "window_until",
            "tick_deadline",
            "silence_rule",
        )
        return {name: self.cleaned_data[name] for name in names}


class ExtendForm(forms.Form):
    until = MomentField(label="新的截止时间")


class InspectionFilterForm(forms.Form):
    """Which joint inspections: `InspectionFilterForm(request.GET).filter(queryset)`."""

    q = forms.CharField(
        label="关键词",
        required=False,
        max_length=100,
        widget=forms.TextInput(attrs={"type": "search", "placeholder": "名称或编号"}),
    )
    state = forms.ChoiceField(label="状态", required=False)
    kind = forms.ChoiceField(label="检查类型", required=False)
    lead = forms.ModelChoiceField(
        label="牵头部门", required=False, queryset=Department.objects.none(), empty_label="全部"
    )

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.fields["state"].choices = [("", "全部"), *InspectionState.choices]
        self.fields["kind"].choices = [("", "全部"), *InspectionKind.choices]
        self.fields["lead"].queryset = Department.objects.all()

    def filter(self, queryset: QuerySet[JointInspection]) -> QuerySet[JointInspection]:
        """The joint inspections meant; none when a value is not known."""
        if not self.is_valid():
            return queryset.none()
        chosen = self.cleaned_data
        for word in chosen["q"].split():
            queryset = queryset.filter(Q(name__icontains=word) | Q(number__icontains=word))
        wanted = {"state": chosen["state"], "kind": chosen["kind"], "lead_department": chosen["lead"]}
        return queryset.filter(**{name: value for name, value in wanted.items() if value})


def published_versions() -> QuerySet[ScenarioVersion]:
    """What may be launched on today."""
    return ScenarioVersion.objects.filter(
        state=VersionState.PUBLISHED, effective_from__lte=timezone.localdate()
    ).select_related("scenario")


def default_plan(lead: Department, versions: QuerySet[ScenarioVersion]) -> dict[str, Any]:
    """A plan one could launch as it is: the department's own scenario, three working days to tick."""
    today = timezone.localdate()
    last_tick_day = add_workdays(today, TICK_WORKDAYS)
    start = add_workdays(last_tick_day, 1)
    every = list(versions)
    own = [version for version in every if version.scenario.lead_department_id == lead.pk]
    return {
        "lead_department": lead,
        "kind": InspectionKind.DAILY,
        "cause": Cause.PLAN,
        "versions": own or (every if len(every) == 1 else []),
        "window_from": start,
        "window_until": start + timedelta(days=WINDOW_DAYS),
        "tick_deadline": end_of_work(last_tick_day),
        "silence_rule": SilenceRule.NONE,
        "scope_mode": ScopeSource.FILTER,
    }


def plan_of_round(planned: PlanRound) -> dict[str, Any]:
    """What a round of the yearly plan says of the joint inspection launched for it."""
    today = timezone.localdate()
    window = {}
    if planned.last_day >= today:
        start = add_workdays(add_workdays(today, TICK_WORKDAYS), 1)
        window = {"window_from": max(planned.first_day, start), "window_until": max(planned.last_day, start)}
    purpose = "；".join(part for part in (planned.scope, planned.rule) if part)
    return {"name": planned.name, "kind": planned.kind, "purpose": purpose, **window}


def plan_of(inspection: JointInspection) -> dict[str, Any]:
    """A draft as the form shows it again."""
    names = (
        "lead_department",
        "name",
        "kind",
        "cause",
        "purpose",
        "window_from",
        "window_until",
        "tick_deadline",
        "silence_rule",
    )
    filtered = inspection.candidates.filter(source=ScopeSource.FILTER).exists()
    return {
        **{name: getattr(inspection, name) for name in names},
        "versions": list(inspection.versions.all()),
        "scope_mode": ScopeSource.FILTER if filtered or inspection.scope_filter else ScopeSource.HAND,
    }


def later_deadline(inspection: JointInspection) -> datetime:
    """What 延长 offers: the end of the next working day, within the window."""
    last = max(timezone.localdate(), timezone.localdate(inspection.tick_deadline))
    return end_of_work(min(add_workdays(last, 1), inspection.window_until))


def end_of_work(day: date) -> datetime:
    """17:00 of that day."""
    return timezone.make_aware(datetime.combine(day, time(17)))
