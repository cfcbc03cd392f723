import json

import pytest
from django.http import QueryDict

from institutions.forms import InstitutionFilterForm, InstitutionScopeForm
from institutions.models import Institution
from tests.factories.departments import make_town
from tests.factories.institutions import USCCS, make_institution

pytestmark = pytest.mark.django_db


@pytest.fixture
def homes():
    """Two homes that differ in everything a filter knows."""
    return (
        make_institution(
            make_town("英林镇", "350582112"),
            name="怡康养老院",
            uscc=USCCS[0],
            address="英龙路118号",
            features=["CANTEEN", "SUBSIDY"],
            credit_class="A",
        ),
        make_institution(
            make_town("安海镇", "350582101"),
            name="龙山日间照料室",
            kind="DAY_CARE",
            address="成功西路8号",
            features=["CANTEEN"],
            filing_state="NOT_REQUIRED",
            filed_on=None,
            operating_state="SUSPENDED",
            credit_class="D",
        ),
    )


def found(query, form=InstitutionFilterForm):
    return set(form(QueryDict(query)).filter(Institution.objects.all()))


@pytest.mark.parametrize(
    ("query", "indexes"),
    [
        ("", [0, 1]),
        ("q=怡康", [0]),
        ("q=成功西路", [1]),
        ("q=mjb000018", [0]),
        ("q=养老 英龙", [0]),
        ("q=养老 成功", []),
        ("q=100%25", []),
        ("town=350582112", [0]),
        ("town=350582112&town=350582101", [0, 1]),
        ("kind=DAY_CARE", [1]),
        ("operating_state=SUSPENDED", [1]),
        ("filing_state=FILED", [0]),
        ("feature=CANTEEN", [0, 1]),
        ("feature=CANTEEN&feature=SUBSIDY", [0]),
        ("credit_class=D", [1]),
        ("town=350582112&kind=DAY_CARE", []),
        ("page=2&sort=name", [0, 1]),
    ],
)
def test_filter_finds(homes, query, indexes):
    assert found(query) == {homes[index] for index in indexes}


def test_unbound_form_means_everything(homes):
    assert InstitutionFilterForm().filter(Institution.objects.all()).count() == 2
    assert InstitutionFilterForm().as_json() == {}


def test_unknown_value_finds_nothing_and_is_named(homes):
    form = InstitutionFilterForm(QueryDict("town=999"))
    assert form.filter(Institution.objects.all()).count() == 0
    assert list(form.errors) == ["town"]


def test_unknown_value_is_not_stored(homes):
    with pytest.raises(ValueError, match="town"):
        InstitutionFilterForm(QueryDict("town=999")).as_json()


@pytest.mark.parametrize("form", [InstitutionFilterForm, InstitutionScopeForm])
@pytest.mark.parametrize(
    "query",
    ["", "q=养老", "town=350582112&town=350582101&feature=CANTEEN", "kind=DAY_CARE&credit_class=D&q=龙山"],
)
def test_stored_filter_finds_the_same_again(homes, form, query):
    stored = json.loads(json.dumps(form(QueryDict(query)).as_json()))
    assert set(form(stored).filter(Institution.objects.all())) == found(query, form)
    assert form(stored).as_json() == stored


def test_drop_down_offers_everything_and_keeps_the_choice(homes):
    html = str(InstitutionFilterForm(QueryDict("town=350582112"))["town"])
    assert '<option value="">全部</option>' in html
    assert '<option value="350582112" selected>英林镇</option>' in html


def test_filter_keeps_what_the_queryset_leaves_out(homes):
    visible = Institution.objects.filter(town__code="350582101")
    assert set(InstitutionFilterForm(QueryDict("feature=CANTEEN")).filter(visible)) == {homes[1]}
