"""What the ledger says of an institution.

Payloads name what changed. Codes, numbers and dates stand there in clear, names, addresses and other
texts as digests, and fields about persons by name only: a digest of a phone number is as good as the
number.
"""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from core.digests import digest_json, digest_text
from departments.models import Town, User
from institutions.enums import Event
from institutions.models import Institution
from ledger import services as ledger

PERSONAL = ("contact_name", "contact_phone", "legal_representative")
TEXTUAL = ("name", "address", "registered_with", "filing_number", "fire_document", "food_licence")
PLAIN = (
    "uscc", "kind", "legal_form", "town", "longitude", "latitude", "filing_state", "filed_on", "opened_on",
    "credit_class", "rating", "rated_on", "beds", "nursing_beds", "residents", "floor_area", "features",
    "fire_approval", "food_licence_until", "medical_service", "combines_medical", "takes_insurance",
    "meets_safety_standard", "takes_prepayment", "operating_state",
)  # fmt: skip
REGISTERED = (*TEXTUAL, *PLAIN, *PERSONAL)
PLACES = {"floor_area": 2, "longitude": 6, "latitude": 6}

Said = dict[str, Any]


def said_by(institution: Institution) -> Said:
    """What the register says of it, in JSON values without floats; the town by its code."""
    return {name: plain_value(name, getattr(institution, name)) for name in REGISTERED}


def plain_value(name: str, value: Any) -> Any:
    """One field in its JSON form."""
    if isinstance(value, Town):
        return value.code
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return f"{value:.{PLACES[name]}f}"
    return value


def digest_of(said: Mapping[str, Any]) -> str:
    """Digest of what the register says, without the persons: their data may be erased later."""
    texts = {name: digest_text(said[name]) for name in TEXTUAL}
    return digest_json(texts | {name: said[name] for name in PLAIN})


def row_digest(institution: Institution) -> str:
    """`digest_of` an institution as it stands."""
    return digest_of(said_by(institution))


def registered(key: UUID, said: Mapping[str, Any]) -> dict[str, Any]:
    """Payload for a new institution."""
    return {"institution": str(key), **{name: said[name] for name in PLAIN}, "digest": digest_of(said)}


def changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """Payload for a change; {} when nothing differs."""
    names = [name for name in REGISTERED if after[name] != before[name]]
    if not names:
        return {}
    return {
        "changed": names,
        "values": {name: [before[name], after[name]] for name in names if name in PLAIN},
        "digest": digest_of(after),
    }


def note(institution: Institution, event: Event, payload: dict[str, Any], actor: User) -> Any:
    """Append to the institution's chain."""
    return ledger.append(institution.subject, event, payload, **by(actor))


def by(actor: User) -> dict[str, str]:
    """Who acts, as the ledger names them."""
    department = actor.own_department
    return {"actor": actor.key, "department": department.key if department else ""}
