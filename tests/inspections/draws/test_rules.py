from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspections.draws.rules import (
    Band,
    Rate,
    RuleError,
    SamplingRule,
    everything,
    from_json,
    percent,
    piecewise,
)
from tests.factories.draws import rules

UP_TO_TEN = piecewise(10, at_least=2, beyond=50)


@pytest.mark.parametrize(
    ("rate", "members", "size"),
    [
        (percent(40), 22, 9),
        (percent(30), 60, 18),
        (percent(30), 7, 3),
        (percent(1), 1, 1),
        (percent("33.33"), 3, 1),
        (percent("33.34"), 3, 2),
        (percent("0.01"), 10_000, 1),
        (percent("0.01"), 10_001, 2),
        (percent(20, at_least=3), 10, 3),
        (percent(20, at_least=3), 20, 4),
        (percent(20, at_least=3), 2, 2),
        (everything(), 60, 60),
        (UP_TO_TEN, 1, 1),
        (UP_TO_TEN, 10, 2),
        (UP_TO_TEN, 11, 6),
        (UP_TO_TEN, 0, 0),
        (percent(30), 0, 0),
    ],
)
def test_the_size_is_rounded_up_and_never_more_than_there_are(rate, members, size):
    assert rate.size(members) == size


@given(rules(), st.integers(0, 500))
def test_the_size_is_the_smallest_number_the_band_allows(rule, members):
    size = rule.size("x", members)
    band = next(b for b in rule.rate_of("x").bands if b.upto is None or members <= b.upto)
    enough = max(Fraction(band.percent) * members / 100, band.at_least)
    assert size == min(members, -(-enough.numerator // enough.denominator))


def test_a_stratum_without_a_rate_of_its_own_is_drawn_by_the_others():
    rule = SamplingRule(percent(20), "CREDIT_CLASS", {"D": everything(), "C": percent(50)})
    assert [rule.size(stratum, 10) for stratum in ("A", "C", "D")] == [2, 5, 10]


def test_the_probability_of_every_member_is_exact():
    rule = SamplingRule(percent(20), "CREDIT_CLASS", {"D": everything()})
    assert (rule.probability("A", 7), rule.probability("D", 3)) == ("2/7", "3/3")


@given(rules())
def test_a_rule_survives_its_json(rule):
    assert from_json(rule.as_json()) == rule


def test_the_json_of_a_rule_is_short():
    rule = SamplingRule(UP_TO_TEN, "CREDIT_CLASS", {"D": everything(), "C": percent("12.50", at_least=3)})
    assert rule.as_json() == {
        "by": "CREDIT_CLASS",
        "otherwise": [{"at_least": 2, "upto": 10}, {"percent": "50"}],
        "rates": {"C": [{"percent": "12.5", "at_least": 3}], "D": [{"percent": "100"}]},
    }


@pytest.mark.parametrize(
    ("rule", "sentence"),
    [
        (SamplingRule(everything()), "全部抽取，不足一家的按一家计。"),
        (SamplingRule(percent("12.50")), "抽取 12.5%，不足一家的按一家计。"),
        (SamplingRule(percent(20, at_least=2)), "抽取 20%、至少 2 家，不足一家的按一家计。"),
        (SamplingRule(UP_TO_TEN), "10 家及以下抽取 2 家，超过 10 家抽取 50%，不足一家的按一家计。"),
        (
            SamplingRule(percent(20), "CREDIT_CLASS", {"D": everything()}),
            "按信用等级分层：D（失信）全部抽取；其余各层抽取 20%。各层分别计算，不足一家的按一家计。",
        ),
        (
            SamplingRule(percent(20), "CREDIT_CLASS"),
            "按信用等级分层：每层抽取 20%。各层分别计算，不足一家的按一家计。",
        ),
    ],
)
def test_a_rule_is_said_in_words(rule, sentence):
    assert rule.sentence(by="信用等级", labels={"D": "D（失信）"}) == sentence


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: percent(0), "不能都为 0"),
        (lambda: percent(101), "不超过 100"),
        (lambda: percent("-1"), "大于 0"),
        (lambda: percent("1.234"), "两位小数"),
        (lambda: percent(10, at_least=-1), "最少抽取数"),
        (lambda: Rate(()), "请填写"),
        (lambda: Rate((Band(Decimal(10), upto=5),)), "最后一段"),
        (lambda: Rate((Band(Decimal(10)), Band(Decimal(10)))), "最后一段"),
        (
            lambda: Rate((Band(Decimal(9), upto=5), Band(Decimal(9), upto=5), Band(Decimal(9)))),
            "从小到大",
        ),
        (lambda: Rate((Band(Decimal(9), upto=0), Band(Decimal(9)))), "从小到大"),
        (lambda: SamplingRule(percent(10), rates={"D": everything()}), "按什么分层"),
    ],
)
def test_a_rule_nobody_can_draw_by_is_refused(make, message):
    with pytest.raises(RuleError, match=message):
        make()


@pytest.mark.parametrize(
    "value",
    [
        None,
        [],
        {},
        {"by": "", "otherwise": [], "rates": {}},
        {"by": "", "otherwise": [{"percent": 30}], "rates": {}},
        {"by": "", "otherwise": [{"percent": "3e1"}], "rates": {}},
        {"by": "", "otherwise": [{"percent": "NaN"}], "rates": {}},
        {"by": "", "otherwise": [{"at_least": "2"}], "rates": {}},
        {"by": "", "otherwise": [{"at_least": True}], "rates": {}},
        {"by": "", "otherwise": [{"percent": "30", "upto": "5"}], "rates": {}},
        {"by": "", "otherwise": ["30"], "rates": {}},
        {"by": "", "otherwise": [{"percent": "30"}], "rates": []},
    ],
)
def test_json_that_is_no_rule_is_refused(value):
    with pytest.raises(RuleError):
        from_json(value)
