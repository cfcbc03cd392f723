"""What a draw publishes, from what is stored: the JSON that `verify_draw` and the downloaded page check."""

from typing import Any

from django.db.models import Q
from django.utils import timezone

from departments.models import Department
from inspections.draws.publication import FORMAT, teams_of
from inspections.draws.seeds import PORTAL
from inspections.enums import DrawState
from inspections.models import Draw
from inspections.services import strata
from inspections.services.assignment import expanded

PORTAL_NAME = "门户"


def document(draw: Draw) -> dict[str, Any]:
    """The published JSON; institutions stand in it by key, and by name once drawn. No person does."""
    drawn = list(draw.drawn.values_list("institution__key", "institution__name"))
    parties = contributions(draw)
    return {
        "format": FORMAT,
        "algorithm": draw.algorithm,
        "joint_inspection": draw.joint_inspection.number,
        "draw": draw.number,
        "state": draw.state,
        "frozen_at": _moment(draw.frozen_at),
        "drawn_at": _moment(draw.drawn_at),
        "rule": draw.rule,
        "rule_digest": draw.rule_digest,
        "roster": draw.roster.content,
        "roster_digest": draw.roster_digest,
        "digest_algorithm": draw.digest_algorithm,
        "strata": draw.strata,
        "contributions": [
            {"party": row["party"], "commitment": row["commitment"], "secret": row["secret"]}
            for row in parties
        ],
        "seed": draw.seed,
        "drawn": [str(key) for key, _ in drawn],
        "teams": _teams(draw),
        "words": {
            "rule": strata.in_words(draw.sampling_rule),
            "parties": _names(draw) | {PORTAL: PORTAL_NAME},
            "strata": strata.names(draw.sampling_rule.by),
            "institutions": {str(key): name for key, name in drawn},
        },
    }


def loads(draw: Draw) -> list[dict[str, Any]]:
    """For each department how many officers there were to choose from, and how evenly they go."""
    fixed = draw.roster.teams
    if fixed is None:
        return []
    names = _names(draw)
    return [load | {"name": names.get(load["department"], load["department"])} for load in fixed["loads"]]


def contributions(draw: Draw) -> list[dict[str, Any]]:
    """Every party of the seed, the portal last: its commitment, its secret once revealed, whether it was withheld."""
    rows = [
        {
            "party": given.department.code,
            "name": given.department.short_name,
            "commitment": given.commitment,
            "committed_at": given.committed_at,
            "secret": given.secret,
            "withheld": draw.state == DrawState.VOID and not given.secret,
        }
        for given in draw.contributions.select_related("department")
    ]
    if draw.portal_commitment:
        rows.append(
            {
                "party": PORTAL,
                "name": PORTAL_NAME,
                "commitment": draw.portal_commitment,
                "committed_at": draw.frozen_at,
                # Kept back until all others are out, and for ever when one of them never was.
                "secret": draw.portal_secret if draw.is_drawn else "",
                "withheld": False,
            }
        )
    return rows


def _teams(draw: Draw) -> dict[str, Any] | None:
    """Who was sent where, by code, once that is fixed."""
    if draw.roster.teams is None:
        return None
    teams = expanded(draw)
    visits = [visit | {"officers": {}} for visit in teams["visits"]]
    for department in sorted({officer["department"] for officer in teams["officers"]}):
        going = iter(teams_of(department, teams, draw.seed))
        for visit in visits:
            if department in teams["profiles"][visit["profile"]]:
                visit["officers"][department] = list(next(going))
    return teams | {"visits": visits}


def _names(draw: Draw) -> dict[str, str]:
    """What the departments' codes in the document stand for."""
    codes = {officer["department"] for officer in draw.roster.content.get("officers", [])}
    concerned = Q(code__in=codes) | Q(pk__in=draw.contributions.values("department"))
    return dict(Department.objects.filter(concerned).order_by("code").values_list("code", "short_name"))


def _moment(when: Any) -> str:
    return timezone.localtime(when).isoformat(timespec="seconds") if when else ""
