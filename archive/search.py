"""Results, found again: submitted visits, findings and penalties, and what is due for publication."""

from datetime import date, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Exists, OuterRef, Prefetch, Q, QuerySet
from django.utils import timezone

from archive.enums import DisclosureState
from archive.models import Disclosure
from archive.services import DECIDED
from core.days import midnight, within_days
from core.workdays import add_workdays
from departments.models import User
from inspections.enums import FindingState, OwnResultState, TaskState
from inspections.models import Finding, OwnResult, Task, TaskItem, TaskOrigin
from penalties.enums import Decision
from penalties.models import PenaltyCase
from scenarios.models import CheckItem


def visits(user: User, values: dict[str, Any]) -> QuerySet[Task]:
    """Submitted visits this account sees, narrowed by the search form's cleaned values."""
    rows = Task.objects.visible_to(user).filter(state=TaskState.SUBMITTED)
    rows = _by_institution(rows, values)
    rows = within_days(rows, "submitted_at", values.get("since"), values.get("until"))
    if department := values.get("department"):
        rows = rows.filter(Exists(TaskItem.objects.filter(task=OuterRef("pk"), department=department)))
    if item := values.get("item"):
        rows = rows.filter(pk__in=TaskItem.objects.filter(check_item=item).values("task"))
    if text := values.get("q"):
        # Few check items match a word, so the big table is reached through its index.
        items = TaskItem.objects.filter(check_item__in=CheckItem.objects.filter(name__icontains=text))
        named = TaskOrigin.objects.filter(joint_inspection__name__icontains=text)
        noted = Finding.objects.filter(fact__icontains=text)
        rows = rows.filter(
            _named(text)
            | Q(pk__in=items.values("task"))
            | Q(pk__in=named.values("task"))
            | Q(pk__in=noted.values("task"))
        )
    effective = Finding.objects.exclude(state=FindingState.PENDING)
    return rows.select_related("institution__town", "disclosure").prefetch_related(
        "origins__joint_inspection", Prefetch("findings", effective, to_attr="problems")
    )


def findings(user: User, values: dict[str, Any]) -> QuerySet[Finding]:
    """Effective findings this account sees, narrowed likewise."""
    rows = Finding.objects.visible_to(user).exclude(state=FindingState.PENDING)
    rows = _by_institution(rows, values)
    if start := values.get("since"):
        rows = rows.filter(found_on__gte=start)
    if end := values.get("until"):
        rows = rows.filter(found_on__lte=end)
    if department := values.get("department"):
        rows = rows.filter(department=department)
    if item := values.get("item"):
        rows = rows.filter(row__check_item=item)
    if text := values.get("q"):
        rows = rows.filter(
            _named(text)
            | Q(fact__icontains=text)
            | Q(row__check_text__icontains=text)
            | Q(row__penalty_text__icontains=text)
        )
    return rows.select_related("institution__town", "department", "row")


def cases(user: User, values: dict[str, Any]) -> QuerySet[PenaltyCase]:
    """Penalty cases this account sees, narrowed likewise; a department is the organ or the sender."""
    rows = PenaltyCase.objects.visible_to(user)
    rows = _by_institution(rows, values)
    if start := values.get("since"):
        rows = rows.filter(filed_on__gte=start)
    if end := values.get("until"):
        rows = rows.filter(filed_on__lte=end)
    if department := values.get("department"):
        rows = rows.filter(Q(department=department) | Q(referral__from_department=department))
    if item := values.get("item"):
        rows = rows.filter(referral__finding__row__check_item=item)
    if text := values.get("q"):
        rows = rows.filter(
            _named(text)
            | Q(number__icontains=text)
            | Q(facts__icontains=text)
            | Q(basis__icontains=text)
            | Q(referral__finding__row__penalty_text__icontains=text)
        )
    return rows.select_related("institution__town", "department", "referral__finding__row", "disclosure")


