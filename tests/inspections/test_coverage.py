from datetime import date, datetime

import pytest
from django.urls import reverse
from django.utils import timezone

from inspections.enums import OwnResultState, TaskState
from inspections.models import OwnResult, Task
from inspections.services.coverage import Coverage, by_town, coverage, visits_saved, with_checked
from institutions.enums import OperatingState
from institutions.models import Institution
from tests.factories.departments import make_department, make_town
from tests.factories.inspections import clerk_of
from tests.factories.institutions import make_institution
from tests.factories.own_results import make_own_result
from tests.factories.scenarios import Row, make_version
from tests.factories.tasks import make_running_inspection, make_task, submit_task

pytestmark = pytest.mark.django_db

YEAR = 2025
PAGE_QUERIES = 13
PAGE = reverse("inspections:coverage")


@pytest.fixture(autouse=True)
def minzheng():
    return make_department("minzheng")


@pytest.fixture
def lead(client_as, minzheng):
    return client_as(clerk_of(minzheng))


def submitted(institution: Institution, moment: datetime) -> Task:
    """As the database keeps a form handed in at that moment."""
    task = make_task(institution=institution)
    Task.objects.filter(pk=task.pk).update(
        state=TaskState.SUBMITTED,
        submitted_at=timezone.make_aware(moment),
        submitted_by=clerk_of(make_department("minzheng")),
        answers_digest="x",
    )
    return task


def checked(year: int = YEAR) -> list[Institution]:
    return list(with_checked(Institution.objects.all(), year).filter(checked=True).order_by("pk"))


def test_without_institutions_nothing_is_covered():
    assert coverage(Institution.objects.all(), YEAR) == Coverage(YEAR, 0, 0)
    assert coverage(Institution.objects.all(), YEAR).percent == 0


@pytest.mark.parametrize(
    ("moment", "counts"),
    [
        (datetime(2024, 12, 31, 23, 59, 59), False),
        (datetime(2025, 1, 1, 0, 0), True),
        (datetime(2025, 12, 31, 23, 59, 59), True),
        (datetime(2026, 1, 1, 0, 0), False),
    ],
)
def test_a_form_handed_in_counts_in_its_calendar_year(moment, counts):
    institution = make_institution()
    submitted(institution, moment)
    assert checked() == ([institution] if counts else [])


def test_an_open_form_does_not_count():
    make_task()
    assert checked(timezone.localdate().year) == []


@pytest.mark.parametrize(
    ("state", "on_site", "counts"),
    [
        (OwnResultState.CONFIRMED, True, True),
        (OwnResultState.CONFIRMED, False, False),
        (OwnResultState.AWAITING, True, False),
        (OwnResultState.RETURNED, True, False),
    ],
)
def test_a_result_of_an_own_system_counts_once_confirmed_if_on_site(state, on_site, counts):
    result = make_own_result(state=state, on_site=on_site)
    assert checked(result.checked_on.year) == ([result.institution] if counts else [])


def test_the_day_of_the_check_decides_its_year():
    result = make_own_result(state=OwnResultState.CONFIRMED, checked_on=date(2025, 3, 1))
    assert (checked(2025), checked(2026)) == ([result.institution], [])


def test_a_check_before_the_merge_counts_for_whom_it_was_merged_into():
    temporary, lasting = make_institution(), make_institution(uscc="52350582MJB000018H")
    make_own_result(state=OwnResultState.CONFIRMED, institution=temporary)
    Institution.objects.filter(pk=temporary.pk).update(merged_into=lasting)
    assert checked(OwnResult.objects.get().checked_on.year) == [lasting]


@pytest.mark.parametrize("state", [OperatingState.SUSPENDED, OperatingState.CLOSED])
def test_who_is_not_in_operation_is_not_asked_for(state):
    make_institution(operating_state=state)
    assert coverage(Institution.objects.all(), YEAR).total == 0


def test_towns_add_up():
    yinglin, anhai = make_town("英林镇"), make_town("安海镇")
    submitted(make_institution(yinglin), datetime(2025, 5, 1))
    make_institution(yinglin)
    make_institution(anhai)
    rows = {
        row["town__name"]: (row["total"], row["done"]) for row in by_town(Institution.objects.all(), YEAR)
    }
    assert rows == {"英林镇": (2, 1), "安海镇": (1, 0)}


# --- 少进门 ---------------------------------------------------------------------------------


def test_visits_saved_are_those_apart_less_those_made():
    # Four departments stand on the form of the plain version, one on the other.
    submit_task(make_task())
    alone = make_version([Row("人员资质检查")])
    submit_task(make_task(inspection=make_running_inspection(alone)))
    assert visits_saved(Task.objects.all()) == 3


def test_open_visits_save_nothing_yet():
    make_task()
    assert visits_saved(Task.objects.all()) == 0


def test_the_joint_inspections_page_says_how_many(lead):
    task = submit_task(make_task())
    inspection = task.origins.get().joint_inspection
    page = lead.get(reverse("inspections:detail", args=[inspection.pk]))
    assert page.context["saved"] == 3
    assert "少进门" in page.content.decode()


# --- The page ----------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [1, 3])
def test_page_costs_the_same_for_one_and_three(lead, django_assert_num_queries, count):
    for _ in range(count):
        make_institution()
    with django_assert_num_queries(PAGE_QUERIES):
        lead.get(PAGE)


def test_page_lists_those_without_a_check_first(lead):
    missing = make_institution()
    done = make_own_result(state=OwnResultState.CONFIRMED).institution
    lists = [
        [row.pk for row in lead.get(PAGE, {"checked": value}).context["listing"]]
        for value in ("", "yes", "all")
    ]
    assert [set(row) for row in lists] == [{missing.pk}, {done.pk}, {missing.pk, done.pk}]


def test_page_of_an_earlier_year(lead):
    year = timezone.localdate().year - 1
    make_own_result(state=OwnResultState.CONFIRMED, checked_on=date(year, 6, 1))
    context = lead.get(PAGE, {"year": year}).context
    assert (context["coverage"], context["is_this_year"]) == (Coverage(year, 1, 1), False)


def test_a_town_sees_its_own_institutions(client_as):
    town = make_town("英林镇")
    make_institution(town)
    make_institution(make_town("安海镇"))
    page = client_as(clerk_of(make_department("yinglin", town))).get(PAGE)
    assert page.context["coverage"].total == 1


def test_nonsense_in_the_address_shows_this_year(lead):
    make_institution()
    page = lead.get(PAGE, {"year": "1999", "town": "?", "checked": "?"})
    assert page.context["coverage"] == Coverage(timezone.localdate().year, 1, 0)
