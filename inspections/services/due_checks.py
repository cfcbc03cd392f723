"""Checks the law wants without anybody asking: drafted by themselves, with the day they are due."""

import logging
from collections.abc import Iterable
from datetime import date, datetime, time, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, F, OuterRef, QuerySet
from django.db.models.functions import TruncDate
from django.utils import timezone

from core.workdays import add_workdays
from departments import services as departments
from departments.models import Department
from departments.permissions import CLERKS
from inspections import permissions
from inspections.enums import KIND_RULES, Event, InspectionKind, ScopeSource
from inspections.models import Candidate, DueCheck, JointInspection
from inspections.services.launch import next_inspection_number
from inspections.services.participation import append
from inspections.services.scope import set_versions
from institutions.enums import Feature, FilingState
from institutions.models import Institution
from scenarios.enums import VersionState
from scenarios.models import ScenarioVersion

logger = logging.getLogger(__name__)

# More than that many at once is an import; the rest come with the next sweeps.
AT_ONCE = 200
TICK_WORKDAYS = 3


def open_due_checks(today: date | None = None) -> int:
    """Draft every first check and this quarter's check of subsidies that nobody drafted yet; returns how many.

    Safe to run twice and side by side. Filings and discoveries older than FIRST_CHECK_LOOKBACK_DAYS are
    left to the yearly coverage.
    """
    today = today or timezone.localdate()
    keeper = Department.objects.filter(code=settings.REGISTER_KEEPER).select_related("group").first()
    if keeper is None:
        return 0
    opened = 0
    for kind, rows in ((InspectionKind.FILED, _filed(today)), (InspectionKind.UNFILED, _unfiled(today))):
        for institution, since in rows.values_list("pk", "since")[:AT_ONCE]:
            try:
                opened += _open_first(kind, institution, since, keeper, today)
            except Exception:
                # One that cannot be drafted must not keep the others; the next sweep tries it again.
                logger.exception("check %s of institution %s could not be drafted", kind, institution)
    return opened + _open_quarter(keeper, today)


def _filed(today: date) -> QuerySet[Institution]:
    """已备案：自备案之日起（本溪评估指标2.5）."""
    return _without_check(InspectionKind.FILED, today).filter(
        filing_state=FilingState.FILED, since__lte=today
    )


def _unfiled(today: date) -> QuerySet[Institution]:
    """未备案：自发现之日起，发现什么由 UNFILED_TRIGGER 定（资阳、本溪：收住老年人；楚雄：开展服务）."""
    rows = _without_check(InspectionKind.UNFILED, today).filter(filing_state=FilingState.NOT_FILED)
    return rows.filter(residents__gt=0) if settings.UNFILED_TRIGGER == "RESIDENTS" else rows


def _without_check(kind: InspectionKind, today: date) -> QuerySet[Institution]:
    # The register keeps no day of discovery: it is the day it came to say so, and the sweep is hourly.
    since = {InspectionKind.FILED: F("filed_on")}.get(
        kind, TruncDate("changed_at" if settings.UNFILED_TRIGGER == "RESIDENTS" else "created_at")
    )
    rows = Institution.objects.in_operation().annotate(since=since)
    known = DueCheck.objects.filter(kind=kind, institution=OuterRef("pk"))
    if kind == InspectionKind.FILED:
        known = known.filter(since=OuterRef("since"))
    oldest = today - timedelta(days=settings.FIRST_CHECK_LOOKBACK_DAYS)
    return rows.filter(~Exists(known), since__gte=oldest).order_by("since", "pk")


@transaction.atomic
def _open_first(kind: InspectionKind, pk: int, since: date, keeper: Department, today: date) -> int:
    # Locked, so that a second sweep at the same moment passes it by.
    rows = Institution.objects.select_for_update(skip_locked=True, no_key=True)
    institution = rows.filter(pk=pk, merged_into=None).first()
    if institution is None or DueCheck.objects.filter(kind=kind, institution=pk, since=since).exists():
        return 0
    due_on = add_workdays(since, KIND_RULES[kind].due_workdays)
    _draft(kind, f"{institution.name[:80]}{kind.label}", [pk], since, due_on, keeper, today, institution)
    return 1


@transaction.atomic
def _open_quarter(keeper: Department, today: date) -> int:
    """补贴每季度核查一次（楚雄4）：every institution in operation that receives subsidies."""
    since = date(today.year, (today.month - 1) // 3 * 3 + 1, 1)
    known = DueCheck.objects.filter(kind=InspectionKind.SUBSIDY, since=since)
    scope = Institution.objects.in_operation().filter(features__contains=[Feature.SUBSIDY])
    if known.exists() or not scope.exists():
        return 0
    # One sweep at a time: the row of the department is the gate.
    Department.objects.select_for_update(no_key=True).get(pk=keeper.pk)
    if known.exists():
        return 0
    next_quarter = date(since.year + since.month // 10, (since.month + 2) % 12 + 1, 1)
    name = f"{since.year}年第{(since.month + 2) // 3}季度补贴资金核查"
    pks = list(scope.values_list("pk", flat=True))
    _draft(InspectionKind.SUBSIDY, name, pks, since, next_quarter - timedelta(days=1), keeper, today)
    return 1


def _draft(
    kind: InspectionKind,
    name: str,
    scope: Iterable[int],
    since: date,
    due_on: date,
    keeper: Department,
    today: date,
    institution: Institution | None = None,
) -> None:
    until = max(due_on, today)
    tick_until = min(add_workdays(today, TICK_WORKDAYS), until)
    inspection = JointInspection.objects.create(
        number=next_inspection_number(keeper),
        name=name,
        kind=kind,
        lead_department=keeper,
        window_from=today,
        window_until=until,
        tick_deadline=timezone.make_aware(datetime.combine(tick_until, time(17))),
    )
    set_versions(inspection, _newest_versions(keeper, today))
    Candidate.objects.bulk_create(
        Candidate(joint_inspection=inspection, institution_id=pk, source=ScopeSource.HAND) for pk in scope
    )
    DueCheck.objects.create(
        kind=kind, institution=institution, since=since, due_on=due_on, joint_inspection=inspection
    )
    permissions.grant_leading(inspection)
    payload = {
        "number": inspection.number,
        "kind": kind,
        "since": since.isoformat(),
        "due_on": due_on.isoformat(),
        "candidates": inspection.candidates.count(),
    }
    append(inspection, Event.DUE_CHECK_OPENED, payload, None, keeper)
    departments.notify(
        keeper,
        f"已自动拟定“{name}”，应于 {due_on} 前完成检查，请核对后提请审批。",
        subject=inspection.subject,
        roles=CLERKS,
    )


def _newest_versions(keeper: Department, today: date) -> list[ScenarioVersion]:
    """What the department's own scenarios say today; an empty draft asks its clerk to choose."""
    rows = ScenarioVersion.objects.filter(
        state=VersionState.PUBLISHED, effective_from__lte=today, scenario__lead_department=keeper
    )
    return list(rows.order_by("scenario_id", "-effective_from", "-number").distinct("scenario_id"))
