"""A small county in which every role has something to see, and the wrong department nothing."""

from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from django.core.files.uploadedfile import SimpleUploadedFile

from core.registers import runs
from departments.enums import Role
from departments.models import User
from departments.services import notify_users
from departments.services.roster import OFFICERS
from inspections.enums import InspectionKind, InspectionState, OwnResultState
from inspections.models import Draw, ItemRequest, JointInspection, Tick
from inspections.services.contributions import open_contributions
from inspections.services.draw import draw
from inspections.services.photos import attach_photo
from institutions.services import recuse
from institutions.services.importing import INSTITUTIONS
from penalties.enums import CaseState
from scenarios.models import Delegation, ScenarioVersion
from scenarios.services.delegations import confirm_delegation
from scenarios.services.delegations.register import DELEGATIONS
from scenarios.services.importing import import_workbook
from scenarios.services.participants import invite
from scenarios.services.uploads import keep
from tests.factories.archive import make_disclosure
from tests.factories.delegations import make_upload
from tests.factories.departments import make_department, make_officer, make_town, make_user
from tests.factories.inspections import clerk_of, head_of, make_inspection, tick_everything
from tests.factories.institutions import make_institution
from tests.factories.matrices import make_bureaus, make_workbook, printed
from tests.factories.own_results import make_own_result
from tests.factories.papers import make_pdf
from tests.factories.penalties import make_case, make_taken_up
from tests.factories.plans import make_round
from tests.factories.scenarios import Row, delegate_all, make_version
from tests.factories.tasks import (
    item_of,
    make_rectification,
    make_referral,
    make_running_inspection,
    make_task,
    officer_of,
    photo_upload,
)

# Everybody who looks, in the order of the table's columns.
PERSONAS = (
    "anonymous",
    "clerk",  # 经办 of the lead bureau
    "head",  # 负责人 of the lead bureau
    "partner",  # 经办 of a participating bureau
    "officer",  # 执法人员 of that bureau, sent to the visit
    "town",  # 经办 and 执法人员 of the town that receives referrals
    "lawyer",  # 法制审核 of that town
    "keeper",  # 部门管理员 of the participating bureau
    "admin",  # 系统管理员
    "security",  # 安全管理员
    "inspectorate",  # 督查
    "auditor",  # 审计管理员
    "outsider",  # 经办, 负责人 and 执法人员 of a bureau that takes no part
)

CASES = {
    "filed": CaseState.FILED,
    "in-review": CaseState.LEGAL_REVIEW,
    "decided": CaseState.DECIDED,
    "served": CaseState.SERVED,
}


@dataclass
class World:
    users: dict[str, User]
    # What stands in the table's third column → the arguments of the address.
    objects: dict[str, tuple[Any, ...]]


