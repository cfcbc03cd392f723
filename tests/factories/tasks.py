"""A visit with its one form, as merge leaves it: items, why they are there, who was sent."""

import io
from datetime import date, timedelta
from itertools import count
from uuid import uuid4

from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone
from PIL import Image, ImageDraw

from departments.enums import Role
from departments.models import Department, Officer
from inspections import permissions
from inspections.enums import (
    AnswerValue,
    Disposition,
    InspectionKind,
    InspectionState,
    ParticipationState,
    Severity,
    SignerKind,
)
from inspections.models import (
    JointInspection,
    JointInspectionVersion,
    Participation,
    Rectification,
    Referral,
    Task,
    TaskItem,
    TaskItemRow,
    TaskOfficer,
    TaskOrigin,
)
from inspections.services import answers, signatures, submitting
from institutions.models import Institution
from scenarios.models import MatrixRow, ScenarioVersion
from tests.factories.departments import make_department, make_officer, make_user
from tests.factories.institutions import make_institution
from tests.factories.scenarios import delegate_all, make_version

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


def png(*, blank: bool = False) -> bytes:
    """A signature as the pad writes it: strokes on a transparent ground."""
    picture = Image.new("RGBA", (64, 24), (0, 0, 0, 0))
    if not blank:
        ImageDraw.Draw(picture).line([(4, 20), (30, 4), (60, 18)], fill=(22, 19, 15, 255), width=3)
    return _encoded(picture, "PNG")


def photo_upload(name: str = "现场.jpg", colour: str = "grey") -> SimpleUploadedFile:
    """A small JPEG as a phone sends it; another colour is another photo."""
    return SimpleUploadedFile(name, _encoded(Image.new("RGB", (32, 24), colour), "JPEG"), "image/jpeg")


def problem(row: MatrixRow, disposition: Disposition = Disposition.REFERRAL, **fields) -> dict:
    """One finding as a phone sends it, under this matrix row."""
    values = {
        "row": row.pk,
        "severity": Severity.GENERAL,
        "disposition": disposition,
        "days": 15 if disposition == Disposition.RECTIFICATION else None,
        "fact": "二楼疏散通道堆放杂物",
    }
    return values | fields


def answer_item(
    item: TaskItem, value: AnswerValue = AnswerValue.COMPLIANT, findings=(), **fields
) -> TaskItem:
    """One answer by the first officer of the item's department, over whatever stands there now."""
    item = TaskItem.objects.select_related("department", "task").get(pk=item.pk)
    values = {"answer_id": uuid4(), "base_rev": item.rev}
    actor = officer_of(item.task, item.department.code).user
    return answers.answer(item, value=value, findings=findings, actor=actor, **(values | fields))


def answer_all(task: Task, *problems: dict) -> None:
    """Answer the whole form: 不符合 for the items these problems belong to, 符合 for the rest."""
    for item in task.items.all():
        rows = set(item.rows.values_list("row", flat=True))
        found = [one for one in problems if one["row"] in rows]
        answer_item(item, AnswerValue.NON_COMPLIANT if found else AnswerValue.COMPLIANT, found)


def sign_all(task: Task) -> None:
    """Every officer sent and the institution's representative sign on one officer's phone."""
    actor = task.officers.order_by("pk").first().officer.user
    for sent in task.officers.select_related("officer"):
        signatures.sign(task, image=png(), kind=SignerKind.OFFICER, officer=sent.officer, actor=actor)
    signatures.sign(task, image=png(), kind=SignerKind.INSTITUTION, signer_name="林代表", actor=actor)


def submit_task(task: Task, *problems: dict) -> Task:
    """Answer, sign and submit the form, with these problems on it."""
    answer_all(task, *problems)
    sign_all(task)
    return submitting.submit(task, actor=task.officers.order_by("pk").first().officer.user)


def make_referral(*, row_number: str = "5", delegated: bool = True, **task_fields) -> Referral:
    """A referral sent by a submitted form: by default row 5 of ROWS, 消防 → the town, which holds the delegation."""
    task = make_task(**task_fields)
    version = ScenarioVersion.objects.get(joint_inspections__origins__task=task)
    town = task.institution.town
    if not Department.objects.filter(town=town).exists():
        make_department(f"town{town.code}", town)
    if delegated:
        delegate_all(town, version)
    submit_task(task, problem(version.rows.get(number=row_number)))
    return Referral.objects.select_related("to_department", "from_department", "finding", "institution").get(
        finding__task=task
    )


def make_rectification(**task_fields) -> Rectification:
    """A rectification ordered by 消防 with a submitted form, fifteen days from today."""
    task = make_task(**task_fields)
    row = MatrixRow.objects.get(version__joint_inspections__origins__task=task, number="5")
    submit_task(task, problem(row, Disposition.RECTIFICATION))
    return Rectification.objects.select_related("department", "finding").get(finding__task=task)


def _encoded(picture: Image.Image, kind: str) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind)
    return buffer.getvalue()
