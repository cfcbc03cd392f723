import pytest

from inspections.draws.rules import SamplingRule, everything, percent
from inspections.enums import FindingState, Severity, StratifyBy
from inspections.services import strata
from institutions.models import Institution
from tests.factories.departments import make_town
from tests.factories.institutions import make_institution
from tests.factories.tasks import make_rectification

pytestmark = pytest.mark.django_db

TWENTY = percent(20)


def expected(by, rates=None):
    rule = SamplingRule(TWENTY, by, rates or {})
    rows = strata.named(strata.expected(Institution.objects.all(), rule), rule)
    return [(row["name"], row["members"], row["drawn"], row["probability"]) for row in rows]


def test_without_strata_all_are_one():
    for _ in range(6):
        make_institution()
    assert expected("") == [("全部机构", 6, 2, "2/6")]


@pytest.mark.parametrize("by", ["", *StratifyBy])
def test_of_nobody_nothing_is_drawn(by):
    assert expected(by) == []


def test_credit_classes_are_drawn_at_rates_of_their_own():
    for credit in ["A"] * 6 + ["D"] * 2 + [""]:
        make_institution(credit_class=credit)
    assert expected(StratifyBy.CREDIT_CLASS, {"D": everything()}) == [
        ("A（守信）", 6, 2, "2/6"),
        ("D（失信）", 2, 2, "2/2"),
        ("未评级", 1, 1, "1/1"),
    ]


def test_towns_are_called_by_their_names():
    for town in ("安海镇", "英林镇", "安海镇"):
        make_institution(make_town(town))
    assert sorted(expected(StratifyBy.TOWN)) == [("安海镇", 2, 1, "1/2"), ("英林镇", 1, 1, "1/1")]


def test_kinds_are_called_by_their_names():
    home = make_institution()
    assert expected(StratifyBy.KIND) == [(home.get_kind_display(), 1, 1, "1/1")]


@pytest.mark.parametrize(
    ("severity", "state", "stratum"),
    [
        (Severity.MAJOR, FindingState.RECTIFYING, "有未办结的重大问题"),
        (Severity.MAJOR, FindingState.RECTIFIED, "无未办结的重大问题"),
        (Severity.GENERAL, FindingState.RECTIFYING, "无未办结的重大问题"),
    ],
)
def test_an_unsettled_major_problem_puts_an_institution_apart(severity, state, stratum):
    finding = make_rectification().finding
    type(finding).objects.update(severity=severity, state=state)
    Institution.objects.exclude(pk=finding.institution.pk).delete()
    assert expected(StratifyBy.MAJOR_HAZARD) == [(stratum, 1, 1, "1/1")]


def test_a_rule_is_said_in_the_words_of_its_strata():
    rule = SamplingRule(TWENTY, StratifyBy.CREDIT_CLASS, {"D": everything()})
    assert strata.in_words(rule) == (
        "按信用等级分层：D（失信）全部抽取；其余各层抽取 20%。各层分别计算，不足一家的按一家计。"
    )
