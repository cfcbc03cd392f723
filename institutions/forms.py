"""Forms of the register. The filter is also how a joint inspection says whom it is about."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.db.models import Q, QuerySet

from departments.models import Town
from institutions.enums import CreditClass, Feature, FilingState, InstitutionKind, OperatingState
from institutions.models import Institution


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
        widget=forms.TextInput(attrs={"type": "search", "placeholder": "名称、信用代码或地址"}),
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
                Q(name__icontains=word) | Q(uscc__icontains=word) | Q(address__icontains=word)
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
