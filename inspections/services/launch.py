"""A joint inspection from draft to approval, and how it ends: nothing goes out before a 负责人 approves."""

from collections.abc import Iterable
from datetime import date, datetime

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from core.digests import digest_json, digest_text
from core.errors import DomainError
from core.numbers import next_number
from departments import services as departments
from departments.enums import NotificationKind, Role
from departments.models import Department, User
from departments.permissions import CLERKS, require_role
from inspections import permissions
from inspections.draws.rules import SamplingRule, everything
from inspections.enums import (
    INSPECTION_TRANSITIONS,
    Cause,
    Event,
    InspectionKind,
    InspectionState,
    SilenceRule,
    TaskState,
)
from inspections.models import (
    JointInspection,
    Participation,
    PlanRound,
    TaskOrigin,
    Tick,
)
from inspections.services.plans import require_round_of
from inspections.services.scope import Scope, set_candidates, set_versions
from inspections.services.visit_budget import require_budget
from institutions.models import Institution
from ledger import services as ledger
from scenarios.enums import VersionState
from scenarios.models import PublishedItem, Scenario, ScenarioVersion
from scenarios.services.participants import departments_without_contact, taking_part

EVERYBODY = SamplingRule(everything())


@transaction.atomic
def launch(
    *,
    name: str,
    kind: InspectionKind,
    lead_department: Department,
    versions: Iterable[ScenarioVersion],
    window_from: date,
    window_until: date,
    tick_deadline: datetime,
    actor: User,
    cause: Cause = Cause.PLAN,
    sampling: SamplingRule = EVERYBODY,
    silence_rule: SilenceRule = SilenceRule.NONE,
    scope_filter: dict | None = None,
    by_filter: Scope = (),
    by_hand: Scope = (),
    purpose: str = "",
    plan_round: PlanRound | None = None,
) -> JointInspection:
    """Draft a joint inspection led by a department of the actor; only the lead sees it until it is approved.

    `by_filter` contributes institutions in operation, `by_hand` also suspended ones; `scope_filter` is
    the query the filter came from, kept to show it again. Raises DomainError with the fields at fault.
    """
    require_role(actor, CLERKS, lead_department)
    versions = _in_force(versions)
    _check_dates(window_from, window_until, tick_deadline)
    _check_cause(kind, cause)
    require_round_of(lead_department, plan_round)
    inspection = JointInspection.objects.create(
        number=next_inspection_number(lead_department),
        name=_worded(name, "name", "请填写联合检查名称。"),
        kind=kind,
        cause=cause,
        plan_round=plan_round,
        purpose=purpose.strip(),
        lead_department=lead_department,
        window_from=window_from,
        window_until=window_until,
        tick_deadline=tick_deadline,
        sampling_rule=sampling.as_json(),
        silence_rule=silence_rule,
        scope_filter=scope_filter or {},
        launched_by=actor,
    )
    set_versions(inspection, versions)
    set_candidates(inspection, by_filter, by_hand, actor)
    permissions.grant_leading(inspection)
    _append(inspection, Event.LAUNCHED, {"number": inspection.number, **_plan(inspection)}, actor)
    return inspection


