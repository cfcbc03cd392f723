"""年度覆盖 and 少进门: who was checked this year, and how many visits going together has spared."""

from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Sum
from django.utils import timezone

from inspections.enums import TaskState
from inspections.models import OwnResult, Task
from institutions.models import Institution


@dataclass(frozen=True)
class Coverage:
    """Of `total` institutions in operation, `checked` had a completed check on site in the year."""

    year: int
    total: int
    checked: int

    @property
    def unchecked(self) -> int:
        return self.total - self.checked

    @property
    def percent(self) -> int:
        """Rounded down: 100 means every one of them."""
        return self.checked * 100 // self.total if self.total else 0


def with_checked(institutions: QuerySet[Institution], year: int) -> QuerySet[Institution]:
    """Institutions in operation, each with `checked`: whether a check on site was completed in the year.

    A submitted form counts, and so does a confirmed result of a department's own platform if it was on site;
    checks of a temporary registration count for the institution it was merged into.
    """
    own = Q(institution=OuterRef("pk")) | Q(institution__merged_into=OuterRef("pk"))
    visits = Task.objects.filter(own, state=TaskState.SUBMITTED, submitted_at__range=_span(year))
    return institutions.in_operation().annotate(
        checked=Exists(visits) | Exists(OwnResult.objects.on_site_in(year).filter(own))
    )


def coverage(institutions: QuerySet[Institution], year: int) -> Coverage:
    counted = with_checked(institutions, year).aggregate(
        total=Count("pk"), done=Count("pk", filter=Q(checked=True))
    )
    return Coverage(year, counted["total"], counted["done"])


def by_town(institutions: QuerySet[Institution], year: int) -> list[dict]:
    """Each town with institutions in operation: its `name`, `code`, `total` and `checked`, in the towns' order."""
    return list(
        with_checked(institutions, year)
        .order_by()
        .values("town__code", "town__name")
        .annotate(total=Count("pk"), done=Count("pk", filter=Q(checked=True)))
        .order_by("town__code")
    )


def visits_saved(visits: QuerySet[Task]) -> int:
    """少进门: visits the departments would have made apart, one each, less those made together."""
    made = visits.filter(state=TaskState.SUBMITTED).order_by()
    going = made.annotate(departments=Count("items__department", distinct=True)).filter(departments__gt=1)
    return going.aggregate(saved=Sum(F("departments") - 1))["saved"] or 0


def visits_of(year: int) -> QuerySet[Task]:
    """Forms submitted in that calendar year."""
    return Task.objects.filter(state=TaskState.SUBMITTED, submitted_at__range=_span(year))


def _span(year: int) -> tuple[datetime, datetime]:
    first, last = date(year, 1, 1), date(year, 12, 31)
    return (
        timezone.make_aware(datetime.combine(first, datetime.min.time())),
        timezone.make_aware(datetime.combine(last, datetime.max.time())),
    )
