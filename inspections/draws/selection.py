"""Who is drawn: ranks by SHA-256, which anybody repeats with `printf '%s\\n%s\\n%s' seed stratum key | sha256sum`.

`sha256-rank-2`: within its stratum a member's rank is SHA-256 of seed, stratum and key, one a line;
the lowest ranks are drawn. Why that is fair: no two members put the same bytes in, so their digests
behave as independent random numbers of 256 bits under a seed nobody chose. Every order of a stratum
is then equally likely, and so is every subset of the size wanted. Equal digests would be a collision
of SHA-256; should one ever be found, the smaller key comes first. The roster's order plays no part.
"""

import hashlib
from collections.abc import Iterable, Mapping
from decimal import Decimal
from heapq import nsmallest
from math import ceil

from inspections.draws.rules import SamplingRule

ALGORITHM = "sha256-rank-2"
# How institutions were drawn before there were strata; those draws must stay verifiable for ever.
FIRST_ALGORITHM = "sha256-rank-1"


def rank(seed: str, stratum: str, key: str) -> str:
    """A member's rank, in hexadecimal."""
    return hashlib.sha256(f"{seed}\n{stratum}\n{key}".encode()).hexdigest()


def select(roster: Mapping[str, str], rule: SamplingRule, seed: str) -> list[str]:
    """The keys drawn from `roster` (key → stratum), in the order of their ranks.

    Neither keys nor strata hold a line break. Raises ValueError when one does.
    """
    strata: dict[str, list[tuple[str, str]]] = {}
    for key, stratum in roster.items():
        if "\n" in key or "\n" in stratum:
            raise ValueError("a line break would make two members look like one")
        strata.setdefault(stratum, []).append((rank(seed, stratum, key), key))
    drawn: list[tuple[str, str]] = []
    for stratum, ranked in strata.items():
        drawn += nsmallest(rule.size(stratum, len(ranked)), ranked)
    return [key for _, key in sorted(drawn)]


def select_by_ratio(keys: Iterable[str], ratio: Decimal, seed: str) -> list[str]:
    """`sha256-rank-1`: the keys in the order of SHA-256(seed + ":" + key), so many percent of them."""
    ranked = sorted(set(keys), key=lambda key: hashlib.sha256(f"{seed}:{key}".encode()).hexdigest())
    return ranked[: ceil(len(ranked) * ratio / 100)]