@transaction.atomic
def change(
    inspection: JointInspection,
    *,
    name: str,
    kind: InspectionKind,
    versions: Iterable[ScenarioVersion],
    window_from: date,
    window_until: date,
    tick_deadline: datetime,
    actor: User,
    cause: Cause = Cause.PLAN,
    sampling: SamplingRule = EVERYBODY,
    silence_rule: SilenceRule = SilenceRule.NONE,
    scope_filter: dict | None = None,
    by_filter: Scope = (),
    by_hand: Scope = (),
    purpose: str = "",
) -> JointInspection:
    """Replace the plan of a draft; the same rules as `launch`. Raises DomainError once approval was asked for."""
    inspection = locked(inspection)
    permissions.require_leading(actor, inspection)
    if inspection.state != InspectionState.DRAFT:
        raise DomainError(f"联合检查{inspection.get_state_display()}，方案不能再修改。")
    versions = _in_force(versions)
    _check_dates(window_from, window_until, tick_deadline)
    _check_cause(kind, cause)
    inspection.name = _worded(name, "name", "请填写联合检查名称。")
    inspection.kind = kind
    inspection.cause = cause
    inspection.purpose = purpose.strip()
    inspection.window_from = window_from
    inspection.window_until = window_until
    inspection.tick_deadline = tick_deadline
    inspection.sampling_rule = sampling.as_json()
    inspection.silence_rule = silence_rule
    inspection.scope_filter = scope_filter or {}
    inspection.save()
    set_versions(inspection, versions)
    set_candidates(inspection, by_filter, by_hand, actor)
    inspection.candidates.filter(institution__in=inspection.taken_over.values("institution")).delete()
    _append(inspection, Event.CHANGED, _plan(inspection), actor)
    return inspection


@transaction.atomic
def submit_for_approval(inspection: JointInspection, *, actor: User) -> JointInspection:
    """Fix the roster and ask the lead department's 负责人.

    Raises DomainError for an empty scope, a passed deadline, a version retired meanwhile, a department
    nobody there can be called at, an institution at the yearly cap, or visits of others nobody says why to repeat.
    """
    inspection = locked(inspection)
    permissions.require_leading(actor, inspection)
    require_transition(inspection, InspectionState.AWAITING_APPROVAL)
    require_ready(inspection)
    require_budget(inspection)
    inspection.state = InspectionState.AWAITING_APPROVAL
    inspection.sent_back_reason = ""
    inspection.launched_by = inspection.launched_by or actor
    inspection.save(update_fields=["state", "sent_back_reason", "launched_by"])
    keys = Institution.objects.filter(pk__in=inspection.candidates.values("institution")).order_by("key")
    roster = [str(key) for key in keys.values_list("key", flat=True)]
    payload = {"candidates": len(roster), "roster": digest_json(roster)}
    _append(inspection, Event.SUBMITTED_FOR_APPROVAL, payload, actor)
    departments.notify(
        inspection.lead_department,
        f"联合检查“{inspection.name}”待审批。",
        subject=inspection.subject,
        roles=(Role.HEAD,),
    )
    return inspection


@transaction.atomic
def approve(inspection: JointInspection, *, actor: User) -> JointInspection:
    """The 负责人 of the lead department lets it go out (行政检查须经负责人批准，law.md §3).

    Only now every department implementing a check item of the versions, or invited by their leads, takes
    part, sees it, is told, and finds its items to tick; an item that several versions share is offered
    once, in its newest text.
    """
    inspection = locked(inspection)
    permissions.require_approving(actor, inspection)
    require_transition(inspection, InspectionState.TICKING)
    if inspection.state != InspectionState.AWAITING_APPROVAL:
        raise DomainError("勾选已截止，如需继续请延长勾选期限。")
    require_ready(inspection)
    inspection.state = InspectionState.TICKING
    inspection.approved_by = actor
    inspection.approved_at = timezone.now()
    inspection.save(update_fields=["state", "approved_by", "approved_at"])
    _append(inspection, Event.APPROVED, send_out(inspection), actor)
    return inspection


def send_out(inspection: JointInspection) -> dict:
    """Invite the departments and offer them their items; returns whom and what, as the ledger keeps it."""
    items = items_offered(inspection)
    Tick.objects.bulk_create(
        Tick(
            joint_inspection=inspection,
            department_id=item.department_id,
            check_item_id=item.check_item_id,
            item=item,
        )
        for item in items
    )
    named = Q(pk__in={item.department_id for item in items})
    invited = Q(pk__in=taking_part(*_scenarios(inspection)).values("pk"))
    departments_asked = list(Department.objects.filter(named | invited))
    Participation.objects.bulk_create(
        Participation(joint_inspection=inspection, department=department) for department in departments_asked
    )
    deadline = f"{timezone.localtime(inspection.tick_deadline):%Y-%m-%d %H:%M}"
    for department in departments_asked:
        permissions.grant_participation(inspection, department)
        departments.notify(
            department,
            f"请于 {deadline} 前勾选“{inspection.name}”的检查事项。",
            subject=inspection.subject,
            roles=CLERKS,
        )
    return {
        "departments": [department.code for department in departments_asked],
        "check_items": sorted(item.check_item_id for item in items),
    }


