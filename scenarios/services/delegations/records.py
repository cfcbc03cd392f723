"""What entries of delegations share: the paper they rest on, and the ledger of the scenarios they concern."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from core.digests import digest_text
from core.models import StoredFile
from departments.enums import Role
from departments.models import User
from ledger import services as ledger
from scenarios.enums import Event, PenaltyBodyKind, VersionState
from scenarios.models import Delegation, MatrixRow, Scenario


@dataclass(frozen=True)
class Confirmation:
    """承接确认书: the signed paper, once it is filed, and its number."""

    file: StoredFile | None = None
    number: str = ""


def leads(penalty_items: Iterable[int]) -> list[Scenario]:
    """The scenarios whose matrices name a body for one of these penalty items.

    Drafts count only where nothing was published yet: nobody's draft has a say in what others led before.
    """
    rows = MatrixRow.objects.filter(penalty_item__in=penalty_items).exclude(penalty_body=PenaltyBodyKind.NONE)
    published = rows.exclude(version__state=VersionState.DRAFT)
    for naming in (published, rows):
        found = Scenario.objects.filter(versions__rows__in=naming).select_related("lead_department")
        if scenarios := list(found.distinct()):
            return scenarios
    return []


def payload_of(delegation: Delegation) -> dict[str, Any]:
    """What the ledger says of an entry's period and paper."""
    return {
        "list": str(delegation.delegation_list),
        "valid_from": delegation.valid_from.isoformat(),
        "valid_until": delegation.valid_until.isoformat() if delegation.valid_until else "",
        "confirmation": delegation.confirmation.digest if delegation.confirmation else "",
        "confirmation_number": digest_text(delegation.confirmation_number),
    }


def record(scenarios: Iterable[Scenario], event: Event, payload: dict[str, Any], actor: User) -> None:
    """Append one entry to the chain of each scenario, for the department the actor acts for."""
    own = actor.own_department
    department = "" if actor.holds(Role.SYSTEM_ADMIN) or not own else own.key
    ledger.append_many(
        [ledger.Record(scenario.subject, event, payload) for scenario in scenarios],
        actor=actor.key,
        department=department,
    )
