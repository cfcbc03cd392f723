"""Random rules and rosters, for properties that hold for all of them."""

from decimal import Decimal

from hypothesis import strategies as st

from inspections.draws.rules import Band, Rate, SamplingRule

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