@transaction.atomic
def send_back(inspection: JointInspection, *, reason: str, actor: User) -> JointInspection:
    """The 负责人 returns it to the draft with a reason."""
    inspection = locked(inspection)
    permissions.require_approving(actor, inspection)
    require_transition(inspection, InspectionState.DRAFT)
    inspection.sent_back_reason = _worded(reason, "reason", "请填写退回意见。")
    inspection.state = InspectionState.DRAFT
    inspection.save(update_fields=["state", "sent_back_reason"])
    _append(inspection, Event.SENT_BACK, {"reason": digest_text(inspection.sent_back_reason)}, actor)
    departments.notify(
        inspection.lead_department, f"联合检查“{inspection.name}”被退回修改。", subject=inspection.subject
    )
    return inspection


@transaction.atomic
def cancel(inspection: JointInspection, *, reason: str, actor: User) -> JointInspection:
    """The lead calls it off before tasks are generated; departments already invited are told."""
    inspection = locked(inspection)
    permissions.require_leading(actor, inspection)
    require_transition(inspection, InspectionState.CANCELLED)
    inspection.cancelled_reason = _worded(reason, "reason", "请填写取消原因。")
    was = inspection.state
    inspection.state = InspectionState.CANCELLED
    inspection.save(update_fields=["state", "cancelled_reason"])
    payload = {"from": was, "reason": digest_text(inspection.cancelled_reason)}
    _append(inspection, Event.CANCELLED, payload, actor)
    for participation in inspection.participations.select_related("department"):
        departments.notify(
            participation.department,
            f"联合检查“{inspection.name}”已取消。",
            subject=inspection.subject,
            kind=NotificationKind.NEWS,
        )
    return inspection


@transaction.atomic
def complete(inspection: JointInspection, *, actor: User) -> JointInspection:
    """The lead closes a joint inspection all of whose visits were made or cancelled."""
    inspection = locked(inspection)
    permissions.require_leading(actor, inspection)
    require_transition(inspection, InspectionState.COMPLETED)
    if inspection.awaits_approval_afterwards:
        raise DomainError("尚未补办审批，不能办结，请本部门负责人补办。")
    origins = TaskOrigin.objects.filter(joint_inspection=inspection)
    still_open = origins.filter(task__state__in=[TaskState.ASSIGNED, TaskState.UNDER_WAY]).count()
    if still_open:
        raise DomainError(f"还有 {still_open} 家机构的检查未提交，不能结束。")
    inspection.state = InspectionState.COMPLETED
    inspection.save(update_fields=["state"])
    payload = {"submitted": origins.filter(task__state=TaskState.SUBMITTED).count()}
    _append(inspection, Event.COMPLETED, payload, actor)
    return inspection


def locked(inspection: JointInspection) -> JointInspection:
    """The row as it is now, locked to the end of the transaction; foreign keys to it stay free."""
    rows = JointInspection.objects.select_related("lead_department__group")
    return rows.select_for_update(of=("self",), no_key=True).get(pk=inspection.pk)


def require_transition(inspection: JointInspection, to: InspectionState) -> None:
    """Raise DomainError when the table of transitions does not lead from the present state to `to`."""
    if to not in INSPECTION_TRANSITIONS[inspection.state]:
        raise DomainError(
            f"联合检查{inspection.get_state_display()}，不能改为“{InspectionState(to).label}”。"
        )


def _append(inspection: JointInspection, event: Event, payload: dict, actor: User) -> None:
    ledger.append(
        inspection.subject, event, payload, actor=actor.key, department=inspection.lead_department.key
    )


