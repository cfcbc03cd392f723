"""抽查比例和频次 as the chosen versions print it: what may be taken for the sampling rule of a joint inspection."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Min

from inspections.draws import rules
from inspections.draws.rules import Rate, RuleError
from scenarios.models import MatrixRow, ScenarioVersion


@dataclass(frozen=True)
class PrintedRule:
    """A text of the list, the rows it stands on, and what it was understood as; None when nobody can say."""

    text: str
    rows: int
    rate: Rate | None
    per_year: int | None


def printed_rules(versions: Iterable[ScenarioVersion]) -> list[PrintedRule]:
    """Each text once, in the order of the list."""
    found = (
        MatrixRow.objects.filter(version__in=[version.pk for version in versions])
        .exclude(sampling_text="")
        .order_by()
        .values("sampling_text", "sampling")
        .annotate(rows=Count("line", distinct=True), first=Min("position"))
        .order_by("first", "sampling_text")
    )
    return [
        PrintedRule(
            row["sampling_text"], row["rows"], _rate(row["sampling"]), row["sampling"].get("per_year")
        )
        for row in found
    ]


def _rate(sampling: dict[str, Any]) -> Rate | None:
    if not sampling.get("bands"):
        return None
    try:
        return rules.rate_from_json(sampling["bands"])
    except RuleError:
        return None
