import pytest
from django.urls import reverse

from departments import services
from departments.enums import Event
from ledger.models import Entry
from tests.factories.departments import make_department, make_user

pytestmark = pytest.mark.django_db

OLD = "Test-passw0rd"
NEW = "Another-secret-9"


@pytest.fixture
def user():
    return make_user(make_department("minzheng"), username="minzheng")


def change(client, old=OLD, new=NEW, again=None):
    values = {"old_password": old, "new_password1": new, "new_password2": again or new}
    return client.post(reverse("departments:change_password"), values)


def test_new_password_counts_and_the_login_stays(client_as, user):
    client = client_as(user)
    assert change(client)["Location"] == reverse("portal:desk")
    user.refresh_from_db()
    assert user.check_password(NEW)
    assert client.get(reverse("departments:list")).status_code == 200


def test_other_logins_end_with_the_old_password(client_as, user):
    here, elsewhere = client_as(user), client_as(user)
    change(here)
    assert elsewhere.get(reverse("departments:list")).status_code == 302


def test_change_is_noted_without_the_password(client_as, user):
    change(client_as(user))
    entry = Entry.objects.get(chain__subject=user.subject)
    assert (entry.kind, entry.actor, entry.payload) == (Event.PASSWORD_CHANGED, user.key, {})


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"old": "wrong"}, "原密码不正确。"),
        ({"again": "Something-else-7"}, "两次输入的新密码不一致。"),
        ({"new": OLD}, "新密码不能与原密码相同。"),
        ({"new": "Ab3-efg"}, "密码长度太短，至少8位。"),
        ({"new": "onlylowercase"}, "密码至少包含小写字母、大写字母、数字、符号中的3类。"),
        ({"new": "Minzheng"}, "密码跟 用户名 太相似了。"),
        ({"new": "P@ssw0rd"}, "这个密码太常见了。"),
    ],
    ids=["old", "again", "same", "short", "classes", "username", "common"],
)
def test_weak_or_wrong_password_is_refused(client_as, user, values, sentence):
    response = change(client_as(user), **values)
    assert response.status_code == 422
    assert sentence in response.content.decode()
    user.refresh_from_db()
    assert user.check_password(OLD)


def test_temporary_password_must_be_changed_first(client_as, user):
    user.must_change_password = True
    user.save()
    client = client_as(user)
    assert client.get(reverse("departments:list"))["Location"] == reverse("departments:change_password")
    change(client)
    assert client.get(reverse("departments:list")).status_code == 200


def test_temporary_password_keeps_the_rules_and_is_legible():
    passwords = [services.temporary_password() for _ in range(50)]
    assert {len(password) for password in passwords} == {14}
    assert len(set(passwords)) == 50
    assert not set("".join(passwords)) & set("0OolI1")
    assert all(any(map(test, word)) for word in passwords for test in (str.islower, str.isupper, str.isdigit))
