from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.urls import reverse
from django.utils import timezone

from core.errors import DomainError
from core.workdays import add_workdays
from inspections.enums import InspectionState
from inspections.models import JointInspection
from inspections.services import launch
from inspections.services.emergencies import approve_afterwards, send_in_emergency
from ledger.models import Entry
from tests.factories.departments import make_department
from tests.factories.inspections import clerk_of, head_of, make_inspection

pytestmark = pytest.mark.django_db


@pytest.fixture
def minzheng():
    return make_department("minzheng")


def sent(state: InspectionState = InspectionState.DRAFT) -> JointInspection:
    inspection = make_inspection(state)
    return send_in_emergency(inspection, reason="燃气泄漏", actor=clerk_of(inspection.lead_department))


@pytest.mark.parametrize("state", [InspectionState.DRAFT, InspectionState.AWAITING_APPROVAL])
def test_it_goes_out_at_once_with_a_clock(settings, state):
    settings.EMERGENCY_APPROVAL_WORKDAYS = 2
    inspection = sent(state)
    assert (inspection.state, inspection.approved_at, inspection.approval_due_on) == (
        InspectionState.TICKING,
        None,
        add_workdays(timezone.localdate(), 2),
    )
    assert inspection.participations.count() == 4
    assert inspection.ticks.count() == 5


def test_the_head_is_told(minzheng):
    head = head_of(minzheng)
    inspection = sent()
    assert head.notifications.order_by("-pk").first().text == (
        f"联合检查“{inspection.name}”因情况紧急已先行实施，请于 {inspection.approval_due_on} 前补办审批。"
    )


def test_without_a_reason_nothing_goes_out(minzheng):
    with pytest.raises(DomainError, match="请填写紧急情况"):
        send_in_emergency(make_inspection(InspectionState.DRAFT), reason=" ", actor=clerk_of(minzheng))


def test_what_went_out_already_needs_no_emergency(minzheng):
    with pytest.raises(DomainError, match="勾选中，不必紧急先行"):
        send_in_emergency(make_inspection(), reason="燃气泄漏", actor=clerk_of(minzheng))


def test_only_the_lead_sends_it():
    with pytest.raises(PermissionDenied):
        send_in_emergency(
            make_inspection(InspectionState.DRAFT),
            reason="燃气泄漏",
            actor=clerk_of(make_department("shichang")),
        )


def test_the_head_makes_up_for_the_approval(minzheng):
    approved = approve_afterwards(sent(), actor=head_of(minzheng))
    entry = Entry.objects.get(kind="inspection.approved_afterwards")
    assert (approved.approved_by, approved.awaits_approval_afterwards, entry.payload["late"]) == (
        head_of(minzheng),
        False,
        False,
    )


def test_a_late_approval_says_so(minzheng):
    inspection = sent()
    yesterday = timezone.localdate() - timedelta(days=1)
    JointInspection.objects.filter(pk=inspection.pk).update(approval_due_on=yesterday)
    approve_afterwards(inspection, actor=head_of(minzheng))
    assert Entry.objects.get(kind="inspection.approved_afterwards").payload["late"] is True


def test_a_clerk_cannot_make_up_for_it(minzheng):
    with pytest.raises(PermissionDenied):
        approve_afterwards(sent(), actor=clerk_of(minzheng))


def test_it_is_made_up_for_once(minzheng):
    inspection = approve_afterwards(sent(), actor=head_of(minzheng))
    with pytest.raises(DomainError, match="不需要补办审批"):
        approve_afterwards(inspection, actor=head_of(minzheng))


def test_an_approved_one_needs_none(minzheng):
    with pytest.raises(DomainError, match="不需要补办审批"):
        approve_afterwards(make_inspection(), actor=head_of(minzheng))


def test_it_is_not_completed_before_the_approval(minzheng):
    inspection = sent()
    JointInspection.objects.filter(pk=inspection.pk).update(state=InspectionState.UNDER_WAY)
    with pytest.raises(DomainError, match="尚未补办审批，不能办结"):
        launch.complete(inspection, actor=clerk_of(minzheng))
    approve_afterwards(inspection, actor=head_of(minzheng))
    assert launch.complete(inspection, actor=clerk_of(minzheng)).state == InspectionState.COMPLETED


def test_the_page_shows_the_clock_and_the_head_decides_there(client_as, minzheng):
    inspection = sent()
    page = reverse("inspections:detail", args=[inspection.pk])
    client = client_as(head_of(minzheng))
    assert "先行实施，待补办审批" in client.get(page).content.decode()
    client.post(reverse("inspections:approve_afterwards", args=[inspection.pk]))
    assert "情况紧急，先行实施后补办" in client.get(page).content.decode()
