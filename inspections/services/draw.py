"""抽取 of institutions: freeze the roster, make the seed, select; each step is public and can be repeated.

Without secrets of departments a draw is one click: frozen and drawn in one transaction. With them
(contributions.py) the roster is frozen first, and the draw happens when the last secret is revealed.
"""

from datetime import datetime
from operator import itemgetter
from typing import Any

from django.contrib.postgres.aggregates import ArrayAgg
from django.db import connection, transaction
from django.db.models import Q, QuerySet, TextField
from django.db.models.functions import Cast
from django.utils import timezone

from core.digests import digest_text
from core.errors import DomainError
from departments.models import User
from departments.services import notify
from inspections import permissions
from inspections.draws.publication import digest, strata_of
from inspections.draws.seeds import PORTAL, commitment, new_secret, seed_of
from inspections.draws.selection import ALGORITHM, select
from inspections.enums import DRAW_TRANSITIONS, DrawState, Event, InspectionState, ScopeSource
from inspections.models import Candidate, Draw, DrawRoster, JointInspection
from inspections.services.launch import locked
from inspections.services.officer_roster import (
    available,
    barred_pairs,
    departments_to_visit,
    enrol,
    listed,
)
from inspections.services.participation import append
from inspections.services.strata import stratum
from institutions.enums import OperatingState

# Whoever picked a suspended one by hand meant it.
OUT = (
    Q(institution__operating_state=OperatingState.CLOSED)
    | Q(institution__operating_state=OperatingState.SUSPENDED, source=ScopeSource.FILTER)
    | Q(institution__merged_into__isnull=False)
)


@transaction.atomic
def draw(inspection: JointInspection, *, actor: User) -> Draw:
    """Draw institutions in one go, by the portal's secret alone.

    Raises DomainError before ticking closed, while a draw stands, or with nobody in scope.
    """
    inspection = locked(inspection)
    permissions.require_leading(actor, inspection)
    return conclude(freeze(inspection, actor=actor), inspection, actor)


@transaction.atomic
def replace(standing: Draw, *, reason: str, actor: User) -> Draw:
    """The lead's 负责人 lets it be drawn again; the old draw stays. Raises DomainError once forms exist."""
    inspection = locked(standing.joint_inspection)
    permissions.require_approving(actor, inspection)
    standing = Draw.objects.select_for_update().get(pk=standing.pk)
    require_transition(standing, DrawState.REPLACED)
    if inspection.state != InspectionState.TICKING_CLOSED:
        raise DomainError("检查任务已经生成，不能重新抽取。")
    reason = reason.strip()
    if not reason:
        raise DomainError("请填写重新抽取的理由。", fields={"reason": "请填写重新抽取的理由。"})
    end(standing, DrawState.REPLACED, reason, actor)
    payload = {"draw": standing.pk, "reason": digest_text(reason)}
    append(inspection, Event.DRAW_REPLACED, payload, actor, inspection.lead_department)
    notify(
        inspection.lead_department,
        f"负责人批准“{inspection.name}”重新抽取机构，请办理。",
        subject=inspection.subject,
    )
    return standing


def freeze(inspection: JointInspection, *, actor: User, commit_by: datetime | None = None) -> Draw:
    """Fix who may be drawn and with what chance, and the portal's commitment. `inspection` is locked."""
    if inspection.state != InspectionState.TICKING_CLOSED:
        raise DomainError("勾选截止后才能抽取机构。")
    standing = inspection.draws.exclude(state__in=[DrawState.VOID, DrawState.REPLACED]).first()
    if standing and standing.is_open:
        raise DomainError("名单已经固定，正在征集或公开秘密数，请等待本次抽取结束。")
    if standing:
        raise DomainError("机构已经抽取；确需重新抽取的，由负责人说明理由批准。")
    rule = inspection.sampling
    content = _institutions_of(inspection)
    members = {part["stratum"]: part["members"] for part in content["strata"]}
    if not members:
        raise DomainError("检查范围内没有可以抽取的机构。")
    strata = strata_of(rule, members)
    secret = new_secret()
    frozen = Draw(
        joint_inspection=inspection,
        number=inspection.draws.count() + 1,
        algorithm=ALGORITHM,
        rule=rule.as_json(),
        rule_digest=digest(rule.as_json()),
        roster_size=sum(len(keys) for keys in members.values()),
        digest_algorithm="sha256",
        strata=strata,
        size=sum(part["drawn"] for part in strata),
        portal_secret=secret,
        frozen_by=actor,
        commit_by=commit_by,
    )
    frozen.save()
    officers = available(inspection, departments_to_visit(inspection))
    codes = enrol(frozen, officers)
    content["officers"] = listed(officers, codes, barred_pairs(inspection, officers))
    frozen.roster_digest = digest(content)
    frozen.portal_commitment = commitment(frozen.roster_digest, PORTAL, secret)
    frozen.save(update_fields=["roster_digest", "portal_commitment"])
    DrawRoster.objects.create(draw=frozen, content=content)
    payload = {
        "draw": frozen.pk,
        "rule_digest": frozen.rule_digest,
        "roster_digest": frozen.roster_digest,
        "roster_size": frozen.roster_size,
        "portal_commitment": frozen.portal_commitment,
    }
    append(inspection, Event.ROSTER_FROZEN, payload, actor, inspection.lead_department)
    return frozen


