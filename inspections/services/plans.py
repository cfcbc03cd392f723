"""年度联合抽查计划: made by a lead, filled with rounds; how far a round is follows from what was launched for it."""

from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Count, Q, QuerySet

from core.errors import DomainError
from departments.models import Department, User
from departments.permissions import CLERKS, require_role
from inspections.enums import Event, InspectionState, RoundState
from inspections.models import JointInspection, Plan, PlanRound
from ledger import services as ledger

ROUND_FIELDS = ("name", "month_from", "month_until", "kind", "scope", "rule")


@transaction.atomic
def make_plan(*, year: int, lead_department: Department, name: str, actor: User) -> Plan:
    """Raises PermissionDenied unless the actor is a clerk of the lead, DomainError for a second plan of a year."""
    require_role(actor, CLERKS, lead_department)
    try:
        with transaction.atomic():
            plan = Plan.objects.create(
                year=year, lead_department=lead_department, name=name.strip(), created_by=actor
            )
    except IntegrityError:
        message = f"{lead_department.short_name}已有{year}年的计划，请在该计划中添加轮次。"
        raise DomainError(message, fields={"year": message})
    _append(plan, Event.PLAN_MADE, {"year": year}, actor)
    return plan


@transaction.atomic
def add_round(plan: Plan, *, actor: User, **fields: Any) -> PlanRound:
    """`fields` are those of ROUND_FIELDS. Raises DomainError for months out of order."""
    require_role(actor, CLERKS, plan.lead_department)
    if fields["month_until"] < fields["month_from"]:
        message = "结束月份早于开始月份。"
        raise DomainError(message, fields={"month_until": message})
    added = PlanRound.objects.create(plan=plan, **{name: fields.get(name, "") for name in ROUND_FIELDS})
    _append(plan, Event.PLAN_ROUND_ADDED, {"round": added.pk, **_said(added)}, actor)
    return added


@transaction.atomic
def remove_round(planned: PlanRound, *, actor: User) -> None:
    """Take a round out of its plan. Raises DomainError once anything was launched for it."""
    planned = (
        PlanRound.objects.select_for_update(of=("self",))
        .select_related("plan__lead_department")
        .get(pk=planned.pk)
    )
    require_role(actor, CLERKS, planned.plan.lead_department)
    if planned.joint_inspections.exists():
        raise DomainError("该轮次已发起联合检查，不能删除。")
    _append(planned.plan, Event.PLAN_ROUND_REMOVED, {"round": planned.pk, **_said(planned)}, actor)
    planned.delete()


def with_progress(rounds: QuerySet[PlanRound]) -> list[PlanRound]:
    """The rounds, each with its `state`: planned, launched, or done once all that was launched for it is over."""
    counted = list(
        rounds.select_related("plan").annotate(
            launched=Count(
                "joint_inspections", filter=~Q(joint_inspections__state=InspectionState.CANCELLED)
            ),
            done=Count("joint_inspections", filter=Q(joint_inspections__state=InspectionState.COMPLETED)),
        )
    )
    for one in counted:
        one.state = RoundState.PLANNED
        if one.launched:
            one.state = RoundState.DONE if one.done == one.launched else RoundState.LAUNCHED
    return counted


def require_round_of(lead_department: Department, planned: PlanRound | None) -> None:
    """Raise DomainError when a joint inspection is launched for a round of another department's plan."""
    if planned and planned.plan.lead_department_id != lead_department.pk:
        message = "该轮次属于其他部门的计划。"
        raise DomainError(message, fields={"plan_round": message})


def launched_for(plan: Plan, user: User) -> dict[int, list[JointInspection]]:
    """Round → the joint inspections launched for it that the account sees."""
    found: dict[int, list[JointInspection]] = {}
    for inspection in JointInspection.objects.visible_to(user).filter(plan_round__plan=plan).order_by("pk"):
        found.setdefault(inspection.plan_round_id, []).append(inspection)
    return found


def _said(planned: PlanRound) -> dict[str, Any]:
    return {"kind": planned.kind, "months": [planned.month_from, planned.month_until]}


def _append(plan: Plan, event: Event, payload: dict, actor: User) -> None:
    ledger.append(plan.subject, event, payload, actor=actor.key, department=plan.lead_department.key)
