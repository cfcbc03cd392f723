import json

import pytest
from django.core.exceptions import PermissionDenied

from core.errors import DomainError
from departments.enums import Role
from departments.models import Department
from ledger.services import entries_of
from scenarios.enums import Event, ParticipantState
from scenarios.models import Scenario
from scenarios.services import participants
from scenarios.services.participants import departments_without_contact, standings, taking_part
from tests.factories.departments import make_department, make_officer, make_user
from tests.factories.scenarios import Row, make_version

pytestmark = pytest.mark.django_db


@pytest.fixture
def scenario() -> Scenario:
    """民政 leads, 民政 and 市场监管 check; nobody has a contact."""
    scenario = make_version([Row("人员检查"), Row("食堂检查", "shichang")]).scenario
    Department.objects.update(contact_name="", contact_phone="")
    return scenario


@pytest.fixture
def lead(scenario):
    return make_user(make_department("minzheng"), Role.HANDLER)


@pytest.fixture
def invited():
    return make_department("renshe")


@pytest.fixture
def guest(invited):
    return make_user(invited, Role.HANDLER)


def codes(departments) -> list[str]:
    return [department.code for department in departments]


# --- Taking part ----------------------------------------------------------------------------------------


def test_the_matrix_in_force_names_who_takes_part(scenario):
    assert codes(taking_part(scenario)) == ["minzheng", "shichang"]


def test_an_invited_department_takes_part_once_it_accepts(scenario, lead, guest, invited):
    participant = participants.invite(scenario, invited, actor=lead)
    assert "renshe" not in codes(taking_part(scenario))
    participants.accept(participant, actor=guest, contact_name="王文")
    assert codes(taking_part(scenario)) == ["minzheng", "shichang", "renshe"]


def test_a_department_that_declined_takes_no_part_and_may_be_asked_again(scenario, lead, guest, invited):
    participant = participants.invite(scenario, invited, actor=lead)
    participants.decline(participant, reason="没有职责", actor=guest)
    assert "renshe" not in codes(taking_part(scenario))
    again = participants.invite(scenario, invited, actor=lead)
    assert (again.pk, again.state, again.reason) == (participant.pk, ParticipantState.INVITED, "")


def test_who_accepted_may_leave_with_a_reason(scenario, lead, guest, invited):
    participant = participants.invite(scenario, invited, actor=lead)
    participants.accept(participant, actor=guest, contact_name="王文")
    participants.decline(participant, reason="职责调整", actor=guest)
    assert "renshe" not in codes(taking_part(scenario))


def test_declining_wants_a_reason(scenario, lead, guest, invited):
    participant = participants.invite(scenario, invited, actor=lead)
    with pytest.raises(DomainError) as caught:
        participants.decline(participant, reason=" ", actor=guest)
    assert caught.value.fields == {"reason": "请填写谢绝的理由。"}


def test_a_department_the_matrix_names_cannot_decline(scenario, invited):
    clerk = make_user(make_department("shichang"), Role.HANDLER)
    named = participants.name_contact(scenario, make_department("shichang"), actor=clerk, contact_name="王文")
    with pytest.raises(DomainError, match="由清单列明"):
        participants.decline(named, reason="不去", actor=clerk)


@pytest.mark.parametrize(
    ("code", "message"),
    [("minzheng", "是牵头部门"), ("shichang", "已经参与"), ("renshe", "请等待答复")],
)
def test_who_leads_takes_part_or_was_asked_is_not_invited(scenario, lead, invited, code, message):
    participants.invite(scenario, invited, actor=lead)
    with pytest.raises(DomainError, match=message):
        participants.invite(scenario, make_department(code), actor=lead)


def test_only_the_lead_invites(scenario, guest, invited):
    with pytest.raises(PermissionDenied):
        participants.invite(scenario, make_department("xiaofang"), actor=guest)


def test_only_the_invited_department_answers(scenario, lead, invited):
    participant = participants.invite(scenario, invited, actor=lead)
    with pytest.raises(PermissionDenied):
        participants.accept(participant, actor=lead, contact_name="王文")
    with pytest.raises(PermissionDenied):
        participants.decline(participant, reason="不去", actor=make_user(invited, Role.OFFICER))


def test_an_invitation_taken_back_is_gone(scenario, lead, guest, invited):
    participant = participants.invite(scenario, invited, actor=lead)
    participants.withdraw(participant, actor=lead)
    assert scenario.participants.count() == 0
    with pytest.raises(DomainError, match="邀请已被取消"):
        participants.accept(participant, actor=guest, contact_name="王文")


def test_a_department_the_matrix_names_is_not_disinvited(scenario, lead):
    clerk = make_user(make_department("shichang"), Role.HANDLER)
    named = participants.name_contact(scenario, make_department("shichang"), actor=clerk, contact_name="王文")
    with pytest.raises(DomainError, match="由清单列明"):
        participants.withdraw(named, actor=lead)


