"""Forms around a problem: the list's filter, re-check, a later day, sending it on."""

from typing import Any

from django import forms
from django.db.models import Q, QuerySet
from django.utils import timezone

from core.forms import DayField
from departments.models import Department
from inspections.enums import Disposition, FindingState, Severity
from inspections.forms.tasks import town_choices

STATES = [choice for choice in FindingState.choices if choice[0] != FindingState.PENDING]


class FindingFilterForm(forms.Form):
    """Which problems: `FindingFilterForm(request.GET).filter(queryset)`; an invalid filter shows everything."""

    q = forms.CharField(
        label="关键词",
        required=False,
        max_length=100,
        widget=forms.TextInput(attrs={"type": "search", "placeholder": "机构、处罚事项或事实"}),
    )
    state = forms.ChoiceField(label="状态", required=False, choices=[("", "全部"), *STATES])
    severity = forms.ChoiceField(label="严重程度", required=False, choices=[("", "全部"), *Severity.choices])
    disposition = forms.ChoiceField(
        label="处置", required=False, choices=[("", "全部"), *Disposition.choices]
    )
    department = forms.ChoiceField(label="检查部门", required=False)
    town = forms.ChoiceField(label="镇街", required=False)

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        departments = Department.objects.filter(town=None).values_list("code", "short_name")
        self.fields["department"].choices = [("", "全部"), *departments]
        self.fields["town"].choices = town_choices()

    def filter(self, queryset: QuerySet) -> QuerySet:
        if not self.is_valid():
            return queryset
        chosen = self.cleaned_data
        if word := chosen["q"].strip():
            queryset = queryset.filter(
                Q(institution__name__icontains=word)
                | Q(row__penalty_text__icontains=word)
                | Q(fact__icontains=word)
            )
        if chosen["department"]:
            queryset = queryset.filter(department__code=chosen["department"])
        if chosen["town"]:
            queryset = queryset.filter(institution__town__code=chosen["town"])
        for name in ("state", "severity", "disposition"):
            if chosen[name]:
                queryset = queryset.filter(**{name: chosen[name]})
        return queryset


class RecheckForm(forms.Form):
    accepted = forms.TypedChoiceField(
        label="复查结论",
        choices=[("yes", "整改完成"), ("no", "未完成整改")],
        coerce=lambda value: value == "yes",
        widget=forms.RadioSelect,
        error_messages={"required": "请选择复查结论。"},
    )
    result = forms.CharField(
        label="复查情况",
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": "请写明复查看到的情况。"},
    )
    checked_on = DayField(
        label="复查日期",
        initial=timezone.localdate,
        error_messages={"required": "请填写复查日期。"},
    )


class ExtendForm(forms.Form):
    due_on = DayField(label="新的整改期限", error_messages={"required": "请填写新的整改期限。"})


class SendOnForm(forms.Form):
    """Where a problem goes next; empty means where the matrix says."""

    to_department = forms.ModelChoiceField(
        label="移送至", queryset=Department.objects.all(), required=False, empty_label="按事项矩阵和赋权确定"
    )
