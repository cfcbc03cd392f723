"""A visit with its one form, as merge leaves it: items, why they are there, who was sent."""

from datetime import date, timedelta
from itertools import count

from django.utils import timezone

from departments.enums import Role
from departments.models import Department, Officer
from inspections import permissions
from inspections.enums import InspectionKind, InspectionState, ParticipationState
from inspections.models import (
    JointInspection,
    JointInspectionVersion,
    Participation,
    Task,
    TaskItem,
    TaskItemRow,
    TaskOfficer,
    TaskOrigin,
)
from institutions.models import Institution
from scenarios.models import ScenarioVersion
from tests.factories.departments import make_department, make_officer, make_user
from tests.factories.institutions import make_institution
from tests.factories.scenarios import make_version

_numbers = count(1)


def make_running_inspection(version: ScenarioVersion, **fields) -> JointInspection:
    """A joint inspection on its way: approved, ticked, open to every department of the version."""
    lead = version.scenario.lead_department
    number = next(_numbers)
    values = {
        "number": f"LHJC-T{number:05d}",
        "name": f"第{number}次联合检查",
        "kind": InspectionKind.DAILY,
        "lead_department": lead,
        "window_from": date.today(),
        "window_until": date.today() + timedelta(days=14),
        "tick_deadline": timezone.now() - timedelta(days=1),
        "ticking_closed_at": timezone.now() - timedelta(days=1),
        "state": InspectionState.UNDER_WAY,
        "launched_by": make_user(lead, Role.HANDLER),
        "approved_by": make_user(lead, Role.HEAD),
        "approved_at": timezone.now() - timedelta(days=2),
    }
    inspection = JointInspection.objects.create(**(values | fields))
    JointInspectionVersion.objects.create(joint_inspection=inspection, version=version)
    permissions.grant_leading(inspection)
    for department in Department.objects.filter(pk__in=version.items.values("department")):
        Participation.objects.create(
            joint_inspection=inspection, department=department, state=ParticipationState.ANSWERED
        )
        permissions.grant_participation(inspection, department)
    return inspection


def make_task(
    *,
    institution: Institution | None = None,
    version: ScenarioVersion | None = None,
    officers_per_department: int = 2,
    inspection: JointInspection | None = None,
    **fields,
) -> Task:
    """A visit with every item of the version on its form and certified officers of each department."""
    if version is None:
        version = inspection.versions.get() if inspection else make_version()
    inspection = inspection or make_running_inspection(version)
    institution = institution or make_institution()
    values = {
        "institution": institution,
        "window_from": inspection.window_from,
        "window_until": inspection.window_until,
    }
    task = Task.objects.create(**(values | fields))
    TaskOrigin.objects.create(task=task, joint_inspection=inspection, institution=institution)
    for item in version.items.select_related("department"):
        task_item = TaskItem.objects.create(
            task=task, department=item.department, check_item_id=item.check_item_id, item=item
        )
        TaskItemRow.objects.bulk_create(TaskItemRow(task_item=task_item, row=row) for row in item.rows.all())
    for department in Department.objects.filter(pk__in=version.items.values("department")):
        for _ in range(officers_per_department):
            TaskOfficer.objects.create(task=task, officer=make_officer(department), department=department)
    return task


def officer_of(task: Task, department: str = "xiaofang") -> Officer:
    """The first officer this department sent to the visit."""
    return task.officers.filter(department__code=department).order_by("pk").first().officer


def item_of(task: Task, department: str = "xiaofang") -> TaskItem:
    """The first item of this department on the form."""
    return task.items.filter(department=make_department(department)).order_by("pk").first()
