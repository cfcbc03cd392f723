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
    """The scenarios whose matrices name a body for one of these penalty items, as `leads_by_item` counts them."""
    found = {scenario.pk: scenario for led in leads_by_item(penalty_items).values() for scenario in led}
    return [found[pk] for pk in sorted(found)]


def leads_by_item(penalty_items: Iterable[int]) -> dict[int, list[Scenario]]:
    """For each penalty item the scenarios whose matrices name a body for it; two queries.

    Drafts count only where nothing was published yet: nobody's draft has a say in what others led before.
    """
    items = list(penalty_items)
    rows = (
        MatrixRow.objects.filter(penalty_item__in=items)
        .exclude(penalty_body=PenaltyBodyKind.NONE)
        .values_list("penalty_item", "version__scenario", "version__state")
        .distinct()
    )
    published: dict[int, set[int]] = {}
    drafted: dict[int, set[int]] = {}
    for item, scenario, state in rows:
        side = drafted if state == VersionState.DRAFT else published
        side.setdefault(item, set()).add(scenario)
    naming = {item: published.get(item) or drafted.get(item, set()) for item in items}
    wanted = {scenario for named in naming.values() for scenario in named}
    scenarios = Scenario.objects.select_related("lead_department").in_bulk(wanted)
    return {item: [scenarios[pk] for pk in sorted(named)] for item, named in naming.items()}


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
