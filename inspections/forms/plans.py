"""年度联合抽查计划 as a clerk fills it in."""

from typing import Any

from django import forms
from django.utils import timezone

from departments.models import Department, User
from departments.permissions import CLERKS
from inspections.forms.launch import LAUNCHED_KINDS

MONTHS = [(month, f"{month}月") for month in range(1, 13)]


class PlanForm(forms.Form):
    lead_department = forms.ModelChoiceField(
        label="牵头部门", queryset=Department.objects.none(), empty_label=None
    )
    year = forms.TypedChoiceField(label="年度", coerce=int)
    name = forms.CharField(label="名称", max_length=128, error_messages={"required": "请填写计划名称。"})

    def __init__(self, data: Any = None, *, user: User):
        super().__init__(data)
        leads, this_year = user.departments_as(*CLERKS), timezone.localdate().year
        self.fields["lead_department"].queryset = Department.objects.filter(pk__in=[one.pk for one in leads])
        if len(leads) == 1:
            self.fields["lead_department"].widget = forms.HiddenInput()
            self.fields["lead_department"].initial = leads[0]
        self.fields["year"].choices = [(year, f"{year}年") for year in (this_year, this_year + 1)]
        self.fields["name"].initial = f"{this_year}年度养老机构联合抽查计划"


class RoundForm(forms.Form):
    name = forms.CharField(
        label="轮次名称",
        max_length=128,
        widget=forms.TextInput(attrs={"placeholder": "如：第二季度联合抽查"}),
        error_messages={"required": "请填写轮次名称。"},
    )
    month_from = forms.TypedChoiceField(label="开始月份", choices=MONTHS, coerce=int)
    month_until = forms.TypedChoiceField(label="结束月份", choices=MONTHS, coerce=int)
    kind = forms.ChoiceField(label="检查类型", choices=LAUNCHED_KINDS)
    scope = forms.CharField(
        label="检查范围",
        max_length=300,
        widget=forms.TextInput(attrs={"placeholder": "如：全部在营养老机构"}),
        error_messages={"required": "请填写检查范围。"},
    )
    rule = forms.CharField(
        label="抽查比例和频次",
        max_length=300,
        required=False,
        widget=forms.TextInput(attrs={"placeholder": "如：40%，信用等级 D 的全部检查"}),
    )
