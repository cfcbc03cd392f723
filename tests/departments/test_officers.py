from datetime import date, timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError
from django.urls import reverse

from core.digests import digest_text
from core.errors import DomainError
from departments import services
from departments.enums import Absence, Event, Role, Validity
from departments.models import DutyChange, Officer, Sector, User
from ledger.models import Entry
from ledger.services import verify
from tests.factories.departments import make_department, make_officer, make_user

pytestmark = pytest.mark.django_db

TODAY = date.today()
YESTERDAY, TOMORROW, LATER = TODAY - timedelta(1), TODAY + timedelta(1), TODAY + timedelta(10)


@pytest.fixture
def bureau():
    return make_department("xiaofang")


@pytest.fixture
def keeper(bureau):
    return make_user(bureau, Role.DEPARTMENT_ADMIN, name="本部门管理员")


@pytest.fixture
def officer(bureau):
    return make_officer(bureau, name="王五")


@pytest.fixture
def fire():
    return Sector.objects.create(name="消防救援")


def address(name, *args):
    return reverse(f"departments:{name}", args=args)


def on_leave(officer, keeper, first=TODAY, until=None, absence=Absence.LEAVE):
    return services.go_off_duty(officer, absence, actor=keeper, on=first, until=until, reason="住院")


def entries(officer):
    return list(Entry.objects.filter(chain__subject=officer.user.subject).order_by("seq"))


# --- Who can be sent -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("first", "until", "day", "can_go"),
    [
        (TODAY, None, YESTERDAY, True),
        (TODAY, None, TODAY, False),
        (TODAY, None, LATER, False),
        (TOMORROW, None, TODAY, True),
        (YESTERDAY, TODAY, TODAY, False),
        (YESTERDAY, TODAY, TOMORROW, True),
    ],
)
def test_an_officer_is_not_sent_on_days_away(officer, keeper, first, until, day, can_go):
    away = on_leave(officer, keeper, first, until)
    assert Officer.objects.available_on(day).exists() is can_go
    assert away.is_certified_on(day) is can_go


@pytest.mark.parametrize("absence", list(Absence))
def test_no_kind_of_absence_can_be_drawn(officer, keeper, absence):
    on_leave(officer, keeper, absence=absence)
    assert list(Officer.objects.available_on(TODAY)) == []


@pytest.mark.parametrize(
    ("first", "until", "can_go"),
    [
        (TOMORROW, TOMORROW, False),
        (LATER, None, False),
        (LATER + timedelta(1), None, True),
        (YESTERDAY, TODAY, False),
        (YESTERDAY, YESTERDAY, True),
    ],
)
def test_an_absence_within_the_window_is_enough(officer, keeper, first, until, can_go):
    on_leave(officer, keeper, first, until)
    assert Officer.objects.available_between(TODAY, LATER).exists() is can_go


def test_a_certificate_must_last_to_the_end_of_the_window(bureau):
    make_officer(bureau, valid_days=5)
    assert Officer.objects.available_between(TODAY, TODAY + timedelta(5)).exists()
    assert not Officer.objects.available_between(TODAY, TODAY + timedelta(6)).exists()


def test_an_expired_officer_and_one_with_a_closed_account_cannot_be_drawn(bureau, keeper, officer):
    make_officer(bureau, valid_days=-1)
    services.set_active(officer.user, False, actor=keeper)
    officer.refresh_from_db()
    assert list(Officer.objects.available_on(TODAY)) == []
    assert not officer.is_certified_on(TODAY)


def test_an_officer_without_sectors_may_inspect_all(bureau, officer, fire):
    named, other = make_officer(bureau), make_officer(bureau)
    named.sectors.add(fire)
    other.sectors.add(Sector.objects.create(name="民政"))
    assert set(Officer.objects.available_on(TODAY, fire)) == {officer, named}
    assert set(Officer.objects.available_on(TODAY)) == {officer, named, other}


def test_an_absence_without_its_day_is_refused_by_the_database(officer):
    with pytest.raises(IntegrityError, match="departments_absence_has_its_days"):
        Officer.objects.filter(pk=officer.pk).update(absence=Absence.LEAVE)


# --- Away and back ----------------------------------------------------------------------


