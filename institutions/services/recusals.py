"""回避: who must not inspect whom."""

from django.db import transaction

from core.digests import digest_text
from core.errors import DomainError
from departments.models import Officer, User
from institutions.enums import Event
from institutions.models import Institution, Recusal
from institutions.permissions import require_recusal_right
from institutions.services.entries import note


@transaction.atomic
def recuse(officer: Officer, institution: Institution, *, actor: User, reason: str) -> Recusal:
    """This officer must not inspect this institution (行政处罚法第43条); said twice it stands once.

    Raises PermissionDenied unless the officer or their department's administrator says so.
    """
    require_recusal_right(actor, officer)
    if not reason.strip():
        raise DomainError("请填写回避事由。", fields={"reason": "请填写回避事由"})
    recusal, created = Recusal.objects.get_or_create(
        officer=officer, institution=institution, defaults={"reason": reason.strip()}
    )
    if created:
        payload = {
            "officer": officer.key,
            "since": recusal.since.isoformat(),
            "reason": digest_text(recusal.reason),
        }
        note(institution, Event.RECUSED, payload, actor)
    return recusal


@transaction.atomic
def end_recusal(recusal: Recusal, *, actor: User) -> None:
    """Take a recusal back; the ledger keeps that it was."""
    require_recusal_right(actor, recusal.officer)
    note(recusal.institution, Event.RECUSAL_ENDED, {"officer": recusal.officer.key}, actor)
    recusal.delete()
