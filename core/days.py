"""Days as people choose them: none so far off that reckoning with it, or storing it, would fail."""

from datetime import date, datetime, time, timedelta
from typing import TypeVar

from django.db.models import Model, QuerySet
from django.utils import timezone

Row = TypeVar("Row", bound=Model)

EARLIEST = date(1900, 1, 1)
LATEST = date(2100, 12, 31)
OUT_OF_RANGE = f"日期应在 {EARLIEST} 至 {LATEST} 之间"


def within_days(rows: QuerySet[Row], moment: str, since: date | None, until: date | None) -> QuerySet[Row]:
    """Rows whose `moment` falls from one day to another, both included; no day given is no bound."""
    if since:
        rows = rows.filter(**{f"{moment}__gte": midnight(since)})
    if until:
        rows = rows.filter(**{f"{moment}__lt": midnight(until + timedelta(days=1))})
    return rows


def midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))