def conclude(frozen: Draw, inspection: JointInspection, actor: User | None) -> Draw:
    """Make the seed of every secret given and select. Both rows are locked, and no secret is missing."""
    require_transition(frozen, DrawState.DRAWN)
    given = frozen.contributions.values_list("department__code", "secret")
    revealed = {**dict(given), PORTAL: frozen.portal_secret}
    frozen.seed = seed_of(frozen.roster_digest, frozen.rule_digest, revealed)
    roster = {key: part["stratum"] for part in frozen.roster.content["strata"] for key in part["members"]}
    chosen = select(roster, frozen.sampling_rule, frozen.seed)
    frozen.state = DrawState.DRAWN
    frozen.drawn_at = timezone.now()
    frozen.save(update_fields=["seed", "state", "drawn_at"])
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO inspections_drawninstitution (draw_id, institution_id, position, stratum)
            SELECT %s, institution.id, drawn.position, drawn.stratum
            FROM unnest(%s::uuid[], %s::text[]) WITH ORDINALITY AS drawn (key, stratum, position)
            JOIN institutions_institution institution USING (key)
            """,
            [frozen.pk, chosen, [roster[key] for key in chosen]],
        )
    payload = {
        "draw": frozen.pk,
        "algorithm": frozen.algorithm,
        "seed": frozen.seed,
        "rule_digest": frozen.rule_digest,
        "roster_size": frozen.roster_size,
        "roster_digest": frozen.roster_digest,
        "size": frozen.size,
        "drawn": digest(chosen),
    }
    append(inspection, Event.DRAWN, payload, actor, inspection.lead_department)
    return frozen


def require_transition(made: Draw, to: DrawState) -> None:
    """Raise DomainError when the table of transitions does not lead from the draw's state to `to`."""
    if to not in DRAW_TRANSITIONS[made.state]:
        raise DomainError(f"{made.get_state_display()}的抽取，不能改为“{to.label}”。")


def end(made: Draw, state: DrawState, reason: str, actor: User | None) -> None:
    """The draw no longer stands, and says why."""
    require_transition(made, state)
    made.state, made.ended_reason, made.ended_by, made.ended_at = state, reason, actor, timezone.now()
    made.save(update_fields=["state", "ended_reason", "ended_by", "ended_at"])


def standing_draw(inspection: JointInspection) -> Draw | None:
    """The draw whose institutions are to be visited."""
    return inspection.draws.filter(state=DrawState.DRAWN).first()


def eligible(inspection: JointInspection) -> QuerySet[Candidate]:
    """Who in scope may be drawn: not those that closed, were suspended or merged away since the scope was set."""
    return inspection.candidates.exclude(OUT)


def _institutions_of(inspection: JointInspection) -> dict[str, Any]:
    """Who may be drawn, by stratum, and who in scope may not; keys sorted, so that it digests the same."""
    strata = (
        eligible(inspection)
        .order_by()
        .annotate(stratum=stratum(inspection.sampling.by, "institution__"))
        .values("stratum")
        .annotate(members=ArrayAgg(Cast("institution__key", TextField()), order_by="institution__key"))
    )
    left_out = inspection.candidates.filter(OUT).order_by("institution__key")
    return {
        # Without strata an empty scope is still one row, of nobody.
        "strata": sorted((part for part in strata if part["members"]), key=itemgetter("stratum")),
        "excluded": [
            {"key": str(key), "reason": "MERGED" if into else state}
            for key, state, into in left_out.values_list(
                "institution__key", "institution__operating_state", "institution__merged_into"
            )
        ],
    }