def test_the_invited_are_told_and_so_is_the_lead(scenario, lead, guest, invited):
    participant = participants.invite(scenario, invited, actor=lead)
    assert [note.subject for note in guest.notifications.all()] == [scenario.subject]
    participants.accept(participant, actor=guest, contact_name="王文")
    assert lead.notifications.get().text == f"市人社局接受邀请，参与“{scenario.name}”。"


def test_an_invited_department_sees_a_scenario_not_published_yet(scenario, lead, guest, invited):
    draft = Scenario.objects.create(name="另一件事", lead_department=scenario.lead_department)
    assert not Scenario.objects.visible_to(guest).filter(pk=draft.pk).exists()
    participants.invite(draft, invited, actor=make_user(None, Role.SYSTEM_ADMIN))
    assert Scenario.objects.visible_to(guest).filter(pk=draft.pk).exists()


# --- Contacts -------------------------------------------------------------------------------------------


def test_a_department_without_any_contact_is_named(scenario):
    assert codes(departments_without_contact(scenario)) == ["minzheng", "shichang"]


def test_the_registers_contact_will_do(scenario):
    Department.objects.filter(code="shichang").update(contact_name="王文")
    assert codes(departments_without_contact(scenario)) == ["minzheng"]


def test_a_contact_named_for_one_scenario_will_do_for_a_visit_of_several(scenario):
    other = make_version([Row("价格检查", "shichang")]).scenario
    clerk = make_user(make_department("shichang"), Role.HANDLER)
    Department.objects.filter(code="minzheng").update(contact_name="王文")
    participants.name_contact(scenario, make_department("shichang"), actor=clerk, contact_name="李文")
    Department.objects.filter(code="shichang").update(contact_name="")
    assert codes(departments_without_contact(other)) == ["shichang"]
    assert departments_without_contact(scenario, other) == []


def test_a_contact_of_a_department_that_takes_no_part_is_refused(scenario, guest, invited):
    with pytest.raises(DomainError, match="没有参与"):
        participants.name_contact(scenario, invited, actor=guest, contact_name="王文")


def test_a_contact_has_a_name(scenario):
    clerk = make_user(make_department("shichang"), Role.HANDLER)
    with pytest.raises(DomainError) as caught:
        participants.name_contact(scenario, make_department("shichang"), actor=clerk, contact_name=" ")
    assert caught.value.fields == {"contact_name": "请填写联系人。"}


def test_officers_are_the_departments_own(scenario):
    shichang = make_department("shichang")
    clerk = make_user(shichang, Role.HANDLER)
    own, other = make_officer(shichang), make_officer(make_department("minzheng"))
    named = participants.name_contact(scenario, shichang, actor=clerk, contact_name="王文", officers=[own])
    assert list(named.officers.all()) == [own]
    with pytest.raises(DomainError, match="须是本部门的"):
        participants.name_contact(scenario, shichang, actor=clerk, contact_name="王文", officers=[other])


def test_the_ledger_knows_that_a_contact_changed_and_not_who_it_is(scenario):
    shichang = make_department("shichang")
    clerk = make_user(shichang, Role.HANDLER)
    contact = {"contact_name": "王文", "contact_phone": "13800000000", "section": "食品科"}
    participants.name_contact(scenario, shichang, actor=clerk, **contact)
    entry = entries_of(scenario.subject).last()
    assert (entry.kind, entry.payload) == (
        Event.CONTACT_NAMED,
        {
            "department": "shichang",
            "changed": ["section", "contact_name", "contact_phone"],
            "officers": [],
        },
    )
    before = entries_of(scenario.subject).count()
    participants.name_contact(scenario, shichang, actor=clerk, **contact)
    assert entries_of(scenario.subject).count() == before
    assert "138" not in json.dumps(entry.payload)


def test_standings_show_the_scenarios_contact_before_the_registers(scenario, lead, invited):
    shichang = make_department("shichang")
    Department.objects.filter(pk=shichang.pk).update(contact_name="总机", contact_phone="0595")
    participants.invite(scenario, invited, actor=lead)

    def shown():
        return [
            (s.department.code, s.state, s.takes_part, s.contact_name, s.contact_phone)
            for s in standings(scenario)
        ]

    assert shown() == [
        ("minzheng", "NAMED", True, "", ""),
        ("shichang", "NAMED", True, "总机", "0595"),
        ("renshe", "INVITED", False, "王联系", ""),
    ]
    clerk = make_user(shichang, Role.HANDLER)
    participants.name_contact(scenario, shichang, actor=clerk, contact_name="王文", section="食品科")
    assert shown()[1] == ("shichang", "NAMED", True, "王文", "")


def test_who_may_not_be_called_is_asked_when_a_version_is_published(scenario):
    clerk = make_user(make_department("shichang"), Role.HANDLER)
    Department.objects.filter(code="minzheng").update(contact_name="王文")
    participants.ask_for_contacts(scenario)
    assert clerk.notifications.get().text == f"“{scenario.name}”的清单列有贵部门，请指定业务科室和联系人。"
