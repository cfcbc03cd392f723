"""Whom a joint inspection goes out to: departments somebody can be called at, and the invited ones too."""

import pytest

from core.errors import DomainError
from departments.models import Department
from inspections.enums import InspectionState, ParticipationState
from inspections.models import Participation
from inspections.services import launch, ticking
from scenarios.services import participants
from tests.factories.departments import make_department
from tests.factories.inspections import clerk_of, head_of, make_inspection
from tests.factories.scenarios import make_version

pytestmark = pytest.mark.django_db


@pytest.fixture
def version():
    return make_version()


@pytest.fixture
def renshe(version):
    """A department the matrix does not name, invited and willing."""
    renshe = make_department("renshe")
    lead = clerk_of(make_department("minzheng"))
    participant = participants.invite(version.scenario, renshe, actor=lead)
    participants.accept(participant, actor=clerk_of(renshe), contact_name="王文")
    return renshe


def test_nothing_is_sent_to_a_department_without_a_contact(version):
    minzheng = make_department("minzheng")
    inspection = make_inspection(InspectionState.DRAFT, version=version)
    Department.objects.filter(code__in=["shichang", "xiaofang"]).update(contact_name="")
    with pytest.raises(DomainError, match="市市场监管局、市消防救援大队还没有联系人，不能下发"):
        launch.submit_for_approval(inspection, actor=clerk_of(minzheng))


def test_a_contact_lost_before_the_approval_stops_it(version):
    minzheng = make_department("minzheng")
    inspection = make_inspection(InspectionState.AWAITING_APPROVAL, version=version)
    Department.objects.filter(code="ziran").update(contact_name="")
    with pytest.raises(DomainError, match="市自然资源局还没有联系人"):
        launch.approve(inspection, actor=head_of(minzheng))
    assert not Participation.objects.exists()


def test_the_scenarios_own_contact_lets_it_go_out(version):
    ziran = make_department("ziran")
    Department.objects.filter(pk=ziran.pk).update(contact_name="")
    participants.name_contact(version.scenario, ziran, actor=clerk_of(ziran), contact_name="王文")
    assert make_inspection(InspectionState.TICKING, version=version).state == InspectionState.TICKING


def test_an_invited_department_without_items_takes_part(version, renshe):
    inspection = make_inspection(InspectionState.TICKING, version=version)
    participation = inspection.participations.get(department=renshe)
    assert participation.state == ParticipationState.INVITED
    assert clerk_of(renshe).notifications.filter(subject=inspection.subject).count() == 1


def test_an_invited_department_that_declined_does_not(version, renshe):
    participant = version.scenario.participants.get(department=renshe)
    participants.decline(participant, reason="没有职责", actor=clerk_of(renshe))
    inspection = make_inspection(InspectionState.TICKING, version=version)
    assert not inspection.participations.filter(department=renshe).exists()


def test_a_department_without_items_answers_that_it_takes_part(version, renshe):
    inspection = make_inspection(InspectionState.TICKING, version=version)
    participation = inspection.participations.get(department=renshe)
    assert ticking.answer(participation, actor=clerk_of(renshe)).state == ParticipationState.ANSWERED


def test_its_board_says_that_it_has_nothing_to_tick(client_as, version, renshe):
    inspection = make_inspection(InspectionState.TICKING, version=version)
    page = client_as(clerk_of(renshe)).get(f"/inspections/{inspection.pk}/ticks/")
    assert page.status_code == 200
    assert "没有本部门的检查事项" in page.content.decode()
    assert "确认参加" in page.content.decode()
