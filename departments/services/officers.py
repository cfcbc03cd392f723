"""执法人员: who is certified to inspect what, for which department, and who is away."""

from collections.abc import Iterable
from datetime import date, timedelta

from django.core.exceptions import PermissionDenied
from django.db import transaction

from core.constraints import refusing
from core.digests import digest_text
from core.errors import DomainError
from departments.enums import Absence, Event, Role
from departments.models import Department, DutyChange, Officer, Sector, User
from departments.permissions import require_appointer, require_officer_keeper
from departments.services.accounts import create_account
from departments.services.posts import appoint, dismiss, note


@transaction.atomic
def certify(
    user: User,
    department: Department,
    *,
    certificate_number: str,
    certified_from: date,
    certified_until: date,
    sectors: Iterable[Sector] | None = None,
    noted: dict[str, str] | None = None,
    actor: User | None = None,
) -> Officer:
    """Make an account an officer of its department. Raises DomainError for dates in the wrong order, or a
    certificate somebody else holds.

    `sectors` are those the officer may inspect, all when there are none; not given, they stay as they are.
    What is said again leaves no entry; those that are left say what is `noted` besides.
    """
    if certified_until < certified_from:
        raise DomainError("执法证有效期止日早于起日。", fields={"certified_until": "应不早于有效期自"})
    holder = Officer.objects.filter(certificate_number=certificate_number).exclude(user=user).first()
    if holder:
        raise DomainError(
            f"执法证号 {certificate_number} 已由{holder.department.short_name}的{holder}登记。",
            fields={"certificate_number": "此证号已登记"},
        )
    values = {
        "department": department,
        "certificate_number": certificate_number,
        "certified_from": certified_from,
        "certified_until": certified_until,
    }
    former = Officer.objects.filter(user=user).first()
    is_new = former is None or any(getattr(former, name) != value for name, value in values.items())
    taken = DomainError(
        f"执法证号 {certificate_number} 刚由他人登记，请刷新后再试。",
        fields={"certificate_number": "此证号已登记"},
    )
    with refusing("departments_officer_certificate_number_key", taken):
        officer, _ = Officer.objects.update_or_create(user=user, defaults=values)
    for post in user.posts.filter(role=Role.OFFICER).exclude(department=department):
        dismiss(post, actor=actor)
    appoint(user, Role.OFFICER, department)
    if actor and is_new:
        validity = {"from": certified_from.isoformat(), "until": certified_until.isoformat()}
        note(
            user,
            Event.CERTIFIED,
            {"officer": officer.key, "department": department.code, **validity, **(noted or {})},
            actor=actor,
        )
    if sectors is not None:
        _set_sectors(officer, sectors, noted or {}, actor=actor)
    return officer


@transaction.atomic
def issue_certificate(account: User, *, actor: User, department: Department, **certificate) -> Officer:
    """An administrator records a person's certificate (fields as `certify`). Raises as `certify`, and
    PermissionDenied when the department, or the one the officer leaves, is not the actor's to appoint in, or
    the person is the actor."""
    if account.pk == actor.pk:
        raise PermissionDenied("不能登记本人的执法证。")
    require_appointer(actor, Role.OFFICER, department)
    present = Officer.objects.select_for_update().filter(user=account).first()
    if present and present.department_id != department.pk:
        require_appointer(actor, Role.OFFICER, present.department)
    return certify(account, department, actor=actor, **certificate)


@transaction.atomic
def register_officer(
    *, actor: User, username: str, name: str, phone: str = "", department: Department, **certificate
) -> tuple[Officer, str]:
    """A new account that is an officer's, and the password to hand over. Raises as `create_account` and `certify`."""
    account, password = create_account(
        actor=actor, username=username, name=name, phone=phone, role=Role.OFFICER, department=department
    )
    return certify(account, department, actor=actor, **certificate), password


@transaction.atomic
def go_off_duty(
    officer: Officer, absence: Absence, *, actor: User, on: date, reason: str, until: date | None = None
) -> Officer:
    """离岗、离职、调离 from a day on, to the last day away when that is known: nobody draws or sends the officer then.

    What was said before about absences is replaced. Raises PermissionDenied, and DomainError for an end before
    the beginning.
    """
    require_officer_keeper(actor, officer)
    if until is not None and until < on:
        raise DomainError("不在岗止日早于起日。", fields={"until": "应不早于起日"})
    current = Officer.objects.select_for_update().get(pk=officer.pk)
    current.absence, current.away_from, current.away_until = absence, on, until
    current.save(update_fields=["absence", "away_from", "away_until"])
    DutyChange.objects.create(officer=current, absence=absence, on=on, reason=reason, changed_by=actor)
    payload = {
        "officer": current.key,
        "absence": absence.value,
        "on": on.isoformat(),
        "until": until.isoformat() if until else "",
        "reason_digest": digest_text(reason),
    }
    note(current.user, Event.WENT_OFF_DUTY, payload, actor=actor)
    return current


@transaction.atomic
def back_on_duty(officer: Officer, *, actor: User, on: date) -> Officer:
    """The officer is at work again from a day on. Raises PermissionDenied, and DomainError when not away then."""
    require_officer_keeper(actor, officer)
    current = Officer.objects.select_for_update().get(pk=officer.pk)
    if current.away_from is None or (current.away_until is not None and current.away_until < on):
        raise DomainError(f"{current.user.name}在 {on} 已在岗，无须恢复。", fields={"on": "此日已在岗"})
    if on <= current.away_from:
        current.absence, current.away_from, current.away_until = "", None, None
    else:
        current.away_until = on - timedelta(days=1)
    current.save(update_fields=["absence", "away_from", "away_until"])
    DutyChange.objects.create(officer=current, on=on, changed_by=actor)
    payload = {"officer": current.key, "on": on.isoformat()}
    note(current.user, Event.BACK_ON_DUTY, payload, actor=actor)
    return current


def _set_sectors(
    officer: Officer, sectors: Iterable[Sector], noted: dict[str, str], *, actor: User | None
) -> None:
    wanted = {sector.pk for sector in sectors}
    if wanted == set(officer.sectors.values_list("pk", flat=True)):
        return
    officer.sectors.set(wanted)
    if actor:
        note(
            officer.user,
            Event.SECTORS_SET,
            {"officer": officer.key, "sectors": sorted(wanted), **noted},
            actor=actor,
        )
