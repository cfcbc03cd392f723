from collections.abc import Collection
from datetime import timedelta

from django.utils import timezone

from departments.enums import Role
from departments.models import User
from inspections import permissions
from inspections.draws.rules import SamplingRule, percent
from inspections.enums import InspectionKind, InspectionState, ScopeSource
from inspections.models import Candidate, JointInspection, JointInspectionVersion, Tick
from institutions.models import Institution
from scenarios.models import ScenarioVersion
from tests.factories.departments import make_department, make_officer, make_user


def make_closed_inspection(
    version: ScenarioVersion,
    institutions: Collection[Institution],
    *,
    ticked: Collection[str] | None = None,
    number: str = "2026-0001",
    ratio: int = 100,
    rule: SamplingRule | None = None,
    officers: int = 2,
) -> tuple[JointInspection, User]:
    """A joint inspection whose ticking is closed, and a clerk of its lead department.

    `ticked` names check items (all of them by default); every department gets `officers` certified ones.
    """
    lead = make_department("minzheng")
    clerk = make_user(lead, Role.HANDLER)
    today = timezone.localdate()
    inspection = JointInspection.objects.create(
        number=number,
        name=f"联合检查{number}",
        kind=InspectionKind.DAILY,
        lead_department=lead,
        window_from=today,
        window_until=today + timedelta(days=20),
        tick_deadline=timezone.now(),
        sampling_rule=(rule or SamplingRule(percent(ratio))).as_json(),
        state=InspectionState.TICKING_CLOSED,
        launched_by=clerk,
        approved_by=clerk,
        approved_at=timezone.now(),
        ticking_closed_at=timezone.now(),
    )
    JointInspectionVersion.objects.create(joint_inspection=inspection, version=version)
    permissions.grant_leading(inspection)
    Candidate.objects.bulk_create(
        Candidate(joint_inspection=inspection, institution=institution, source=ScopeSource.FILTER)
        for institution in institutions
    )
    departments = {}
    for item in version.items.select_related("department"):
        departments[item.department_id] = item.department
        Tick.objects.create(
            joint_inspection=inspection,
            department=item.department,
            check_item=item.check_item,
            item=item,
            ticked=ticked is None or item.name in ticked,
        )
    for department in departments.values():
        permissions.grant_participation(inspection, department)
        for _ in range(officers - department.officers.count()):
            make_officer(department)
    return inspection, clerk