def own_results(user: User, values: dict[str, Any]) -> QuerySet[OwnResult]:
    """备案: confirmed results of departments' own platforms, narrowed likewise."""
    rows = OwnResult.objects.visible_to(user).filter(state=OwnResultState.CONFIRMED)
    rows = _by_institution(rows, values)
    if start := values.get("since"):
        rows = rows.filter(checked_on__gte=start)
    if end := values.get("until"):
        rows = rows.filter(checked_on__lte=end)
    if department := values.get("department"):
        rows = rows.filter(department=department)
    if item := values.get("item"):
        rows = rows.filter(items=item)
    if text := values.get("q"):
        named = CheckItem.objects.filter(name__icontains=text)
        rows = rows.filter(
            _named(text)
            | Q(number__icontains=text)
            | Q(summary__icontains=text)
            | Exists(OwnResult.items.through.objects.filter(ownresult=OuterRef("pk"), checkitem__in=named))
        )
    return rows.select_related("institution__town", "department")


def unpublished_visits(user: User) -> QuerySet[Task]:
    """Submitted visits without a publication that this account's departments lead; all for overseers."""
    # An anti-join of its own: the planner guesses `disclosure=None` to be one row and loops over all.
    published = Disclosure.objects.filter(task=OuterRef("pk"))
    rows = Task.objects.filter(~Exists(published), state=TaskState.SUBMITTED)
    if not user.oversees:
        led = TaskOrigin.objects.filter(joint_inspection__lead_department__in=_departments(user))
        rows = rows.filter(pk__in=led.values("task"))
    return rows.select_related("institution__town").prefetch_related(
        "origins__joint_inspection__lead_department"
    )


def unpublished_cases(user: User) -> QuerySet[PenaltyCase]:
    """Penalty decisions of this account's departments without a publication; all for overseers."""
    published = Disclosure.objects.filter(penalty_case=OuterRef("pk"))
    rows = PenaltyCase.objects.filter(~Exists(published), state__in=DECIDED).exclude(
        decision=Decision.NOT_PUNISHED
    )
    if not user.oversees:
        rows = rows.filter(department__in=_departments(user))
    return rows.select_related("institution__town", "department")


def disclosures(user: User, state: DisclosureState) -> QuerySet[Disclosure]:
    """What this account's departments published or withdrew; all for overseers."""
    rows = Disclosure.objects.filter(state=state)
    if not user.oversees:
        rows = rows.filter(department__in=_departments(user))
    return rows.select_related("institution__town", "department", "withdrawn_by")


def overdue_visits(rows: QuerySet[Task]) -> QuerySet[Task]:
    """Those whose last day to publish has passed."""
    first_in_time = first_day_in_time(settings.DISCLOSURE_WORKDAYS)
    return rows.filter(submitted_at__lt=midnight(first_in_time))


def overdue_cases(rows: QuerySet[PenaltyCase]) -> QuerySet[PenaltyCase]:
    """Those whose last day to publish has passed."""
    return rows.filter(decided_on__lt=first_day_in_time(settings.PENALTY_DISCLOSURE_WORKDAYS))


def first_day_in_time(workdays: int) -> date:
    """The earliest day whose deadline, `workdays` later, is today or still to come."""
    day = today = timezone.localdate()
    while add_workdays(day - timedelta(days=1), workdays) >= today:
        day -= timedelta(days=1)
    return day


def _by_institution(rows: QuerySet, values: dict[str, Any]) -> QuerySet:
    if key := values.get("institution"):
        rows = rows.filter(Q(institution__key=key) | Q(institution__merged_into__key=key))
    if town := values.get("town"):
        rows = rows.filter(institution__town=town)
    return rows


def _named(text: str) -> Q:
    """Results of an institution under its name or code; under the survivor's too once it was merged."""
    return (
        Q(institution__name__icontains=text)
        | Q(institution__uscc__istartswith=text)
        | Q(institution__temporary_number__istartswith=text)
        | Q(institution__merged_into__name__icontains=text)
        | Q(institution__merged_into__uscc__istartswith=text)
    )


def _departments(user: User) -> list[int]:
    return [department.pk for department in user.departments_as()]
