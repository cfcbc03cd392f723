import hashlib
from collections import Counter
from decimal import Decimal
from itertools import combinations
from math import comb, sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspections.draws.rules import SamplingRule, everything, percent
from inspections.draws.selection import rank, select, select_by_ratio
from tests.factories.draws import rosters, rules

seeds = st.text(st.characters(codec="utf-8"), max_size=12)


@given(rosters, rules(), seeds)
def test_every_stratum_gives_as_many_as_the_rule_says_and_only_its_members(roster, rule, seed):
    drawn = select(roster, rule, seed)
    assert len(set(drawn)) == len(drawn)
    assert set(drawn) <= set(roster)
    there, taken = Counter(roster.values()), Counter(roster[key] for key in drawn)
    assert all(taken[stratum] == rule.size(stratum, members) for stratum, members in there.items())


@given(rosters, rules(), seeds, st.randoms())
def test_the_order_of_the_roster_does_not_matter(roster, rule, seed, random):
    shuffled = list(roster.items())
    random.shuffle(shuffled)
    assert select(dict(shuffled), rule, seed) == select(roster, rule, seed)


@given(rosters, rules(), seeds)
def test_what_happens_in_one_stratum_does_not_depend_on_the_others(roster, rule, seed):
    drawn = set(select(roster, rule, seed))
    for stratum in set(roster.values()):
        alone = {key: stratum for key, where in roster.items() if where == stratum}
        assert set(select(alone, rule, seed)) == drawn & set(alone)


@given(st.dictionaries(st.sampled_from("abcdefgh"), st.sampled_from("AB"), min_size=1), rules())
def test_everybody_with_a_chance_is_drawn_sooner_or_later(roster, rule):
    # A chance is at least one in eight: that a member misses 300 draws is one in 10^17.
    drawn = {key for seed in range(300) for key in select(roster, rule, str(seed))}
    assert drawn == set(roster)


def test_the_order_drawn_is_that_of_the_ranks():
    roster = dict.fromkeys("abcdef", "")
    drawn = select(roster, SamplingRule(everything()), "seed")
    assert drawn == sorted(roster, key=lambda key: rank("seed", "", key))


def test_a_rank_is_what_sha256sum_prints():
    assert rank("5eed", "D", "k1") == hashlib.sha256(b"5eed\nD\nk1").hexdigest()


def test_a_key_with_a_line_break_is_refused():
    with pytest.raises(ValueError, match="line break"):
        select({"a\nb": ""}, SamplingRule(everything()), "seed")


@pytest.mark.parametrize("members", range(1, 13))
def test_every_subset_is_equally_likely(members):
    assert_uniform(members, per_subset=6, first_seed=0)


@pytest.mark.soak
@pytest.mark.parametrize("first_seed", range(0, 5_000_000, 1_000_000))
@pytest.mark.parametrize("members", range(1, 13))
def test_every_subset_is_equally_likely_over_many_seeds(members, first_seed):
    assert_uniform(members, per_subset=100, first_seed=first_seed)


def assert_uniform(members: int, *, per_subset: int, first_seed: int) -> None:
    """Chi-square over all subsets of each size, with so many seeds for each subset. The seeds are fixed."""
    roster = {f"key-{n}": "" for n in range(members)}
    for size in range(1, members + 1):
        rule = SamplingRule(percent("0.01", at_least=size))
        subsets = comb(members, size)
        seeds = range(first_seed, first_seed + subsets * per_subset)
        drawn = Counter(frozenset(select(roster, rule, str(seed))) for seed in seeds)
        assert set(drawn) <= {frozenset(subset) for subset in combinations(roster, size)}
        missed = (subsets - len(drawn)) * per_subset
        chi_square = missed + sum((count - per_subset) ** 2 / per_subset for count in drawn.values())
        assert chi_square <= highest_chi_square(subsets - 1), f"{size} of {members}"


def highest_chi_square(freedom: int) -> float:
    """What is exceeded by chance once in 30,000 (Wilson and Hilferty's approximation, 4 deviations)."""
    if not freedom:
        return 0
    spread = 2 / (9 * freedom)
    return freedom * (1 - spread + 4 * sqrt(spread)) ** 3


def test_the_first_algorithm_draws_what_it_always_drew():
    keys = [f"key-{n}" for n in range(6)]
    expected = sorted(keys, key=lambda key: hashlib.sha256(f"seed:{key}".encode()).hexdigest())[:3]
    assert select_by_ratio(reversed(keys), Decimal(50), "seed") == expected
