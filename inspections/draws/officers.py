"""Who goes: two officers of each department to every visit, drawn by the seed, evenly.

A department's visits are gone through in the order of the draw, those with the fewest officers to
choose from first. Each takes the two fit officers with the fewest visits so far; among equals the
lowest SHA-256 of seed, department, institution and officer, one a line, goes. Afterwards visits are
handed on from officers with many to officers with fewer for as long as that evens the numbers out,
through others where it must; so no assignment is more even, and without restrictions nobody has two
visits more than a colleague. Officers are codes here; who they are is not published.
"""

import hashlib
from collections import deque
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import pairwise, product

TEAM = 2

Visit = tuple[str, frozenset[str]]


class ShortageError(ValueError):
    """Fewer than two officers are fit for a visit."""

    def __init__(self, key: str, fit: int):
        super().__init__(f"{key}: {fit}")
        self.key, self.fit = key, fit


def assign(
    visits: Sequence[Visit],
    officers: Mapping[str, Collection[str]],
    barred: Collection[tuple[str, str]],
    *,
    seed: str,
    department: str,
) -> list[tuple[str, ...]]:
    """The team of each visit (institution, sectors on its form), in the order of `visits`.

    `officers` gives each one's sectors, none meaning all: whoever goes may inspect every sector on the
    form. `barred` pairs (officer, institution) stay apart. Raises ShortageError.
    """
    fit = list(_fit(visits, officers, barred))
    loads = dict.fromkeys(officers, 0)
    teams: list[tuple[str, ...]] = [()] * len(visits)
    for place in sorted(range(len(visits)), key=lambda place: (len(fit[place]), place)):
        team = _least(fit[place], loads, f"{seed}\n{department}\n{visits[place][0]}")
        teams[place] = tuple(sorted(team))
        for officer in team:
            loads[officer] += 1
    if loads and max(loads.values()) - min(loads.values()) > 1:
        _even_out(teams, fit, loads)
    return teams


def _fit(
    visits: Sequence[Visit], officers: Mapping[str, Collection[str]], barred: Collection[tuple[str, str]]
) -> Iterator[list[str]]:
    """For each visit the officers who may go, in the order of their codes."""
    away: dict[str, set[str]] = {}
    for officer, key in barred:
        away.setdefault(key, set()).add(officer)
    by_sectors: dict[frozenset[str], list[str]] = {}
    for key, sectors in visits:
        if sectors not in by_sectors:
            by_sectors[sectors] = sorted(
                officer for officer, own in officers.items() if not own or sectors <= set(own)
            )
        fit = by_sectors[sectors]
        if key in away:
            fit = [officer for officer in fit if officer not in away[key]]
        if len(fit) < TEAM:
            raise ShortageError(key, len(fit))
        yield fit


def _least(fit: list[str], loads: dict[str, int], text: str) -> list[str]:
    """The two with the fewest visits; only among equals does the digest decide."""
    border = sorted(loads[officer] for officer in fit)[TEAM - 1]
    sure = [officer for officer in fit if loads[officer] < border]
    equal = [officer for officer in fit if loads[officer] == border]
    if len(sure) + len(equal) > TEAM:
        equal.sort(key=lambda officer: hashlib.sha256(f"{text}\n{officer}".encode()).hexdigest())
    return [*sure, *equal[: TEAM - len(sure)]]


def _even_out(teams: list[tuple[str, ...]], fit: list[list[str]], loads: dict[str, int]) -> None:
    """Hand visits on along the shortest chain while that takes one from many and gives it to fewer."""
    # (from, to) → the visits the one could hand to the other
    handing: dict[tuple[str, str], set[int]] = {pair: set() for pair in product(loads, loads)}

    def offer(place: int, verb: str) -> None:
        for giver, taker in product(teams[place], fit[place]):
            if taker not in teams[place]:
                getattr(handing[giver, taker], verb)(place)

    for place in range(len(teams)):
        offer(place, "add")
    while chain := _chain(handing, loads):
        for giver, taker in pairwise(chain):
            place = min(handing[giver, taker])
            offer(place, "discard")
            teams[place] = tuple(sorted([*(set(teams[place]) - {giver}), taker]))
            offer(place, "add")
        loads[chain[0]] -= 1
        loads[chain[-1]] += 1


def _chain(handing: Mapping[tuple[str, str], set[int]], loads: Mapping[str, int]) -> list[str]:
    """The shortest chain from whoever has most to somebody with two fewer; empty when all is as even as can be."""
    for first in sorted(loads, key=lambda officer: (-loads[officer], officer)):
        came_from = {first: ""}
        waiting = deque([first])
        while waiting:
            giver = waiting.popleft()
            for taker in sorted(loads):
                if taker in came_from or not handing[giver, taker]:
                    continue
                came_from[taker] = giver
                if loads[taker] <= loads[first] - 2:
                    chain = [taker]
                    while chain[0] != first:
                        chain.insert(0, came_from[chain[0]])
                    return chain
                waiting.append(taker)
    return []