def test_leave_is_noted_without_its_reason(officer, keeper):
    on_leave(officer, keeper, until=LATER)
    entry = entries(officer)[-1]
    assert (entry.kind, entry.actor) == (Event.WENT_OFF_DUTY, keeper.key)
    assert entry.payload == {
        "officer": officer.key,
        "absence": "LEAVE",
        "on": TODAY.isoformat(),
        "until": LATER.isoformat(),
        "reason_digest": digest_text("住院"),
    }


def test_back_on_duty_ends_the_absence_the_day_before(officer, keeper):
    on_leave(officer, keeper, YESTERDAY)
    back = services.back_on_duty(officer, actor=keeper, on=TODAY)
    assert (back.away_from, back.away_until) == (YESTERDAY, YESTERDAY)
    assert list(Officer.objects.available_on(TODAY)) == [officer]


def test_back_before_leaving_forgets_the_absence(officer, keeper):
    on_leave(officer, keeper, LATER)
    back = services.back_on_duty(officer, actor=keeper, on=TODAY)
    assert (back.absence, back.away_from, back.away_until) == ("", None, None)
    assert list(DutyChange.objects.values_list("absence", flat=True)) == ["", "LEAVE"]


def test_nobody_comes_back_who_was_not_away(officer, keeper):
    with pytest.raises(DomainError, match="无须恢复"):
        services.back_on_duty(officer, actor=keeper, on=TODAY)


def test_an_end_before_the_beginning_is_refused(officer, keeper):
    with pytest.raises(DomainError, match="早于起日"):
        on_leave(officer, keeper, TODAY, YESTERDAY)


def test_who_may_not_keep_officers_sends_nobody_on_leave(officer):
    with pytest.raises(PermissionDenied):
        on_leave(officer, make_user(make_department("shichang"), Role.DEPARTMENT_ADMIN))
    with pytest.raises(PermissionDenied):
        on_leave(officer, officer.user)


def test_leaving_and_returning_through_the_pages(client_as, officer, keeper):
    client = client_as(keeper)
    client.post(
        address("officer_leave", officer.pk),
        {"absence": "RESIGNED", "on": TODAY.isoformat(), "reason": "离职"},
    )
    officer.refresh_from_db()
    assert (officer.absence, officer.away_from, officer.away_until) == ("RESIGNED", TODAY, None)
    client.post(address("officer_return", officer.pk), {"on": TOMORROW.isoformat()})
    officer.refresh_from_db()
    assert officer.away_until == TODAY
    assert list(verify()) == []


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"reason": ""}, "reason"),
        ({"on": ""}, "on"),
        ({"absence": "GONE"}, "absence"),
        ({"absence": "RESIGNED", "until": "2030-01-01"}, "until"),
        ({"until": "2020-01-01"}, "until"),
    ],
)
def test_a_wrong_leave_names_the_field(client_as, officer, keeper, values, field):
    given = {"absence": "LEAVE", "on": TODAY.isoformat(), "reason": "进修"} | values
    response = client_as(keeper).post(address("officer_leave", officer.pk), given)
    assert response.status_code == 422
    assert field in response.context["form"].errors


# --- Certificate and sectors -----------------------------------------------------------


def certificate(bureau, **values):
    return {
        "department": bureau.pk,
        "certificate_number": "C1",
        "certified_from": "2024-01-01",
        "certified_until": "2030-12-31",
    } | values


def test_certificate_and_sectors_are_changed_and_noted(client_as, bureau, officer, keeper, fire):
    client_as(keeper).post(address("officer_edit", officer.pk), certificate(bureau, sectors=[fire.pk]))
    officer.refresh_from_db()
    assert (officer.certificate_number, list(officer.sectors.all())) == ("C1", [fire])
    assert [(entry.kind, entry.payload.get("sectors")) for entry in entries(officer)] == [
        (Event.CERTIFIED, None),
        (Event.SECTORS_SET, [fire.pk]),
    ]


def test_saving_what_is_there_leaves_no_entry(officer, bureau, keeper):
    names = ("certificate_number", "certified_from", "certified_until")
    values = {name: getattr(officer, name) for name in names}
    services.issue_certificate(officer.user, actor=keeper, department=bureau, sectors=[], **values)
    assert entries(officer) == []


