"""抽取规则 as a clerk fills it in: one rate for all, and, by stratum, rates of their own."""

from decimal import Decimal
from typing import Any

from django import forms
from django.http import QueryDict
from django.urls import reverse_lazy

from inspections.draws.rules import Band, Rate, RuleError, SamplingRule, percent, spelled
from inspections.enums import StratifyBy
from inspections.services import strata
from inspections.services.launch import EVERYBODY

PREFIX = "sampling"
RATE = "rate-"


def _percent(label: str) -> forms.DecimalField:
    return forms.DecimalField(
        label=label,
        required=False,
        min_value=Decimal("0.01"),
        max_value=100,
        max_digits=5,
        decimal_places=2,
        widget=forms.NumberInput(attrs={"inputmode": "decimal", "step": "any"}),
        error_messages={
            "min_value": "应大于 0。",
            "max_value": "应不超过 100。",
            "invalid": "请填写数字，如 30 或 12.5。",
            "max_decimal_places": "至多两位小数。",
        },
    )


def _count(label: str, **more: Any) -> forms.IntegerField:
    return forms.IntegerField(
        label=label,
        min_value=1,
        max_value=100_000,
        required=False,
        error_messages={"min_value": "应为 1 或更大的整数。", "invalid": "请填写整数。"},
        **more,
    )


class SamplingForm(forms.Form):
    """`SamplingForm(request.POST).rule` is the SamplingRule meant, None when it is not valid."""

    percent = _percent("抽取比例（%）")
    at_least = _count("至少抽取（家）")
    upto = _count("机构不超过（家）")
    few = _count("此时抽取（家）")
    by = forms.ChoiceField(
        label="分层",
        choices=[("", "不分层"), *StratifyBy.choices],
        required=False,
        help_text="分层后各层分别计算，可给个别层另定比例，如信用等级 D 的全部检查。",
        widget=forms.Select(
            attrs={
                "hx-post": reverse_lazy("inspections:sampling_strata"),
                "hx-include": "#launch-form",
                "hx-target": "#sampling-strata",
                "hx-swap": "outerHTML",
            }
        ),
    )

    def __init__(self, data: Any = None, *, rule: SamplingRule = EVERYBODY):
        super().__init__(data, prefix=PREFIX, initial=_filled_in(rule))
        by = self["by"].value()
        for value, name in strata.names(by).items() if by in StratifyBy.values else ():
            self.fields[f"{RATE}{value}"] = _percent(name)

    @classmethod
    def adopting(cls, data: QueryDict, rate: Rate) -> "SamplingForm":
        """The form as it was sent, with `rate` in place of what it said; strata keep rates of their own."""
        filled = data.copy()
        for name, value in _rate_as_shown(rate).items():
            filled[f"{PREFIX}-{name}"] = "" if value is None else str(value)
        return cls(filled)

    @property
    def strata(self) -> list[forms.BoundField]:
        """One field a stratum."""
        return [self[name] for name in self.fields if name.startswith(RATE)]

    @property
    def rule(self) -> SamplingRule | None:
        return self.cleaned_data["rule"] if self.is_valid() else None

    def clean(self) -> dict[str, Any]:
        given = super().clean()
        if not given.get("percent") and not given.get("at_least") and not self.errors:
            self.add_error("percent", "请填写抽取比例，或至少抽取多少家。")
        upto, few = given.get("upto"), given.get("few")
        if upto and not few and "few" not in self.errors:
            self.add_error("few", "请填写此时抽取多少家。")
        if few and not upto and "upto" not in self.errors:
            self.add_error("upto", "请填写机构不超过多少家。")
        if not self.errors:
            try:
                given["rule"] = _rule(given)
            except RuleError as error:
                self.add_error(None, str(error))
        return given


def _rule(given: dict[str, Any]) -> SamplingRule:
    bands = [Band(given["percent"] or Decimal(0), given["at_least"] or 0)]
    if given["upto"]:
        bands.insert(0, Band(at_least=given["few"], upto=given["upto"]))
    own = {name.removeprefix(RATE): value for name, value in given.items() if name.startswith(RATE) and value}
    return SamplingRule(
        Rate(tuple(bands)), given["by"], {stratum: percent(value) for stratum, value in own.items()}
    )


def _filled_in(rule: SamplingRule) -> dict[str, Any]:
    """A rule as the form shows it again."""
    return {
        **_rate_as_shown(rule.otherwise),
        "by": rule.by,
        **{
            f"{RATE}{stratum}": f"{rate.bands[-1].percent.normalize():f}"
            for stratum, rate in rule.rates.items()
        },
    }


def _rate_as_shown(rate: Rate) -> dict[str, Any]:
    *few, rest = rate.bands
    return {
        "percent": spelled(rest.percent) if rest.percent else None,
        "at_least": rest.at_least or None,
        "upto": few[0].upto if few else None,
        "few": few[0].at_least if few else None,
    }
