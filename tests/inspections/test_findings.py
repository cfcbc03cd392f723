from datetime import date

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.utils import timezone

from core.errors import DomainError
from departments.enums import Role
from inspections.enums import Disposition, FindingState, ReferralRoute, ReferralState
from inspections.models import Finding
from inspections.services.findings import send_on
from inspections.services.rectifications import recheck
from inspections.services.referrals import return_referral
from scenarios.models import Delegation, MatrixRow
from tests.factories.departments import make_department, make_town, make_user
from tests.factories.scenarios import delegate_all
from tests.factories.tasks import make_rectification, make_referral, make_task, problem, submit_task

pytestmark = pytest.mark.django_db


@pytest.fixture
def returned():
    """A finding of 消防 that 英林镇 sent back."""
    referral = make_referral()
    return_referral(referral, reason="不属本镇", actor=make_user(referral.to_department, Role.OFFICER))
    return Finding.objects.get()


@pytest.fixture
def clerk(returned):
    return make_user(returned.department)


def test_a_returned_problem_goes_where_its_department_says(returned, clerk):
    anhai = make_department("anhai", make_town("安海镇"))
    referral = send_on(returned, to_department=anhai, actor=clerk)
    assert (referral.to_department, referral.route, referral.state) == (
        anhai,
        ReferralRoute.DEPARTMENT,
        ReferralState.SENT,
    )
    assert referral.warning == "由检查部门指定移送安海镇，事项矩阵所列为英林镇。"
    returned.refresh_from_db()
    assert returned.state == FindingState.REFERRED


def test_without_a_choice_the_matrix_decides_again(returned, clerk):
    referral = send_on(returned, actor=clerk)
    assert (referral.to_department.short_name, referral.route) == ("英林镇", ReferralRoute.DELEGATED_TOWN)


@pytest.fixture
def wiring():
    """A returned finding of row 7, which names 消防; its town; a clerk of the department that found it."""
    referral = make_referral(row_number="7", delegated=False)
    return_referral(referral, reason="材料不全", actor=make_user(referral.to_department, Role.OFFICER))
    finding = Finding.objects.get()
    return finding, finding.institution.town, make_user(finding.department)


def test_the_delegations_of_the_day_of_the_finding_decide(returned, clerk):
    assert Delegation.objects.get(penalty_item=returned.row.penalty_item).valid_from == date(2024, 1, 1)
    Finding.objects.update(found_on="2023-12-31")
    assert send_on(returned, actor=clerk).route == ReferralRoute.FALLBACK


def test_a_department_whose_power_the_town_took_over_no_longer_receives(wiring):
    finding, town, clerk = wiring
    Delegation.objects.create(
        town=town,
        penalty_item=finding.row.penalty_item,
        delegation_list="FIRE",
        valid_from=finding.found_on,
        recorded_by=clerk,
    )
    with pytest.raises(DomainError, match="市消防救援大队不再受理，请移送英林镇。") as refused:
        send_on(finding, to_department=make_department("xiaofang"), actor=clerk)
    assert refused.value.fields == {"to_department": "已由英林镇承接，请改选"}
    assert send_on(finding, actor=clerk).to_department.short_name == "英林镇"


def test_what_was_referred_before_the_item_changed_hands_stays(wiring):
    finding, town, clerk = wiring
    sent = send_on(finding, actor=clerk)
    Delegation.objects.create(
        town=town,
        penalty_item=finding.row.penalty_item,
        delegation_list="FIRE",
        valid_from=finding.found_on,
        recorded_by=clerk,
    )
    sent.refresh_from_db()
    assert (sent.to_department.code, sent.state, sent.delegation) == ("xiaofang", ReferralState.SENT, None)


def test_both_referrals_remain_to_be_read(returned, clerk):
    send_on(returned, actor=clerk)
    assert sorted(returned.referrals.values_list("state", flat=True)) == ["RETURNED", "SENT"]


def test_another_department_may_not_send_it_on(returned):
    with pytest.raises(PermissionDenied):
        send_on(returned, actor=make_user(make_department("minzheng")))


def test_a_problem_under_way_is_not_sent_twice(returned, clerk):
    send_on(returned, actor=clerk)
    with pytest.raises(DomainError, match="问题已移送，不能移送"):
        send_on(returned, actor=clerk)


def test_a_failed_rectification_goes_on_as_a_referral():
    rectification = make_rectification()
    town = rectification.finding.institution.town
    make_department("yinglin", town)
    delegate_all(town, MatrixRow.objects.get(findings=rectification.finding).version)
    clerk = make_user(rectification.department)
    recheck(rectification, accepted=False, result="仍未清理", checked_on=timezone.localdate(), actor=clerk)
    referral = send_on(rectification.finding, actor=clerk)
    assert (referral.to_department.short_name, referral.finding.state) == ("英林镇", FindingState.REFERRED)


def test_a_rectification_that_still_runs_is_not_referred():
    rectification = make_rectification()
    with pytest.raises(DomainError, match="问题整改中，不能移送"):
        send_on(rectification.finding, actor=make_user(rectification.department))


def test_a_problem_corrected_on_the_spot_is_not_referred():
    task = make_task()
    row = MatrixRow.objects.get(version__joint_inspections__origins__task=task, number="1")
    submit_task(task, problem(row, Disposition.CORRECTED))
    finding = Finding.objects.get()
    with pytest.raises(DomainError, match="问题已当场改正，不能移送"):
        send_on(finding, actor=make_user(finding.department))


def test_one_finding_a_row_is_kept_by_the_database(returned):
    returned.pk = None
    returned._state.adding = True
    with pytest.raises(IntegrityError, match="inspections_one_finding_a_row"), transaction.atomic():
        returned.save()
