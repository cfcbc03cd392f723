import pytest
from django.urls import reverse

from inspections.draws.rules import Rate, percent, piecewise
from inspections.models import JointInspection
from inspections.services.printed_rules import PrintedRule, printed_rules
from tests.factories.departments import make_department
from tests.factories.inspections import clerk_of
from tests.factories.institutions import make_institution
from tests.factories.scenarios import Row, make_version
from tests.inspections.test_launch_pages import filled

pytestmark = pytest.mark.django_db

PIECEWISE = "10所及以下不少于2所；超过10所不低于50%"


@pytest.fixture
def minzheng():
    return make_department("minzheng")


@pytest.fixture
def lead(client_as, minzheng):
    return client_as(clerk_of(minzheng))


def printing(*texts: str):
    """A version one row of which prints each text."""
    return make_version([Row(f"检查{number}", sampling=text) for number, text in enumerate(texts)])


def test_each_text_is_offered_once_with_the_lines_it_stands_on():
    version = printing("40%;每年1次", "", PIECEWISE, "40%;每年1次", "待定")
    assert printed_rules([version]) == [
        PrintedRule("40%;每年1次", 2, percent(40), 1),
        PrintedRule(PIECEWISE, 1, piecewise(10, at_least=2, beyond=50), None),
        PrintedRule("待定", 1, None, None),
    ]


def test_a_version_that_prints_nothing_offers_nothing():
    assert printed_rules([make_version()]) == []


def test_the_form_offers_what_the_chosen_version_prints(lead):
    printing("40%;每年1次")
    response = lead.get(reverse("inspections:launch"))
    assert "“40%;每年1次”（1 行）：抽取 40%，每年 1 次" in response.content.decode()


def test_choosing_another_version_asks_for_its_rules(lead):
    printing("40%")
    other = printing("30%")
    response = lead.post(reverse("inspections:sampling_printed"), {"versions": [other.pk]})
    assert [rule.text for rule in response.context["printed"]] == ["30%"]


def test_an_unpublished_version_offers_nothing(lead):
    response = lead.post(reverse("inspections:sampling_printed"), {"versions": [4711, "x"]})
    assert response.context["printed"] == []


@pytest.mark.parametrize(
    ("text", "rate"),
    [("40%;每年1次", percent(40)), (PIECEWISE, piecewise(10, at_least=2, beyond=50)), ("不少于3家", None)],
)
def test_a_taken_rule_fills_the_fields_and_is_what_launches(lead, minzheng, text, rate):
    make_institution()
    version = printing(text)
    posted = {"versions": [version.pk], "adopt": text, "sampling-percent": "7", "sampling-by": ""}
    response = lead.post(reverse("inspections:sampling_adopt"), posted)
    fields = response.context["sampling"]
    shown = {f"sampling-{name}": fields[name].value() for name in ("percent", "at_least", "upto", "few")}
    lead.post(reverse("inspections:launch"), filled(minzheng, version, **shown))
    otherwise: Rate = JointInspection.objects.get().sampling.otherwise
    assert otherwise == (rate or response.context["printed"][0].rate)


def test_taking_a_rule_keeps_the_rates_of_strata(lead):
    version = printing("40%")
    posted = {"versions": [version.pk], "adopt": "40%", "sampling-by": "CREDIT_CLASS"}
    response = lead.post(reverse("inspections:sampling_adopt"), {**posted, "sampling-rate-D": "100"})
    fields = response.context["sampling"]
    assert [fields[name].value() for name in ("percent", "by", "rate-D")] == ["40", "CREDIT_CLASS", "100"]


def test_a_text_no_version_prints_changes_nothing(lead):
    version = printing("40%")
    posted = {"versions": [version.pk], "adopt": "90%", "sampling-percent": "7"}
    response = lead.post(reverse("inspections:sampling_adopt"), posted)
    assert response.context["sampling"]["percent"].value() == "7"


def test_a_rule_may_be_a_number_alone(lead, minzheng):
    make_institution()
    values = {"sampling-percent": "", "sampling-at_least": "3"}
    lead.post(reverse("inspections:launch"), filled(minzheng, make_version(), **values))
    assert JointInspection.objects.get().sampling.otherwise.as_json() == [{"at_least": 3}]