def test_a_new_officer_gets_account_and_certificate_in_one_step(client_as, bureau, keeper, fire):
    person = {"name": "李四", "username": "lisi", "phone": ""}
    page = client_as(keeper).post(address("officer_create"), certificate(bureau, sectors=[fire.pk]) | person)
    officer = Officer.objects.get(certificate_number="C1")
    assert (officer.user.username, officer.user.must_change_password) == ("lisi", True)
    assert [post.role for post in officer.user.posts.all()] == [Role.OFFICER]
    assert "临时密码" in page.content.decode()


def test_a_taken_certificate_leaves_no_account_behind(client_as, bureau, keeper, officer):
    taken = certificate(bureau, certificate_number=officer.certificate_number)
    person = {"name": "李四", "username": "lisi", "phone": ""}
    response = client_as(keeper).post(address("officer_create"), taken | person)
    assert response.status_code == 422
    assert not User.objects.filter(username="lisi").exists()


# --- Pages -------------------------------------------------------------------------------


@pytest.mark.parametrize("officers", [1, 3])
def test_register_costs_the_same_for_any_number(client_as, bureau, fire, officers, django_assert_num_queries):
    for _ in range(officers):
        make_officer(bureau).sectors.add(fire)
    client = client_as(make_user(bureau))
    with django_assert_num_queries(12):
        client.get(address("officers"))


@pytest.mark.parametrize("changes", [1, 3])
def test_one_officer_costs_the_same_for_any_history(
    client_as, officer, keeper, changes, django_assert_num_queries
):
    for _ in range(changes):
        on_leave(officer, keeper)
    client = client_as(keeper)
    with django_assert_num_queries(10):
        client.get(address("officer", officer.pk))


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("q=王五", True),
        ("q=赵六", False),
        ("department=xiaofang", True),
        ("department=shichang", False),
        ("validity=VALID", True),
        ("validity=EXPIRED", False),
        ("duty=1", True),
        ("duty=0", False),
    ],
)
def test_register_filters(client_as, officer, query, found):
    make_department("shichang")
    page = client_as(make_user(officer.department)).get(f"{address('officers')}?{query}").content.decode()
    assert (address("officer", officer.pk) in page) is found


def test_register_filters_by_sector(client_as, bureau, fire, officer):
    other = make_officer(bureau)
    other.sectors.add(Sector.objects.create(name="民政"))
    page = client_as(make_user(bureau)).get(f"{address('officers')}?sector={fire.pk}").content.decode()
    assert address("officer", officer.pk) in page
    assert address("officer", other.pk) not in page


def test_away_and_closed_are_both_not_on_duty(client_as, bureau, keeper, officer):
    closed = make_officer(bureau)
    services.set_active(closed.user, False, actor=keeper)
    on_leave(officer, keeper)
    page = client_as(keeper).get(f"{address('officers')}?duty=0").content.decode()
    assert address("officer", officer.pk) in page
    assert address("officer", closed.pk) in page


@pytest.mark.parametrize("validity", [v for v in Validity if v != Validity.OFF_DUTY])
def test_the_filter_agrees_with_the_chip(bureau, validity):
    for starts, ends in [(-1000, 365), (-1000, 60), (-1000, -1), (1, 365)]:
        officer = make_officer(bureau)
        Officer.objects.filter(pk=officer.pk).update(
            certified_from=TODAY + timedelta(starts), certified_until=TODAY + timedelta(ends)
        )
    found = Officer.objects.of_validity(validity, TODAY)
    assert [officer.validity_on(TODAY) for officer in found] == [validity]


def test_reasons_are_not_shown_to_colleagues(client_as, officer, keeper, bureau):
    on_leave(officer, keeper)
    url = address("officer", officer.pk)
    assert "住院" in client_as(keeper).get(url).content.decode()
    assert "住院" not in client_as(make_user(bureau)).get(url).content.decode()


def test_an_officer_with_a_closed_account_is_not_found_by_colleagues(client_as, officer, keeper, bureau):
    services.set_active(officer.user, False, actor=keeper)
    assert client_as(make_user(bureau)).get(address("officer", officer.pk)).status_code == 404
    assert client_as(keeper).get(address("officer", officer.pk)).status_code == 200
