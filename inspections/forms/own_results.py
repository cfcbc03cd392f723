"""自建系统结果备案: what a department reports of a check made through its own platform."""

from typing import Any

from django import forms
from django.db.models import Q, QuerySet

from core.forms import DayField
from departments.models import User
from departments.permissions import CLERKS
from inspections.enums import InspectionState, Outcome, OwnResultState
from inspections.models import JointInspection, OwnResult
from institutions.models import Institution
from scenarios.models import CheckItem

OPEN = (InspectionState.TICKING, InspectionState.TICKING_CLOSED, InspectionState.UNDER_WAY)
SUGGESTED = 5


class OwnResultForm(forms.Form):
    """`OwnResultForm(request.POST, user=…)`, with `result=` to correct a returned one."""

    department = forms.ModelChoiceField(label="报备部门", queryset=None, empty_label=None)
    joint_inspection = forms.ModelChoiceField(
        label="所属联合检查",
        queryset=JointInspection.objects.none(),
        required=False,
        empty_label="不属于联合检查，由名录维护部门确认",
    )
    number = forms.CharField(
        label="检查编号",
        max_length=64,
        help_text="本部门系统中的编号，不能重复报备。",
        error_messages={"required": "请填写本部门系统中的检查编号。"},
    )
    institution = forms.CharField(
        label="机构",
        max_length=128,
        help_text="机构全称或统一社会信用代码（临时编号）。",
        error_messages={"required": "请填写机构全称或统一社会信用代码。"},
    )
    checked_on = DayField(label="检查日期", error_messages={"required": "请填写检查日期。"})
    on_site = forms.TypedChoiceField(
        label="检查方式",
        choices=[("yes", "现场检查"), ("no", "非现场检查（不计入年度覆盖）")],
        coerce=lambda value: value == "yes",
        widget=forms.RadioSelect,
        initial="yes",
    )
    items = forms.ModelMultipleChoiceField(
        label="检查事项",
        queryset=CheckItem.objects.none(),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "请至少选择一项检查事项。"},
    )
    outcome = forms.ChoiceField(
        label="检查结果",
        choices=Outcome.choices,
        widget=forms.RadioSelect,
        error_messages={"required": "请选择检查结果。"},
    )
    summary = forms.CharField(
        label="情况说明",
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="发现问题的须填写；不写个人姓名和电话。",
    )
    attachment = forms.FileField(
        label="附件", required=False, help_text="检查记录的 PDF 或图片；更正时不上传则保留原附件。"
    )

    def __init__(self, data: Any = None, files: Any = None, *, user: User, result: OwnResult | None = None):
        super().__init__(data, files, initial=_filled_in(result) if result else None)
        self.user = user
        departments = [result.department] if result else user.departments_as(*CLERKS)
        field = self.fields["department"]
        field.queryset = type(departments[0]).objects.filter(pk__in=[one.pk for one in departments])
        if len(departments) == 1:
            field.widget, field.initial = forms.HiddenInput(), departments[0]
        self.fields["items"].queryset = CheckItem.objects.filter(department__in=departments)
        if result:
            del self.fields["joint_inspection"]
        else:
            seen = JointInspection.objects.visible_to(user).filter(state__in=OPEN)
            self.fields["joint_inspection"].queryset = seen.exclude(lead_department__in=departments)

    def clean_institution(self) -> Institution:
        said = self.cleaned_data["institution"].strip()
        seen = Institution.objects.visible_to(self.user)
        found = list(seen.filter(Q(name=said) | Q(uscc=said.upper()) | Q(temporary_number=said.upper()))[:2])
        if len(found) == 1:
            return found[0]
        if found:
            raise forms.ValidationError("名录中有多家同名机构，请改填统一社会信用代码。")
        near = seen.filter(name__icontains=said).values_list("name", flat=True)[:SUGGESTED]
        hint = f"是否为：{'、'.join(near)}？" if near else "请先在机构名录中核对。"
        raise forms.ValidationError(f"名录中没有“{said}”，{hint}")

    def values(self) -> dict[str, Any]:
        """The keyword arguments of `file_result` this form answers for."""
        return self.cleaned_data


class OwnResultFilterForm(forms.Form):
    """Which results: `OwnResultFilterForm(request.GET).filter(queryset)`; an invalid filter shows everything."""

    q = forms.CharField(
        label="关键词",
        required=False,
        max_length=100,
        widget=forms.TextInput(attrs={"type": "search", "placeholder": "机构名称或检查编号"}),
    )
    state = forms.ChoiceField(label="状态", required=False, choices=[("", "全部"), *OwnResultState.choices])

    def filter(self, queryset: QuerySet[OwnResult]) -> QuerySet[OwnResult]:
        if not self.is_valid():
            return queryset
        if word := self.cleaned_data["q"].strip():
            queryset = queryset.filter(Q(institution__name__icontains=word) | Q(number__icontains=word))
        if state := self.cleaned_data["state"]:
            queryset = queryset.filter(state=state)
        return queryset


def _filled_in(result: OwnResult) -> dict[str, Any]:
    names = ("department", "number", "checked_on", "outcome", "summary")
    return {
        **{name: getattr(result, name) for name in names},
        "institution": result.institution.code or result.institution.name,
        "on_site": "yes" if result.on_site else "no",
        "items": list(result.items.all()),
    }
