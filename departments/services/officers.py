"""执法人员: who is certified to inspect, for which department."""

from datetime import date

from django.db import transaction

from core.errors import DomainError
from departments.enums import Event, Role
from departments.models import Department, Officer, User
from departments.permissions import require_appointer
from departments.services.posts import appoint, dismiss, note


@transaction.atomic
def certify(
    user: User,
    department: Department,
    *,
    certificate_number: str,
    certified_from: date,
    certified_until: date,
    actor: User | None = None,
) -> Officer:
    """Make an account an officer of its department. Raises DomainError for dates in the wrong order, or a
    certificate somebody else holds."""
    if certified_until < certified_from:
        raise DomainError("执法证有效期止日早于起日。", fields={"certified_until": "应不早于有效期自"})
    holder = Officer.objects.filter(certificate_number=certificate_number).exclude(user=user).first()
    if holder:
        raise DomainError(
            f"执法证号 {certificate_number} 已由{holder.department.short_name}的{holder}登记。",
            fields={"certificate_number": "此证号已登记"},
        )
    officer, _ = Officer.objects.update_or_create(
        user=user,
        defaults={
            "department": department,
            "certificate_number": certificate_number,
            "certified_from": certified_from,
            "certified_until": certified_until,
        },
    )
    for former in user.posts.filter(role=Role.OFFICER).exclude(department=department):
        dismiss(former, actor=actor)
    appoint(user, Role.OFFICER, department)
    if actor:
        validity = {"from": certified_from.isoformat(), "until": certified_until.isoformat()}
        note(
            user,
            Event.CERTIFIED,
            {"officer": officer.key, "department": department.code, **validity},
            actor=actor,
        )
    return officer


@transaction.atomic
def issue_certificate(account: User, *, actor: User, department: Department, **certificate) -> Officer:
    """An administrator records a person's certificate (fields as `certify`). Raises as `certify`, and
    PermissionDenied when the department, or the one the officer leaves, is not the actor's to appoint in."""
    require_appointer(actor, Role.OFFICER, department)
    present = Officer.objects.select_for_update().filter(user=account).first()
    if present and present.department_id != department.pk:
        require_appointer(actor, Role.OFFICER, present.department)
    return certify(account, department, actor=actor, **certificate)
