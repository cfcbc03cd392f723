import pytest
from django.test import RequestFactory

from core.lists import list_page
from institutions.models import Institution
from tests.factories.departments import make_town
from tests.factories.institutions import make_institution

pytestmark = pytest.mark.django_db

SORTS = {"name": "name", "town": "town__code", "filed": "filed_on"}


def page(query="", **options):
    request = RequestFactory().get(f"/?{query}")
    return list_page(request, Institution.objects.all(), sorts=SORTS, default="name", **options)


def names(query="", **options):
    return [home.name for home in page(query, **options)]


@pytest.fixture
def homes():
    """甲 was never filed; 乙 and 丙 stand in the same town."""
    back, front = make_town("后镇", "2"), make_town("前镇", "1")
    make_institution(back, name="甲", filing_state="NOT_FILED", filed_on=None)
    make_institution(front, name="乙", filed_on="2024-01-01")
    make_institution(front, name="丙", filed_on="2025-01-01")


@pytest.mark.parametrize(
    ("query", "order"),
    [
        ("", ["丙", "乙", "甲"]),
        ("sort=name", ["丙", "乙", "甲"]),
        ("sort=-name", ["甲", "乙", "丙"]),
        ("sort=town", ["乙", "丙", "甲"]),
        ("sort=-town", ["甲", "丙", "乙"]),
        ("sort=filed", ["乙", "丙", "甲"]),
        ("sort=-filed", ["丙", "乙", "甲"]),
    ],
)
def test_rows_come_in_the_order_asked_for_and_empty_ones_last(homes, query, order):
    assert names(query) == order


@pytest.mark.parametrize("sort", ["", "colour", "-colour", "--name", "pk", "town__name"])
def test_order_that_is_not_offered_falls_back_to_the_default(homes, sort):
    listing = page(f"sort={sort}")
    assert (listing.sort, [home.name for home in listing]) == ("name", ["丙", "乙", "甲"])


@pytest.mark.parametrize(
    ("number", "expected"), [("1", 1), ("2", 2), ("99", 2), ("0", 2), ("-3", 2), ("x", 1), ("", 1)]
)
def test_page_that_is_not_there_falls_to_the_nearest(homes, number, expected):
    assert page(f"page={number}", per_page=2).page.number == expected


def test_every_row_stands_on_exactly_one_page(homes):
    for name in ("name", "-name", "town", "-town", "filed", "-filed"):
        rows = [row for number in (1, 2, 3) for row in names(f"sort={name}&page={number}", per_page=1)]
        assert sorted(rows) == ["丙", "乙", "甲"]


def test_no_rows_make_one_empty_page():
    listing = page()
    assert (list(listing), listing.page.paginator.num_pages) == ([], 1)


@pytest.mark.parametrize("rows", [1, 3])
def test_page_costs_a_count_and_a_select(rows, django_assert_num_queries):
    for _ in range(rows):
        make_institution()
    with django_assert_num_queries(2):
        list(page())
