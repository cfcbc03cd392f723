"""Forms of 执法人员: certificate and sectors, days away, the register's filter."""

from datetime import date
from typing import Any

from django import forms
from django.db.models import Q, QuerySet
from django.utils import timezone

from core.forms import DayField
from departments.enums import Absence, Validity
from departments.forms.accounts import USERNAME
from departments.models import Department, Officer, Sector, User
from departments.permissions import departments_administered_by


class OfficerFilterForm(forms.Form):
    """Which officers: `OfficerFilterForm(request.GET).filter(queryset, day)`."""

    q = forms.CharField(
        label="关键词",
        required=False,
        max_length=64,
        widget=forms.TextInput(attrs={"type": "search", "placeholder": "姓名或执法证号"}),
    )
    department = forms.ModelChoiceField(
        label="部门",
        required=False,
        queryset=Department.objects.all(),
        to_field_name="code",
        empty_label="全部",
    )
    sector = forms.ModelChoiceField(
        label="可检查条线", required=False, queryset=Sector.objects.all(), empty_label="全部"
    )
    validity = forms.ChoiceField(
        label="执法证",
        required=False,
        choices=[("", "全部"), *(pair for pair in Validity.choices if pair[0] != Validity.OFF_DUTY)],
    )
    duty = forms.ChoiceField(
        label="在岗", required=False, choices=[("", "全部"), ("1", "在岗"), ("0", "不在岗")]
    )

    def filter(self, queryset: QuerySet[Officer], day: date) -> QuerySet[Officer]:
        if not self.is_valid():
            return queryset.none()
        chosen = self.cleaned_data
        if chosen["q"]:
            queryset = queryset.filter(
                Q(user__name__icontains=chosen["q"]) | Q(certificate_number__icontains=chosen["q"])
            )
        if chosen["department"]:
            queryset = queryset.filter(department=chosen["department"])
        if chosen["sector"]:
            queryset = queryset.inspecting(chosen["sector"])
        if chosen["validity"]:
            queryset = queryset.of_validity(Validity(chosen["validity"]), day)
        if chosen["duty"]:
            present = queryset.present_on(day).filter(user__is_active=True)
            queryset = present if chosen["duty"] == "1" else queryset.exclude(pk__in=present.values("pk"))
        return queryset


class CertificateForm(forms.Form):
    """执法证, and what its holder may inspect."""

    department = forms.ModelChoiceField(
        label="执法部门", queryset=Department.objects.none(), empty_label=None
    )
    certificate_number = forms.CharField(label="执法证号", max_length=32)
    certified_from = DayField(label="有效期自")
    certified_until = DayField(label="有效期至")
    sectors = forms.ModelMultipleChoiceField(
        label="可检查条线",
        required=False,
        queryset=Sector.objects.all(),
        widget=forms.CheckboxSelectMultiple,
        help_text="一项也不选，即可检查所在部门的全部条线。",
    )

    def __init__(self, *args: Any, actor: User, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.fields["department"].queryset = departments_administered_by(actor)


class NewOfficerForm(CertificateForm):
    """A person who has no account yet."""

    name = forms.CharField(label="姓名", max_length=64)
    username = forms.CharField(label="用户名", max_length=64, validators=[USERNAME])
    phone = forms.CharField(label="手机", max_length=32, required=False)

    field_order = ["name", "username", "phone", "department", "certificate_number"]


class AbsenceForm(forms.Form):
    """离岗、离职、调离"""

    absence = forms.ChoiceField(label="情形", choices=Absence.choices, widget=forms.RadioSelect)
    on = DayField(label="不在岗自", initial=timezone.localdate)
    until = DayField(
        label="不在岗至",
        required=False,
        help_text="已知返岗日期的离岗填最后一天；不填为长期。",
    )
    reason = forms.CharField(
        label="原因",
        max_length=200,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="管理员和督查、审计人员可见；不写无关的个人信息。",
    )

    def clean(self) -> dict[str, Any]:
        chosen = super().clean()
        if chosen.get("absence") in (Absence.RESIGNED, Absence.TRANSFERRED) and chosen.get("until"):
            self.add_error("until", "离职、调离没有止日，请留空。")
        return chosen


class ReturnForm(forms.Form):
    """恢复在岗"""

    on = DayField(label="恢复在岗日期", initial=timezone.localdate)
