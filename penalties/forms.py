"""What the pages of penalties ask for; the rules are the services'."""

from decimal import Decimal

from django import forms
from django.utils import timezone

from core.forms import DayField
from departments.models import Department, Town
from inspections.enums import ReferralState, Severity
from inspections.models import Referral
from penalties.enums import Decision, LegalReview
from penalties.models import PenaltyCase


class FilterForm(forms.Form):
    """Narrows whichever tab is open."""

    tab = forms.CharField(required=False, widget=forms.HiddenInput)
    q = forms.CharField(label="机构、案号或处罚事项", required=False)
    department = forms.ModelChoiceField(
        label="部门", queryset=Department.objects.all(), required=False, empty_label="全部部门"
    )
    town = forms.ModelChoiceField(
        label="镇街", queryset=Town.objects.all(), required=False, empty_label="全部镇街"
    )
    state = forms.ChoiceField(
        label="状态", choices=[("", "全部状态"), *ReferralState.choices], required=False
    )
    severity = forms.ChoiceField(
        label="严重程度", choices=[("", "一般和重大"), *Severity.choices], required=False
    )


class FileForm(forms.Form):
    """立案"""

    number = forms.CharField(label="案号", max_length=64, required=False)
    filed_on = DayField(label="立案日期")

    def __init__(self, data=None, *, referral: Referral):
        super().__init__(data, initial={"filed_on": timezone.localdate()})
        agency = referral.to_department.agency_code or referral.to_department.short_name
        year = timezone.localdate().year
        self.fields["number"].help_text = f"留空则自动编号，如“{agency}罚案〔{year}〕1号”。"


class DraftForm(forms.Form):
    """拟定处罚; starts from what the inspectors found and what the matrix cites."""

    facts = forms.CharField(label="违法事实", widget=forms.Textarea(attrs={"rows": 6}))
    basis = forms.CharField(label="处罚依据", widget=forms.Textarea(attrs={"rows": 4}))
    decision = forms.ChoiceField(label="拟作出的决定", choices=[("", "请选择"), *Decision.choices])
    fine_amount = forms.DecimalField(
        label="罚款金额（元）",
        required=False,
        min_value=Decimal("0.01"),
        max_digits=12,
        decimal_places=2,
        widget=forms.TextInput(attrs={"inputmode": "decimal"}),
        help_text="决定含罚款时填写。",
    )
    legal_review_required = forms.BooleanField(
        label="须经法制审核",
        required=False,
        help_text="涉及重大公共利益、直接关系重大权益并经过听证、案情疑难复杂涉及多个法律关系，"
        "或法律法规规定应当审核的（《行政处罚法》第五十八条）。",
    )

    def __init__(self, data=None, *, case: PenaltyCase):
        finding = case.referral.finding
        penalty = finding.row.penalty
        basis = case.basis or (penalty.basis if penalty else "")
        super().__init__(
            data,
            initial={
                "facts": case.facts or finding.fact,
                "basis": basis,
                "decision": case.decision,
                "fine_amount": case.fine_amount,
                "legal_review_required": case.legal_review != LegalReview.NOT_REQUIRED,
            },
        )


class ReviewForm(forms.Form):
    """法制审核"""

    passed = forms.TypedChoiceField(
        label="审核结论",
        choices=[("yes", "通过"), ("no", "不通过")],
        coerce=lambda value: value == "yes",
        widget=forms.RadioSelect,
    )
    opinion = forms.CharField(label="审核意见", widget=forms.Textarea(attrs={"rows": 4}))


class DecideForm(forms.Form):
    decided_on = DayField(label="决定日期", initial=timezone.localdate)


class ServeForm(forms.Form):
    served_on = DayField(label="送达日期", initial=timezone.localdate)


class PaymentForm(forms.Form):
    amount = forms.DecimalField(
        label="缴款金额（元）",
        min_value=Decimal("0.01"),
        max_digits=12,
        decimal_places=2,
        widget=forms.TextInput(attrs={"inputmode": "decimal"}),
    )
    paid_on = DayField(label="缴款日期", initial=timezone.localdate)
    receipt = forms.CharField(label="票据号", max_length=64)
