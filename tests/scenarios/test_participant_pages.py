import pytest
from django.urls import reverse

from departments.enums import Role
from departments.models import Department
from scenarios.enums import ParticipantState
from scenarios.services import participants
from tests.factories.departments import make_department, make_officer, make_user
from tests.factories.scenarios import Row, make_version

pytestmark = pytest.mark.django_db


@pytest.fixture
def scenario():
    return make_version([Row("人员检查"), Row("食堂检查", "shichang")]).scenario


@pytest.fixture
def lead(scenario):
    return make_user(make_department("minzheng"), Role.HANDLER)


@pytest.fixture
def guest(scenario):
    return make_user(make_department("renshe"), Role.HANDLER)


def url(name: str, *args) -> str:
    return reverse(f"scenarios:{name}", args=args)


def test_the_lead_sees_who_lacks_a_contact(client_as, scenario, lead):
    Department.objects.filter(code="shichang").update(contact_name="")
    page = client_as(lead).get(url("participants", scenario.pk))
    assert [department.code for department in page.context["lacking"]] == ["shichang"]
    assert "还有部门没有联系人" in page.content.decode()


@pytest.mark.parametrize("number", [1, 3])
def test_the_page_asks_the_same_number_of_queries(client_as, lead, number, django_assert_num_queries):
    codes = ["minzheng", "shichang", "ziran"][:number]
    scenario = make_version([Row(f"{code}检查", code) for code in codes]).scenario
    for code in codes:
        department = make_department(code)
        officer = make_officer(department)
        participants.name_contact(
            scenario, department, actor=make_user(department), contact_name="王文", officers=[officer]
        )
    client = client_as(lead)
    with django_assert_num_queries(16):
        assert len(client.get(url("participants", scenario.pk)).context["rows"]) == number


def test_strangers_to_a_scenario_see_no_phones(client_as, scenario, guest, lead):
    Department.objects.filter(code="shichang").update(contact_name="王文", contact_phone="0595-82009999")
    page = url("participants", scenario.pk)
    assert "0595-82009999" in client_as(lead).get(page).content.decode()
    response = client_as(guest).get(page)
    assert (response.status_code, "0595-82009999" in response.content.decode()) == (200, False)


def test_the_lead_invites_and_the_invited_accepts_with_a_contact(client_as, scenario, lead, guest):
    response = client_as(lead).post(url("invite", scenario.pk), {"department": "renshe"}, follow=True)
    assert "已邀请市人社局" in response.content.decode()
    page = url("contact", scenario.pk, "renshe")
    client = client_as(guest)
    assert "接受邀请" in client.get(page).content.decode()
    response = client.post(page, {"contact_name": "王文", "section": "就业科"}, follow=True)
    assert "已接受邀请" in response.content.decode()
    participant = scenario.participants.get()
    assert (participant.state, participant.contact_name) == (ParticipantState.ACCEPTED, "王文")


def test_accepting_without_a_contact_is_shown_again(client_as, scenario, lead, guest):
    participants.invite(scenario, make_department("renshe"), actor=lead)
    response = client_as(guest).post(url("contact", scenario.pk, "renshe"), {"section": "就业科"})
    assert (response.status_code, response.context["form"].errors) == (
        422,
        {"contact_name": ["请填写联系人。"]},
    )
    assert scenario.participants.get().state == ParticipantState.INVITED


def test_an_invitation_is_declined_with_a_reason(client_as, scenario, lead, guest):
    participants.invite(scenario, make_department("renshe"), actor=lead)
    client = client_as(guest)
    decline = url("decline", scenario.pk, "renshe")
    assert "请填写谢绝的理由" in client.post(decline, {"reason": ""}, follow=True).content.decode()
    page = client.post(decline, {"reason": "没有职责"}, follow=True).content.decode()
    assert "已谢绝邀请" in page
    assert "没有职责" in page
    assert client.get(url("contact", scenario.pk, "renshe")).status_code == 404


def test_an_invitation_is_taken_back(client_as, scenario, lead, guest):
    participants.invite(scenario, make_department("renshe"), actor=lead)
    response = client_as(lead).post(url("withdraw", scenario.pk, "renshe"), follow=True)
    assert "已取消对市人社局的邀请" in response.content.decode()


def test_a_department_in_already_cannot_be_invited(client_as, scenario, lead):
    response = client_as(lead).post(url("invite", scenario.pk), {"department": "shichang"})
    assert response.status_code == 422
    assert "已经参与" in response.content.decode()


def test_expired_officers_are_not_offered(client_as, scenario):
    shichang = make_department("shichang")
    valid, _ = make_officer(shichang), make_officer(shichang, valid_days=-1)
    form = client_as(make_user(shichang)).get(url("contact", scenario.pk, "shichang")).context["form"]
    assert list(form.fields["officers"].queryset) == [valid]
