"""备案信息核实: what the first check of an institution has to answer, yes or no (本溪评估指标2.5)."""

from django.db import transaction

from core.errors import DomainError
from departments.models import User
from inspections.enums import KIND_RULES
from inspections.models import Task
from inspections.services import signatures, visits

ASKING = [kind for kind, rule in KIND_RULES.items() if rule.asks_filing]


def asks_filing(task: Task) -> bool:
    """Whether a joint inspection this visit serves wants the filing verified."""
    return task.origins.filter(joint_inspection__kind__in=ASKING).exists()


@transaction.atomic
def verify_filing(task: Task, *, agrees: bool | None, actor: User) -> Task:
    """Note whether what was filed (or is said of an unfiled institution) agrees with what is found on site.

    Part of what everybody signs: a change removes the signatures. Raises PermissionDenied unless the actor
    is an assigned, certified officer, DomainError on a form that is closed or does not ask.
    """
    task = visits.lock_task(task)
    visits.require_certified(visits.require_assigned(task, actor))
    visits.require_open(task)
    if not asks_filing(task):
        raise DomainError("本次检查不要求核实备案信息。")
    if agrees is None:
        message = "请选择备案信息与现场是否一致。"
        raise DomainError(message, fields={"agrees": message})
    if task.filing_agrees != agrees:
        task.filing_agrees = agrees
        task.save(update_fields=["filing_agrees"])
        visits.start(task)
        signatures.void(task)
    return task
