from datetime import date, timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from core.errors import DomainError
from core.workdays import add_workdays
from inspections.enums import InspectionKind, InspectionState, ScopeSource
from inspections.models import DueCheck, JointInspection
from inspections.services import launch
from inspections.services.due_checks import open_due_checks
from institutions.enums import Feature, FilingState, OperatingState
from institutions.models import Institution
from ledger.models import Entry
from tests.factories.departments import make_department
from tests.factories.inspections import clerk_of, head_of
from tests.factories.institutions import make_institution
from tests.factories.scenarios import make_version

pytestmark = pytest.mark.django_db

FILED_ON = date(2025, 9, 22)
DAY_AFTER = FILED_ON + timedelta(days=1)


@pytest.fixture(autouse=True)
def minzheng():
    return make_department("minzheng")


def make_unfiled(**fields) -> Institution:
    """Found in the register on the day it was filled in."""
    return make_institution(filing_state=FilingState.NOT_FILED, filed_on=None, **({"residents": 6} | fields))


def found_on(institution: Institution) -> date:
    return institution.changed_at.astimezone().date()


def test_a_filing_is_due_twenty_working_days_later():
    institution = make_institution(filed_on=FILED_ON)
    assert open_due_checks(DAY_AFTER) == 1
    check = DueCheck.objects.get()
    assert (check.kind, check.institution, check.since, check.due_on) == (
        InspectionKind.FILED,
        institution,
        FILED_ON,
        date(2025, 10, 24),
    )


def test_it_drafts_a_joint_inspection_of_that_institution_nobody_launched(minzheng):
    version = make_version()
    today = timezone.localdate()
    institution = make_institution(filed_on=today, name="安海养老院")
    open_due_checks()
    drafted = JointInspection.objects.get()
    assert (drafted.name, drafted.state, drafted.lead_department, drafted.launched_by) == (
        "安海养老院备案后首次检查",
        InspectionState.DRAFT,
        minzheng,
        None,
    )
    assert (drafted.window_from, drafted.window_until) == (today, add_workdays(today, 20))
    assert list(drafted.versions.all()) == [version]
    assert list(drafted.candidates.values_list("institution", "source")) == [
        (institution.pk, ScopeSource.HAND)
    ]


def test_running_again_drafts_nothing_more():
    make_institution(filed_on=FILED_ON)
    assert [open_due_checks(DAY_AFTER), open_due_checks(DAY_AFTER)] == [1, 0]


def test_an_institution_filed_anew_is_checked_anew():
    institution = make_institution(filed_on=FILED_ON)
    open_due_checks(DAY_AFTER)
    Institution.objects.filter(pk=institution.pk).update(filed_on=DAY_AFTER)
    assert open_due_checks(DAY_AFTER) == 1


def test_filings_of_long_ago_are_left_to_the_yearly_coverage(settings):
    settings.FIRST_CHECK_LOOKBACK_DAYS = 30
    make_institution(filed_on=FILED_ON)
    assert open_due_checks(FILED_ON + timedelta(days=31)) == 0


def test_a_filing_in_the_future_waits():
    make_institution(filed_on=FILED_ON)
    assert open_due_checks(FILED_ON - timedelta(days=1)) == 0


@pytest.mark.parametrize("state", [OperatingState.SUSPENDED, OperatingState.CLOSED])
def test_who_is_not_in_operation_is_not_checked(state):
    make_institution(filed_on=FILED_ON, operating_state=state)
    assert open_due_checks(DAY_AFTER) == 0


def test_an_overdue_check_is_drafted_with_its_day_and_a_window_that_is_still_open():
    make_institution(filed_on=FILED_ON)
    late = date(2025, 12, 1)
    open_due_checks(late)
    assert (DueCheck.objects.get().due_on, JointInspection.objects.get().window_until) == (
        date(2025, 10, 24),
        late,
    )


def test_an_unfiled_home_is_due_from_the_day_it_is_known_to_have_residents():
    institution = make_unfiled()
    day = found_on(institution)
    assert open_due_checks(day) == 1
    check = DueCheck.objects.get()
    assert (check.kind, check.since) == (InspectionKind.UNFILED, day)


@pytest.mark.parametrize(("trigger", "drafted"), [("RESIDENTS", 0), ("SERVICE", 1)])
def test_whether_an_unfiled_home_without_known_residents_counts_is_a_setting(settings, trigger, drafted):
    settings.UNFILED_TRIGGER = trigger
    institution = make_unfiled(residents=None)
    assert open_due_checks(found_on(institution)) == drafted


def test_an_unfiled_home_is_drafted_once_however_its_entry_changes():
    institution = make_unfiled()
    open_due_checks(found_on(institution))
    institution.beds = 12
    institution.save()
    assert open_due_checks(found_on(institution) + timedelta(days=1)) == 0


def test_subsidies_are_checked_once_a_quarter():
    subsidised = make_institution(features=[Feature.SUBSIDY])
    make_institution()
    opened = [open_due_checks(date(2025, 11, 3)), open_due_checks(date(2025, 12, 30))]
    check = DueCheck.objects.get()
    assert (opened, check.kind, check.since, check.due_on) == (
        [1, 0],
        InspectionKind.SUBSIDY,
        date(2025, 10, 1),
        date(2025, 12, 31),
    )
    assert list(check.joint_inspection.candidates.values_list("institution", flat=True)) == [subsidised.pk]
    assert open_due_checks(date(2026, 1, 1)) == 1


def test_the_lead_is_told_and_the_trail_says_so(minzheng):
    clerk = clerk_of(minzheng)
    make_institution(filed_on=FILED_ON, name="安海养老院")
    open_due_checks(DAY_AFTER)
    drafted = JointInspection.objects.get()
    assert clerk.notifications.get().text == (
        "已自动拟定“安海养老院备案后首次检查”，应于 2025-10-24 前完成检查，请核对后提请审批。"
    )
    entry = Entry.objects.get(chain__subject=drafted.subject)
    assert (entry.kind, entry.actor, entry.payload["due_on"]) == (
        "inspection.due_check_opened",
        "system",
        "2025-10-24",
    )


def test_without_a_keeper_of_the_register_nothing_is_drafted(settings):
    settings.REGISTER_KEEPER = "nobody"
    make_institution(filed_on=FILED_ON)
    assert open_due_checks(DAY_AFTER) == 0


def test_whoever_asks_for_approval_has_launched_it(minzheng):
    make_version()
    institution = make_unfiled()
    open_due_checks(found_on(institution))
    drafted = launch.submit_for_approval(JointInspection.objects.get(), actor=clerk_of(minzheng))
    assert drafted.launched_by == clerk_of(minzheng)
    assert launch.approve(drafted, actor=head_of(minzheng)).state == InspectionState.TICKING


def test_a_draft_without_a_version_in_force_asks_for_one(minzheng):
    institution = make_unfiled()
    open_due_checks(found_on(institution))
    with pytest.raises(DomainError) as refusal:
        launch.submit_for_approval(JointInspection.objects.get(), actor=clerk_of(minzheng))
    assert refusal.value.message == "请选择一件事主题。"


def test_its_page_says_until_when_and_that_nobody_launched_it(client_as, minzheng):
    institution = make_unfiled()
    open_due_checks(found_on(institution))
    page = client_as(clerk_of(minzheng)).get(
        reverse("inspections:detail", args=[JointInspection.objects.get().pk])
    )
    text = page.content.decode()
    assert "系统自动拟定" in text
    assert "应完成日期" in text
