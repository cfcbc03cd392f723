"""What a draw publishes, and its check: everything that follows from something else is worked out again.

The published JSON (`joint-inspection-draw/2`) holds rule and roster with the digests fixed before the
draw, each party's commitment and secret, the seed, and who was drawn. `verifier.html` beside this
module does the same in a browser, by other code.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from core.canonical import canonical_json
from inspections.draws import rules
from inspections.draws.officers import assign
from inspections.draws.rules import RuleError, SamplingRule
from inspections.draws.seeds import PORTAL, commitment, seed_of
from inspections.draws.selection import ALGORITHM, FIRST_ALGORITHM, select, select_by_ratio

FORMAT = "joint-inspection-draw/2"


class DocumentError(ValueError):
    """Not a published draw at all; the message is a Chinese sentence."""


@dataclass(frozen=True)
class Check:
    """One thing that was worked out again: what, whether it agrees, and what was found."""

    what: str
    agrees: bool
    found: str


def digest(value: Any, algorithm: str = "sha256") -> str:
    """SHA-256 of the value's canonical JSON: what is fixed and published before a draw."""
    return hashlib.new(algorithm, canonical_json(value)).hexdigest()


def strata_of(rule: SamplingRule, members: dict[str, list[str]]) -> list[dict[str, Any]]:
    """Of every stratum how many are in it, how many are drawn, and how likely each is."""
    return [
        {
            "stratum": stratum,
            "members": len(keys),
            "drawn": rule.size(stratum, len(keys)),
            "probability": rule.probability(stratum, len(keys)),
        }
        for stratum, keys in sorted(members.items())
    ]


def verify(document: Any) -> list[Check]:
    """Work out again whatever can be; all is well when every check agrees. Raises DocumentError."""
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise DocumentError("这不是抽取结果文件，请选择从公示页面下载的 JSON 文件。")
    if document.get("algorithm") not in (ALGORITHM, FIRST_ALGORITHM):
        raise DocumentError(f"不认识抽取算法“{document.get('algorithm')}”，请下载新的核验页。")
    try:
        return list(_checks(document))
    except RuleError as error:
        raise DocumentError(str(error))
    except (KeyError, TypeError, ValueError, AttributeError, ArithmeticError):
        raise DocumentError("抽取结果文件不完整或格式有误，无法核验。")


def _checks(document: dict[str, Any]) -> Iterator[Check]:
    rule = rules.from_json(document["rule"])
    members = {part["stratum"]: part["members"] for part in document["roster"]["strata"]}
    roster = {key: stratum for stratum, keys in members.items() for key in keys}
    everybody = sum(len(keys) for keys in members.values())
    yield Check("名单", len(roster) == everybody, f"{everybody} 家机构，{len(members)} 层")
    yield _compared("各层抽取数和概率", strata_of(rule, members), document["strata"])
    if document["algorithm"] == FIRST_ALGORITHM:
        yield from _first_checks(document, rule, sorted(roster))
        return
    yield _compared("名单摘要", digest(document["roster"]), document["roster_digest"])
    yield _compared("规则摘要", digest(document["rule"]), document["rule_digest"])
    yield from _contribution_checks(document)
    if document["seed"]:
        yield _compared("抽取结果", select(roster, rule, document["seed"]), document["drawn"])
        left_out = {excluded["key"] for excluded in document["roster"]["excluded"]}
        drawn = set(document["drawn"])
        yield Check("不列入的机构", not left_out & drawn, f"{len(left_out)} 家，均未抽中")
    if document.get("teams"):
        yield from _team_checks(document)


def _contribution_checks(document: dict[str, Any]) -> Iterator[Check]:
    names = document["words"]["parties"]
    revealed = {}
    for given in document["contributions"]:
        party, secret = given["party"], given["secret"]
        what = f"{names.get(party, party)}的秘密数"
        if secret:
            revealed[party] = secret
            made = commitment(document["roster_digest"], party, secret)
            yield _compared(what, made, given["commitment"])
        elif document["seed"]:
            yield Check(what, False, "未公开，却已抽取")
    if document["seed"]:
        yield Check("门户的秘密数在内", PORTAL in revealed, f"共 {len(revealed)} 方")
        seed = seed_of(document["roster_digest"], document["rule_digest"], revealed)
        yield _compared("种子", seed, document["seed"])


def _team_checks(document: dict[str, Any]) -> Iterator[Check]:
    teams, names = document["teams"], document["words"]["parties"]
    visited = [visit["key"] for visit in teams["visits"]]
    yield _compared("检查的机构", visited, document["drawn"])
    barred = {(officer, key) for officer, key in teams["barred"]}
    # Officers who left since the freeze no longer count.
    going, there = {officer["officer"] for officer in teams["officers"]}, set(visited)
    kept_apart = {
        (officer["officer"], key)
        for officer in document["roster"]["officers"]
        for key in officer["barred"]
        if officer["officer"] in going and key in there
    }
    yield Check("回避", kept_apart <= barred, f"{len(barred)} 对")
    for department in sorted({officer["department"] for officer in teams["officers"]}):
        computed = teams_of(department, teams, document["seed"])
        published = [
            visit["officers"][department] for visit in teams["visits"] if department in visit["officers"]
        ]
        what = f"{names.get(department, department)}的执法人员"
        yield _compared(what, [list(team) for team in computed], published)


def teams_of(department: str, teams: dict[str, Any], seed: str) -> list[tuple[str, ...]]:
    """The teams of a department's visits, in the order of the draw. Raises ShortageError."""
    officers = {
        officer["officer"]: officer["sectors"]
        for officer in teams["officers"]
        if officer["department"] == department
    }
    profiles = [profile.get(department) for profile in teams["profiles"]]
    wanted = [None if sectors is None else frozenset(sectors) for sectors in profiles]
    visits = [
        (visit["key"], sectors)
        for visit in teams["visits"]
        if (sectors := wanted[visit["profile"]]) is not None
    ]
    barred = {(officer, key) for officer, key in teams["barred"] if officer in officers}
    return assign(visits, officers, barred, seed=seed, department=department)


def _first_checks(document: dict[str, Any], rule: SamplingRule, keys: list[str]) -> Iterator[Check]:
    algorithm = document["digest_algorithm"]
    if algorithm in hashlib.algorithms_available:
        yield _compared("名单摘要", digest(keys, algorithm), document["roster_digest"])
    ratio = Decimal(rule.otherwise.bands[0].percent)
    yield _compared("抽取结果", select_by_ratio(keys, ratio, document["seed"]), document["drawn"])


def _compared(what: str, computed: Any, published: Any) -> Check:
    if computed == published:
        return Check(what, True, _shown(computed))
    return Check(what, False, f"重新计算为{_shown(computed)}，公布的是{_shown(published)}")


def _shown(value: Any) -> str:
    if isinstance(value, list):
        return f"{len(value)} 项"
    return f"{value[:16]}…" if isinstance(value, str) and len(value) > 20 else str(value)
