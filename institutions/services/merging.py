"""并入: a temporary registration and the one with a 统一社会信用代码 turn out to be one institution.

The absorbed row stays, since visits, findings and cases name it; it leaves lists, scopes and draws,
and the survivor's dossier shows its history. An entry on each chain names the other.
"""

from django.db import transaction
from django.db.models import QuerySet

from core.errors import DomainError
from departments.models import User
from institutions.enums import Event
from institutions.models import Institution, Recusal
from institutions.permissions import require_keeper
from institutions.services.entries import REGISTERED, changed, note, said_by
from institutions.services.rules import contradictions

# What a workbook or form leaves empty, as against a number or an answer that says nothing.
EMPTY = (None, "", [])


def survivors_for(temporary: Institution, *, actor: User, words: str = "") -> QuerySet[Institution]:
    """Institutions with a code which this registration may be merged into; namesakes in its town first."""
    rows = Institution.objects.visible_to(actor).exclude(uscc=None).select_related("town")
    if not words.strip():
        return rows.filter(town=temporary.town, name=temporary.name).order_by("name", "pk")
    for word in words.split():
        rows = rows.filter(uscc=word.upper()) | rows.filter(name__icontains=word)
    return rows.order_by("name", "pk")


def filled_by(survivor: Institution, temporary: Institution) -> list[str]:
    """The fields the survivor lacks and the temporary registration has, without what contradicts the survivor."""
    names = [
        name
        for name in REGISTERED
        if name != "uscc" and getattr(survivor, name) in EMPTY and getattr(temporary, name) not in EMPTY
    ]
    said = said_by(temporary)
    wrong = contradictions(said_by(survivor) | {name: said[name] for name in names})
    return [name for name in names if name not in wrong]


@transaction.atomic
def merge(temporary: Institution, survivor: Institution, *, actor: User) -> Institution:
    """Merge a registration without a code into one that has it; cannot be undone.

    What the survivor says stands; what it lacks is filled from the other. Officers recused from one are
    recused from both. Raises PermissionDenied, or DomainError when the two are not such a pair.
    """
    require_keeper(actor)
    pair = Institution.objects.select_for_update().filter(pk__in=[temporary.pk, survivor.pk]).order_by("pk")
    rows = {row.pk: row for row in pair}
    temporary, survivor = rows[temporary.pk], rows[survivor.pk]
    if temporary.merged_into_id or survivor.merged_into_id:
        raise DomainError("其中一家已经并入其他登记，请刷新后再试。")
    if temporary.uscc:
        raise DomainError(f"“{temporary.name}”已有统一社会信用代码，只能并入没有信用代码的临时登记。")
    if not survivor.uscc:
        raise DomainError(f"“{survivor.name}”没有统一社会信用代码，不能并入。")
    _fill(survivor, temporary, actor)
    temporary.merged_into = survivor
    temporary.save(update_fields=["merged_into", "changed_at"])
    left = note(temporary, Event.MERGED, {"into": str(survivor.key), "uscc": survivor.uscc}, actor)
    note(
        survivor,
        Event.ABSORBED,
        {
            "absorbed": str(temporary.key),
            "temporary_number": temporary.temporary_number,
            # Where the other chain stood, so that neither can be rewritten without the other.
            "seq": left.seq,
            "digest": left.digest,
        },
        actor,
    )
    return survivor


def _fill(survivor: Institution, temporary: Institution, actor: User) -> None:
    before = said_by(survivor)
    for name in filled_by(survivor, temporary):
        setattr(survivor, name, getattr(temporary, name))
    if payload := changed(before, said_by(survivor)):
        survivor.save()
        note(survivor, Event.CHANGED, payload, actor)
    for recusal in temporary.recusals.select_related("officer"):
        Recusal.objects.get_or_create(
            officer=recusal.officer,
            institution=survivor,
            defaults={"reason": recusal.reason, "since": recusal.since},
        )
