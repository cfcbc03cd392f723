from datetime import date, timedelta

import pytest

from departments import services
from departments.enums import Absence, Role
from departments.models import CertificateWarning, Notification
from departments.services import certificates
from departments.tasks import warn_of_certificates
from tests.factories.departments import make_department, make_officer, make_user

pytestmark = pytest.mark.django_db

TODAY = date.today()


@pytest.fixture
def bureau():
    return make_department("xiaofang")


@pytest.fixture
def keeper(bureau):
    return make_user(bureau, Role.DEPARTMENT_ADMIN, name="管理员")


def told():
    return sorted(Notification.objects.values_list("recipient__name", "text"))


def test_officer_and_department_are_told_before_the_end(bureau, keeper):
    officer = make_officer(bureau, valid_days=60, name="王五")
    assert warn_of_certificates() == 1
    until, number = officer.certified_until, officer.certificate_number
    assert told() == [
        ("王五", f"您的执法证将于 {until} 到期（证号 {number}），请及时换证并登记新的有效期。"),
        ("管理员", f"王五的执法证将于 {until} 到期（证号 {number}），请及时换证并登记新的有效期。"),
    ]
    assert set(Notification.objects.values_list("subject", flat=True)) == {officer.key}


def test_a_certificate_is_told_of_once(bureau, keeper):
    make_officer(bureau, valid_days=30)
    assert [certificates.warn(), certificates.warn()] == [1, 0]
    assert Notification.objects.count() == 2


def test_its_end_is_told_once_more(bureau, keeper):
    make_officer(bureau, valid_days=30, name="王五")
    certificates.warn()
    after = TODAY + timedelta(31)
    assert [certificates.warn(after), certificates.warn(after)] == [1, 0]
    own = [text for name, text in told() if name == "王五"]
    assert [text[:6] for text in own] == ["您的执法证将", "您的执法证已"]


def test_a_renewed_certificate_is_a_new_one(bureau, keeper):
    officer = make_officer(bureau, valid_days=30)
    certificates.warn()
    officer.certified_until = TODAY + timedelta(59)
    officer.save()
    assert certificates.warn() == 1
    assert CertificateWarning.objects.count() == 2


@pytest.mark.parametrize("valid_days", [61, 365])
def test_nobody_is_told_too_early(bureau, valid_days):
    make_officer(bureau, valid_days=valid_days)
    assert certificates.warn() == 0


def test_who_has_left_is_not_told(bureau, keeper):
    away, closed = make_officer(bureau, valid_days=30), make_officer(bureau, valid_days=30)
    services.go_off_duty(away, Absence.RESIGNED, actor=keeper, on=TODAY, reason="离职")
    services.set_active(closed.user, False, actor=keeper)
    assert certificates.warn() == 0


def test_a_department_without_administrator_is_told_through_its_head(bureau):
    make_user(bureau, Role.HEAD, name="负责人")
    make_officer(bureau, valid_days=30, name="王五")
    certificates.warn()
    assert [name for name, _ in told()] == ["王五", "负责人"]


def test_another_department_is_not_told(bureau):
    make_user(make_department("shichang"), Role.DEPARTMENT_ADMIN, name="别的管理员")
    make_officer(bureau, valid_days=30, name="王五")
    certificates.warn()
    assert [name for name, _ in told()] == ["王五"]


@pytest.mark.parametrize("officers", [1, 3])
def test_telling_costs_the_same_for_any_number(bureau, keeper, officers, django_assert_num_queries):
    for _ in range(officers):
        make_officer(bureau, valid_days=30)
    with django_assert_num_queries(9):
        certificates.warn()
