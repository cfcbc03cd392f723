"""Forms of the register. The filter is also how a joint inspection says whom it is about."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.utils import timezone

from core.errors import DomainError
from core.forms import DayField
from departments.models import Officer, Town, User
from institutions import services
from institutions.enums import (
    TRANSITIONS,
    CreditClass,
    Feature,
    FilingState,
    InstitutionKind,
    OperatingState,
)
from institutions.models import Institution
from institutions.permissions import recusable_by
from institutions.services.entries import REGISTERED, plain_value
from institutions.services.rules import contradictions

EMPTY = "请选择"


class OneOf(forms.Select):
    """A drop-down for a field that takes several values: "全部" or one of them."""

    def value_from_datadict(self, data: Mapping, files: Mapping, name: str) -> list[str]:
        values = data.getlist(name) if hasattr(data, "getlist") else data.get(name) or []
        return [value for value in ([values] if isinstance(values, str) else values) if value]

    def optgroups(self, name: str, value: list[str], attrs: dict | None = None) -> list:
        whole = (None, [self.create_option(name, "", "全部", not any(value), 0, attrs=attrs)], 0)
        return [whole, *super().optgroups(name, value, attrs)]


class InstitutionFilterForm(forms.Form):
    """Which institutions: `InstitutionFilterForm(request.GET).filter(queryset)`.

    Values of one field are alternatives, fields narrow each other, features must all be there.
    `as_json()` is what to store; `InstitutionFilterForm(stored)` is the same form again.
    """

    q = forms.CharField(
        label="关键词",
        required=False,
        max_length=100,
        widget=forms.TextInput(attrs={"type": "search", "placeholder": "名称、代码、编号或地址"}),
    )
    town = forms.MultipleChoiceField(label="镇街", required=False, widget=OneOf)
    kind = forms.MultipleChoiceField(
        label="机构类型", required=False, choices=InstitutionKind.choices, widget=OneOf
    )
    operating_state = forms.MultipleChoiceField(
        label="运营状态", required=False, choices=OperatingState.choices, widget=OneOf
    )
    filing_state = forms.MultipleChoiceField(
        label="备案状态", required=False, choices=FilingState.choices, widget=OneOf
    )
    feature = forms.MultipleChoiceField(label="特征", required=False, choices=Feature.choices, widget=OneOf)
    credit_class = forms.MultipleChoiceField(
        label="信用等级", required=False, choices=CreditClass.choices, widget=OneOf
    )

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.fields["town"].choices = list(Town.objects.values_list("code", "name"))

    def filter(self, queryset: QuerySet[Institution]) -> QuerySet[Institution]:
        """The institutions meant; all of them for an unbound form, none when a value is not known."""
        if not self.is_bound:
            return queryset
        if not self.is_valid():
            return queryset.none()
        chosen = self.cleaned_data
        for word in chosen["q"].split():
            queryset = queryset.filter(
                Q(name__icontains=word)
                | Q(uscc__icontains=word)
                | Q(temporary_number__istartswith=word)
                | Q(address__icontains=word)
            )
        if chosen["town"]:
            queryset = queryset.filter(town__code__in=chosen["town"])
        if chosen["feature"]:
            queryset = queryset.filter(features__contains=chosen["feature"])
        for name in ("kind", "operating_state", "filing_state", "credit_class"):
            if chosen[name]:
                queryset = queryset.filter(**{f"{name}__in": chosen[name]})
        return queryset

    def as_json(self) -> dict[str, str | list[str]]:
        """The chosen values only, as JSON; {} means every institution. Raises ValueError when invalid."""
        if self.is_bound and not self.is_valid():
            raise ValueError(f"not a valid filter: {self.errors.as_json()}")
        return {name: value for name, value in getattr(self, "cleaned_data", {}).items() if value}


class InstitutionScopeForm(InstitutionFilterForm):
    """The same filter where several towns, kinds or features are ticked at once."""

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        for name in ("town", "kind", "operating_state", "filing_state", "feature", "credit_class"):
            field = self.fields[name]
            field.widget = forms.CheckboxSelectMultiple(choices=field.choices)
        self.fields["feature"].label = "同时具备的特征"


# The panels of the page; at most seven fields each.
PANELS = [
    ("机构", ["name", "uscc", "kind", "legal_form", "registered_with", "town", "address"]),
    ("联系与位置", ["legal_representative", "contact_name", "contact_phone", "longitude", "latitude"]),
    (
        "备案与等级",
        [
            "filing_state",
            "filing_number",
            "filed_on",
            "opened_on",
            "credit_class",
            "rating",
            "rated_on",
        ],
    ),
    ("规模与特征", ["beds", "nursing_beds", "residents", "floor_area", "features"]),
    ("消防与食品", ["fire_approval", "fire_document", "food_licence", "food_licence_until"]),
    (
        "医疗与规范",
        [
            "medical_service",
            "combines_medical",
            "takes_insurance",
            "meets_safety_standard",
            "takes_prepayment",
        ],
    ),
]


class InstitutionForm(forms.ModelForm):
    """What the register says of one institution, but for its operating state."""

    features = forms.MultipleChoiceField(
        label="特征",
        required=False,
        choices=Feature.choices,
        widget=forms.CheckboxSelectMultiple,
        help_text="决定哪些检查事项适用于该机构。",
    )
    rating = forms.TypedChoiceField(
        label="等级评定",
        required=False,
        coerce=int,
        empty_value=None,
        choices=[("", "未评定"), *((stars, f"{stars}星") for stars in range(1, 6))],
    )
    credit_class = forms.ChoiceField(
        label="信用等级", required=False, choices=[("", "未评价"), *CreditClass.choices]
    )
    beds = forms.IntegerField(label="床位数", min_value=0, max_value=100_000, help_text="没有床位的填0。")
    floor_area = forms.DecimalField(
        label="建筑面积（平方米）", required=False, min_value=0, max_digits=10, decimal_places=2
    )

    class Meta:
        model = Institution
        fields = [name for _, names in PANELS for name in names]
        field_classes = dict.fromkeys(("filed_on", "opened_on", "rated_on", "food_licence_until"), DayField)
        help_texts = {
            "uscc": "18位；尚未取得的留空，系统给临时编号，取得后补填。",
            "residents": "只填人数。",
            "longitude": "十进制度数，如 118.551234。",
            "latitude": "十进制度数，如 24.781234。",
            "meets_safety_standard": "GB 38600-2019《养老机构服务安全基本规范》。",
        }

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.fields["town"].empty_label = EMPTY
        for name in ("kind", "filing_state", "legal_form", "fire_approval", "medical_service"):
            field = self.fields[name]
            field.choices = [(value, label if value else EMPTY) for value, label in field.choices]
        for name in ("combines_medical", "takes_insurance", "meets_safety_standard", "takes_prepayment"):
            self.fields[name].widget.choices = [("unknown", "未登记"), ("true", "是"), ("false", "否")]

    def panels(self) -> list[tuple[str, list[forms.BoundField]]]:
        return [(title, [self[name] for name in names]) for title, names in PANELS]

    def clean_uscc(self) -> str | None:
        try:
            return services.check_uscc(self.cleaned_data["uscc"] or "") or None
        except DomainError as error:
            raise ValidationError(error.message) from error

    def clean(self) -> dict[str, Any]:
        chosen = super().clean()
        if not self.errors:
            said = {name: plain_value(name, chosen.get(name)) for name in REGISTERED}
            for name, sentence in contradictions(said).items():
                self.add_error(name, sentence)
        return chosen

    def validate_unique(self) -> None:
        """Left to the service, which names the institution that has the code."""


class SurvivorForm(forms.Form):
    """Into which registration: words to find it by, or its code."""

    q = forms.CharField(required=False, max_length=100)
    into = forms.CharField(required=False, max_length=18)


class StateForm(forms.Form):
    """暂停、终止、恢复运营"""

    state = forms.ChoiceField(label="变更为", widget=forms.RadioSelect)
    on = DayField(label="生效日期", initial=timezone.localdate)
    reason = forms.CharField(label="原因", max_length=300, widget=forms.Textarea(attrs={"rows": 3}))

    def __init__(self, *args: Any, institution: Institution, **kwargs: Any):
        super().__init__(*args, **kwargs)
        allowed = TRANSITIONS[OperatingState(institution.operating_state)]
        self.fields["state"].choices = [(state.value, state.label) for state in allowed]


class RecusalForm(forms.Form):
    """An officer the user may speak for, and why that officer must not inspect this institution."""

    officer = forms.ModelChoiceField(label="执法人员", queryset=Officer.objects.none(), empty_label=None)
    reason = forms.CharField(
        label="事由", max_length=200, help_text="如近亲属在该机构任职；不写无关的个人信息。"
    )

    def __init__(self, *args: Any, user: User, institution: Institution, **kwargs: Any):
        super().__init__(*args, **kwargs)
        may = recusable_by(user).exclude(recusals__institution=institution)
        self.fields["officer"].queryset = may.select_related("user", "department")
        self.fields["officer"].label_from_instance = lambda officer: f"{officer} · {officer.department}"
