"""Strata of a sampling rule: how institutions are sorted, what the strata are called, how many come out."""

from typing import Any

from django.db.models import Case, CharField, Count, F, QuerySet, Value, When
from django.db.models.expressions import Combinable

from departments.models import Town
from inspections.draws.rules import SamplingRule
from inspections.enums import FindingState, Severity, StratifyBy
from inspections.models import Finding
from institutions.enums import CreditClass, InstitutionKind

# A 重大 problem that nobody has seen the end of.
UNSETTLED = [FindingState.RECTIFYING, FindingState.REFERRED, FindingState.RETURNED]
YES, NO = "YES", "NO"


def stratum(by: str, institution: str = "") -> Combinable:
    """The stratum of an institution as an expression; `institution` is the path to it ("institution__")."""
    match by:
        case StratifyBy.CREDIT_CLASS:
            return F(f"{institution}credit_class")
        case StratifyBy.KIND:
            return F(f"{institution}kind")
        case StratifyBy.TOWN:
            return F(f"{institution}town__code")
        case StratifyBy.MAJOR_HAZARD:
            hazards = Finding.objects.filter(severity=Severity.MAJOR, state__in=UNSETTLED)
            unsettled = {f"{institution}pk__in": hazards.order_by().values("task__institution")}
            return Case(When(**unsettled, then=Value(YES)), default=Value(NO), output_field=CharField())
        case _:
            return Value("")


def names(by: str) -> dict[str, str]:
    """What each stratum is called, in order; one query for towns."""
    match by:
        case StratifyBy.CREDIT_CLASS:
            return {**dict(CreditClass.choices), "": "未评级"}
        case StratifyBy.KIND:
            return dict(InstitutionKind.choices)
        case StratifyBy.TOWN:
            return dict(Town.objects.values_list("code", "name"))
        case StratifyBy.MAJOR_HAZARD:
            return {YES: "有未办结的重大问题", NO: "无未办结的重大问题"}
        case _:
            return {"": "全部机构"}


def in_words(rule: SamplingRule) -> str:
    """The rule as a sentence."""
    by = StratifyBy(rule.by).label if rule.by else ""
    return rule.sentence(by=by, labels=names(rule.by))


def expected(institutions: QuerySet, rule: SamplingRule, *, institution: str = "") -> list[dict[str, Any]]:
    """What the rule draws of each stratum of `institutions` (or of rows with a path to them); one query.

    Rows as inspections/draws/publication.py's `strata_of` makes them.
    """
    counted = institutions.order_by().annotate(stratum=stratum(rule.by, institution)).values("stratum")
    return [
        {
            "stratum": row["stratum"],
            "members": row["n"],
            "drawn": rule.size(row["stratum"], row["n"]),
            "probability": rule.probability(row["stratum"], row["n"]),
        }
        for row in counted.annotate(n=Count("pk")).filter(n__gt=0).order_by("stratum")
    ]


def named(rows: list[dict[str, Any]], rule: SamplingRule) -> list[dict[str, Any]]:
    """The rows of `expected` or of a draw, in the order and by the names of `names`."""
    called = names(rule.by)
    order = {value: place for place, value in enumerate(called)}
    rows = sorted(rows, key=lambda row: order.get(row["stratum"], len(order)))
    return [{**row, "name": called.get(row["stratum"], row["stratum"])} for row in rows]