def _plan(inspection: JointInspection) -> dict:
    """What a draft says, as the ledger keeps it."""
    return {
        "name": digest_text(inspection.name),
        "kind": inspection.kind,
        "cause": inspection.cause,
        "versions": sorted(inspection.versions.values_list("pk", flat=True)),
        "window": [inspection.window_from.isoformat(), inspection.window_until.isoformat()],
        "tick_deadline": inspection.tick_deadline.isoformat(),
        "sampling_rule": inspection.sampling_rule,
        "silence_rule": inspection.silence_rule,
        "candidates": inspection.candidates.count(),
    }


def next_inspection_number(department: Department) -> str:
    """晋民联检〔2026〕1号; the series belongs to the printed prefix, so that no two numbers look alike."""
    year = timezone.localdate().year
    issuer = department.agency_code or department.short_name[:16]
    return f"{issuer}联检〔{year}〕{next_number(issuer=issuer, kind='joint_inspection', year=year)}号"


def _in_force(versions: Iterable[ScenarioVersion]) -> list[ScenarioVersion]:
    wanted = {version.pk for version in versions}
    if not wanted:
        raise DomainError("请选择一件事主题。", fields={"versions": "请至少选择一个已发布的版本。"})
    found = list(ScenarioVersion.objects.filter(pk__in=wanted, state=VersionState.PUBLISHED))
    if len(found) != len(wanted):
        raise DomainError("只能选用已发布、未停用的版本。", fields={"versions": "含有未发布或已停用的版本。"})
    return found


def _check_dates(window_from: date, window_until: date, tick_deadline: datetime) -> None:
    problems = {}
    if window_until < window_from:
        problems["window_until"] = "检查截止日期早于开始日期。"
    elif window_until < timezone.localdate():
        problems["window_until"] = "检查截止日期已过。"
    if tick_deadline <= timezone.now():
        problems["tick_deadline"] = "勾选截止时间应晚于现在。"
    elif not problems and timezone.localdate(tick_deadline) > window_until:
        problems["tick_deadline"] = "勾选截止时间应不晚于检查截止日期。"
    if problems:
        raise DomainError("".join(problems.values()), fields=problems)


def _check_cause(kind: InspectionKind, cause: Cause) -> None:
    """个案检查 is held on a complaint or a clue, and on nothing else (养老机构行政检查办法)."""
    if kind == InspectionKind.CASE and cause not in (Cause.COMPLAINT, Cause.CLUE):
        message = "个案检查的任务来源应为投诉举报或问题线索。"
        raise DomainError(message, fields={"cause": message})


def _worded(text: str, field: str, message: str) -> str:
    text = text.strip()
    if not text:
        raise DomainError(message, fields={field: message})
    return text


def require_ready(inspection: JointInspection) -> None:
    """What must hold when approval is asked for must still hold when it is given."""
    _check_dates(inspection.window_from, inspection.window_until, inspection.tick_deadline)
    _in_force(inspection.versions.all())
    if not inspection.candidates.exists():
        raise DomainError("检查范围内没有机构，请先选择机构。")
    if not PublishedItem.objects.filter(version__in=inspection.versions.values("pk")).exists():
        raise DomainError("所选版本没有检查事项。")
    lacking = departments_without_contact(*_scenarios(inspection))
    if lacking:
        names = "、".join(department.short_name for department in lacking)
        raise DomainError(
            f"{names}还没有联系人，不能下发。请由其在一件事的“参与部门”中指定业务科室和联系人。"
        )


def _scenarios(inspection: JointInspection) -> list[Scenario]:
    return list(Scenario.objects.filter(versions__in=inspection.versions.all()).distinct())


def items_offered(inspection: JointInspection) -> list[PublishedItem]:
    """One published item for each check item of the library: the newest version's."""
    return list(
        PublishedItem.objects.filter(version__in=inspection.versions.values("pk"))
        .select_related("department")
        .order_by("check_item_id", "-version__published_at", "-version_id")
        .distinct("check_item_id")
    )
