"""抽取 of institutions: a pure function of roster, ratio and seed, which anyone can repeat."""

import secrets
from decimal import Decimal
from math import ceil

from django.db import transaction

from core.digests import default_algorithm, digest_json
from core.errors import DomainError
from departments.models import User
from inspections import permissions
from inspections.draws.selection import FIRST_ALGORITHM, select_by_ratio
from inspections.enums import Event, InspectionState
from inspections.models import Draw, DrawnInstitution, JointInspection
from ledger import services as ledger


def sample_size(roster_size: int, ratio: Decimal) -> int:
    """How many of `roster_size` a ratio in percent draws: rounded up, so at least one of any."""
    return ceil(roster_size * ratio / 100)


@transaction.atomic
def draw(inspection: JointInspection, *, actor: User) -> Draw:
    """Draw institutions from the candidates, once, after ticking closed.

    Raises DomainError before that, after a draw, or with nobody in scope.
    """
    inspection = JointInspection.objects.select_for_update().get(pk=inspection.pk)
    permissions.require_leading(actor, inspection)
    if inspection.state != InspectionState.TICKING_CLOSED:
        raise DomainError("勾选截止后才能抽取机构。")
    if inspection.draws.exists():
        raise DomainError("机构已经抽取，结果不可重抽。")
    roster = {
        str(key): pk for key, pk in inspection.candidates.values_list("institution__key", "institution_id")
    }
    if not roster:
        raise DomainError("检查范围内没有机构。")
    seed = secrets.token_hex(32)
    chosen = select_by_ratio(roster, inspection.sampling_ratio, seed)
    made = Draw.objects.create(
        joint_inspection=inspection,
        algorithm=FIRST_ALGORITHM,
        seed=seed,
        ratio=inspection.sampling_ratio,
        roster_size=len(roster),
        roster_digest=digest_json(sorted(roster)),
        digest_algorithm=default_algorithm(),
        size=len(chosen),
        drawn_by=actor,
    )
    DrawnInstitution.objects.bulk_create(
        (
            DrawnInstitution(draw=made, institution_id=roster[key], position=position)
            for position, key in enumerate(chosen, start=1)
        ),
        batch_size=2000,
    )
    ledger.append(
        inspection.subject,
        Event.DRAWN,
        {
            "draw": made.pk,
            "algorithm": made.algorithm,
            "seed": made.seed,
            "ratio": str(made.ratio),
            "roster_size": made.roster_size,
            "roster_digest": made.roster_digest,
            "size": made.size,
        },
        actor=actor.key,
        department=inspection.lead_department.key,
    )
    return made
