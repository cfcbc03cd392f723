"""What the page of the yearly coverage asks for."""

from urllib.parse import urlencode

from django import forms
from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone

from departments.models import Town
from institutions.models import Institution

YEARS = 5


class CoverageForm(forms.Form):
    """`CoverageForm(request.GET).filter(…)` over what `coverage.with_checked` gives; without a word those unchecked."""

    year = forms.TypedChoiceField(label="年度", coerce=int, required=False, empty_value=None)
    checked = forms.ChoiceField(
        label="检查情况", required=False, choices=[("", "尚未检查"), ("yes", "已检查"), ("all", "全部")]
    )
    town = forms.ModelChoiceField(
        label="镇街",
        queryset=Town.objects.all(),
        to_field_name="code",
        required=False,
        empty_label="全部镇街",
    )

    def __init__(self, data: dict):
        super().__init__(data)
        this_year = timezone.localdate().year
        years = range(this_year, this_year - YEARS, -1)
        self.fields["year"].choices = [("", f"{this_year}年"), *((year, f"{year}年") for year in years[1:])]
        self.is_valid()

    @property
    def chosen_year(self) -> int:
        return self.cleaned_data.get("year") or timezone.localdate().year

    def filter(self, institutions: QuerySet[Institution]) -> QuerySet[Institution]:
        chosen = self.cleaned_data
        wanted = chosen.get("checked") or "no"
        if wanted != "all":
            institutions = institutions.filter(checked=wanted == "yes")
        return institutions.filter(town=chosen["town"]) if chosen.get("town") else institutions

    def of_town(self, code: str) -> str:
        """Where the unchecked ones of one town are listed."""
        return f"{reverse('inspections:coverage')}?{urlencode({'year': self.chosen_year, 'town': code})}"
