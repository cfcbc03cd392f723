from collections import Counter
from itertools import combinations, product
from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspections.draws.officers import ShortageError, assign
from tests.inspections.draws.test_selection import highest_chi_square

ANY: frozenset[str] = frozenset()


def visits(count, sectors=ANY):
    return [(f"home-{n}", sectors) for n in range(count)]


def loads(teams, officers) -> list[int]:
    counted = Counter(officer for team in teams for officer in team)
    return sorted(counted[officer] for officer in officers)


def pool(count, sectors=()):
    return {f"o{n}": set(sectors) for n in range(count)}


@st.composite
def situations(draw):
    """A department's officers, visits and who must stay away; sometimes nothing is feasible."""
    officers = {
        f"o{n}": draw(st.sets(st.sampled_from(["消防", "食品"]), max_size=2))
        for n in range(draw(st.integers(2, 5)))
    }
    there = [
        (f"home-{n}", frozenset(draw(st.sets(st.sampled_from(["消防", "食品"]), max_size=1))))
        for n in range(draw(st.integers(1, 5)))
    ]
    pairs = list(product(officers, [key for key, _ in there]))
    return there, officers, draw(st.sets(st.sampled_from(pairs), max_size=4))


def fit_for(visit, officers, barred):
    key, sectors = visit
    return [
        officer
        for officer, own in officers.items()
        if (not own or sectors <= own) and (officer, key) not in barred
    ]


@given(situations(), st.text("0123456789abcdef", min_size=4, max_size=4))
def test_every_team_is_two_fit_officers_and_no_assignment_is_more_even(situation, seed):
    there, officers, barred = situation
    choices = [list(combinations(sorted(fit_for(visit, officers, barred)), 2)) for visit in there]
    if not all(choices):
        with pytest.raises(ShortageError):
            assign(there, officers, barred, seed=seed, department="d")
        return
    teams = assign(there, officers, barred, seed=seed, department="d")
    assert all(team in possible for team, possible in zip(teams, choices, strict=True))
    unevenness = min(sum(n * n for n in loads(every, officers)) for every in product(*choices))
    assert sum(n * n for n in loads(teams, officers)) == unevenness


@given(st.integers(2, 9), st.integers(1, 40), st.text(max_size=6))
def test_without_restrictions_nobody_has_two_visits_more(count, number, seed):
    shares = loads(assign(visits(number), pool(count), (), seed=seed, department="d"), pool(count))
    assert shares[-1] - shares[0] <= 1


def test_a_recusal_on_the_last_visit_does_not_unbalance_the_others():
    teams = assign(visits(3), pool(3), {("o0", "home-2")}, seed="s", department="d")
    assert teams[2] == ("o1", "o2")
    assert loads(teams, pool(3)) == [2, 2, 2]


def test_visits_are_handed_on_through_a_colleague_when_it_evens_them_out():
    # o0 may go anywhere but o3 only with o2, so that o0's surplus reaches o3 through others.
    officers = {"o0": set(), "o1": set(), "o2": set(), "o3": {"食品"}}
    there = [("a", frozenset(["消防"])), ("b", frozenset(["消防"])), ("c", frozenset(["食品"]))]
    assert loads(assign(there, officers, (), seed="s", department="d"), officers) == [1, 1, 2, 2]


def test_the_same_seed_sends_the_same_and_another_seed_others():
    first = assign(visits(6), pool(5), (), seed="s", department="d")
    assert assign(visits(6), dict(reversed(pool(5).items())), (), seed="s", department="d") == first
    others = [assign(visits(6), pool(5), (), seed=str(n), department="d") for n in range(5)]
    assert any(other != first for other in others)


def test_every_pair_is_equally_likely_for_one_visit():
    seeds, officers = 6000, pool(5)
    drawn = Counter(assign(visits(1), officers, (), seed=str(n), department="d")[0] for n in range(seeds))
    expected = seeds / comb(5, 2)
    chi_square = sum((drawn[pair] - expected) ** 2 / expected for pair in combinations(officers, 2))
    assert chi_square <= highest_chi_square(comb(5, 2) - 1)


def test_who_may_not_inspect_a_sector_on_the_form_does_not_go():
    officers = {"o0": {"消防"}, "o1": {"消防", "食品"}, "o2": {"食品"}, "o3": set()}
    there = [("a", frozenset(["消防"])), ("b", frozenset(["消防", "食品"]))]
    for seed in "abcdef":
        first, second = assign(there, officers, (), seed=seed, department="d")
        assert "o2" not in first
        assert second == ("o1", "o3")


def test_a_visit_nobody_can_make_is_named():
    with pytest.raises(ShortageError) as shortage:
        assign(visits(2), pool(2), {("o0", "home-1")}, seed="s", department="d")
    assert (shortage.value.key, shortage.value.fit) == ("home-1", 1)


def test_without_visits_nobody_goes():
    assert assign([], {}, (), seed="s", department="d") == []