def build() -> World:
    town = make_town("英林镇")
    minzheng, xiaofang, renshe = (make_department(code) for code in ("minzheng", "xiaofang", "renshe"))
    version = make_version()
    delegate_all(town, version)

    running = make_running_inspection(version)
    task = make_task(inspection=running)
    referral = make_referral(inspection=running, delegated=False)
    rectification = make_rectification(inspection=running)
    taken_up = make_taken_up()

    draft = make_inspection(InspectionState.DRAFT, version=version)
    awaiting = make_inspection(InspectionState.AWAITING_APPROVAL, version=version)
    ticking = make_inspection(InspectionState.TICKING, version=version)
    tick_everything(ticking.participations.get(department=minzheng))
    closed = make_inspection(InspectionState.TICKING_CLOSED, version=version, ticked=True)

    drawn = _drawn(version, InspectionKind.DAILY)
    drawn_case = _drawn(version, InspectionKind.CASE)
    collecting = open_contributions(
        make_inspection(InspectionState.TICKING_CLOSED, version=version, ticked=True),
        actor=clerk_of(minzheng),
    )

    outsider = make_user(renshe, Role.HANDLER, Role.HEAD, Role.OFFICER)
    users = {
        "clerk": clerk_of(minzheng),
        "head": head_of(minzheng),
        "partner": clerk_of(xiaofang),
        "officer": officer_of(task).user,
        "town": make_user(referral.to_department, Role.HANDLER, Role.OFFICER),
        "lawyer": make_user(referral.to_department, Role.LEGAL_REVIEWER),
        "keeper": make_user(xiaofang, Role.DEPARTMENT_ADMIN),
        "admin": make_user(None, Role.SYSTEM_ADMIN),
        "security": make_user(None, Role.SECURITY_ADMIN),
        "inspectorate": make_user(None, Role.INSPECTORATE),
        "auditor": make_user(None, Role.AUDITOR),
        "outsider": outsider,
    }
    notify_users([users["clerk"]], "请查看。", subject=running.subject)
    officer = make_officer(xiaofang)
    institution = make_institution(town)
    recusal = recuse(officer, institution, actor=officer.user, reason="近亲属在该机构任职")
    own_tick = _tick(ticking, "xiaofang")
    request = ItemRequest.objects.create(
        tick=own_tick, department=minzheng, reason="上次检查发现隐患", requested_by=users["clerk"]
    )
    photo = attach_photo(item_of(task), photo_id=uuid4(), upload=photo_upload(), actor=users["officer"])
    led_elsewhere = make_version([Row("用地检查", "ziran")]).scenario
    invite(led_elsewhere, xiaofang, actor=users["clerk"])
    make_bureaus()
    matrix = make_workbook([printed()])
    imported = import_workbook(matrix, name="清单.xlsx", actor=users["clerk"])
    upload = keep(
        SimpleUploadedFile("清单二.xlsx", make_workbook([printed(number="2")])), actor=users["clerk"]
    )
    delegation = confirm_delegation(
        Delegation.objects.filter(town=town).first(), confirmation=make_pdf(), actor=users["admin"]
    )
    imported_register = runs.begin(
        INSTITUTIONS, SimpleUploadedFile("名录.xlsx", make_workbook([])), actor=users["clerk"]
    )
    officers = SimpleUploadedFile("执法人员.xlsx", make_workbook([["C1"]], header=["执法证号"], above=()))
    planned = make_round()
    objects = {
        "-": (),
        "officers-import": (runs.begin(OFFICERS, officers, actor=users["keeper"]).pk,),
        "notification": (users["clerk"].notifications.first().pk,),
        "subject": (running.subject,),
        "unknown-subject": ("riddle:7",),
        "department": (xiaofang.code,),
        "alias": (xiaofang.code, xiaofang.aliases.first().pk),
        "officer": (officer.pk,),
        "account": (officer.user.pk,),
        "post": (officer.user.pk, officer.user.posts.first().pk),
        "institution": (institution.key,),
        "elsewhere": (make_institution(make_town("安海镇")).key,),
        "import": (imported_register.pk,),
        "recusal": (recusal.pk,),
        "running": (running.pk,),
        "draft": (draft.pk,),
        "awaiting": (awaiting.pk,),
        "ticking": (ticking.pk,),
        "closed": (closed.pk,),
        "drawn": (drawn.pk,),
        "drawn-case": (drawn_case.pk,),
        "collecting": (collecting.pk,),
        "tick": (own_tick.pk,),
        "lead-tick": (_tick(ticking, "minzheng").pk,),
        "participation": (ticking.participations.get(department=xiaofang).pk,),
        "plan": (planned.plan_id,),
        "plan-round": (planned.pk,),
        "own-result": (make_own_result(xiaofang, attachment=make_pdf()).pk,),
        "own-returned": (make_own_result(xiaofang, OwnResultState.RETURNED).pk,),
        "task": (task.pk,),
        "submitted": (referral.finding.task_id,),
        "finding": (referral.finding_id,),
        "rectification": (rectification.pk,),
        "referral": (referral.pk,),
        "taken-up": (taken_up.pk,),
        **{f"case-{name}": (make_case(state).pk,) for name, state in CASES.items()},
        "scenario": (version.scenario_id,),
        "named": (version.scenario_id, xiaofang.code),
        "unnamed": (version.scenario_id, renshe.code),
        "guest": (led_elsewhere.pk, xiaofang.code),
        "version": (version.pk,),
        "imported": (imported.pk,),
        "line": (imported.pk, imported.rows.first().pk),
        "upload": (upload.pk,),
        "item": (item_of(task).check_item_id,),
        "penalty": (version.rows.get(penalty_department=xiaofang).penalty_item_id,),
        "trail-entries": ("entries",),
        "trail-logins": ("logins",),
        "disclosure": (make_disclosure().pk,),
        "delegation": (delegation.pk,),
        "ending": (delegation.pk, "end"),
        "delegations": (runs.begin(DELEGATIONS, make_upload([]), actor=users["admin"]).pk,),
        "delegated": (town.code, delegation.penalty_item_id),
        "request": (request.pk,),
        "task-item": (task.pk, item_of(task).pk),
        "task-answer": (task.pk, uuid4()),
        "task-photo": (task.pk, uuid4()),
        "photo": (photo.pk,),
        "signature": (referral.finding.task.signatures.first().pk,),
    }
    return World(users, objects)


def _drawn(version: ScenarioVersion, kind: InspectionKind) -> Draw:
    inspection = make_inspection(InspectionState.TICKING_CLOSED, version=version, kind=kind, ticked=True)
    return draw(inspection, actor=clerk_of(inspection.lead_department))


def _tick(inspection: JointInspection, department: str) -> Tick:
    return inspection.ticks.filter(department__code=department).order_by("pk").first()
