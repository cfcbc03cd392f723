"""Random rules and rosters, for properties that hold for all of them."""

from decimal import Decimal

from hypothesis import strategies as st

from inspections.draws.publication import FORMAT, digest, strata_of, teams_of
from inspections.draws.rules import Band, Rate, SamplingRule
from inspections.draws.seeds import PORTAL, commitment, seed_of
from inspections.draws.selection import ALGORITHM, select

STRATA = ["", "A", "B", "C", "D", "安海镇"]
percents = st.integers(1, 10_000).map(lambda hundredths: Decimal(hundredths) / 100)
keys = st.text(st.characters(exclude_categories=["C"]), min_size=1, max_size=12)


@st.composite
def rates(draw) -> Rate:
    ends = sorted(draw(st.sets(st.integers(1, 60), max_size=2)))
    bands = []
    for upto in [*ends, None]:
        percent, at_least = draw(percents | st.just(Decimal(0))), draw(st.integers(0, 12))
        bands.append(Band(percent, at_least if percent else max(at_least, 1), upto))
    return Rate(tuple(bands))


@st.composite
def rules(draw) -> SamplingRule:
    own = draw(st.dictionaries(st.sampled_from(STRATA[1:]), rates(), max_size=3))
    return SamplingRule(draw(rates()), "CREDIT_CLASS" if own else draw(st.sampled_from(["", "TOWN"])), own)


rosters = st.dictionaries(keys, st.sampled_from(STRATA), min_size=1, max_size=40)


def publish(
    roster: dict[str, str], rule: SamplingRule, secrets: dict[str, str], officers: list[dict] | None = None
) -> dict:
    """What a draw from `roster` (key → stratum) by these parties' secrets publishes; see `with_teams`."""
    members: dict[str, list[str]] = {}
    for key, stratum in sorted(roster.items()):
        members.setdefault(stratum, []).append(key)
    frozen = {
        "strata": [{"stratum": stratum, "members": keys} for stratum, keys in sorted(members.items())],
        "excluded": [],
        "officers": officers or [],
    }
    roster_digest, rule_digest = digest(frozen), digest(rule.as_json())
    secrets = {**secrets, PORTAL: "portal-secret"}
    seed = seed_of(roster_digest, rule_digest, secrets)
    return {
        "format": FORMAT,
        "algorithm": ALGORITHM,
        "joint_inspection": "晋民联检〔2026〕1号",
        "draw": 1,
        "rule": rule.as_json(),
        "rule_digest": rule_digest,
        "roster": frozen,
        "roster_digest": roster_digest,
        "strata": strata_of(rule, members),
        "contributions": [
            {"party": party, "commitment": commitment(roster_digest, party, secret), "secret": secret}
            for party, secret in secrets.items()
        ],
        "seed": seed,
        "drawn": select(roster, rule, seed),
        "words": {"rule": rule.sentence(), "parties": {}, "strata": {}, "institutions": {}},
    }


def with_teams(document: dict, profiles: list[dict[str, list[str]]], profile_of: dict[str, int]) -> dict:
    """The same document once its visits were given officers; `profiles` say who is wanted where, for what."""
    frozen = document["roster"]["officers"]
    drawn = set(document["drawn"])
    teams = {
        "officers": [{name: one[name] for name in ("officer", "department", "sectors")} for one in frozen],
        "barred": [[one["officer"], key] for one in frozen for key in one["barred"] if key in drawn],
        "profiles": profiles,
        "visits": [{"key": key, "profile": profile_of[key], "officers": {}} for key in document["drawn"]],
    }
    for department in {one["department"] for one in frozen}:
        going = iter(teams_of(department, teams, document["seed"]))
        for visit in teams["visits"]:
            if department in profiles[visit["profile"]]:
                visit["officers"][department] = list(next(going))
    return document | {"teams": teams}
