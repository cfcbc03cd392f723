import re
from datetime import timedelta

import pytest
from django.conf import settings
from django.contrib.sessions.models import Session
from django.urls import reverse
from django.utils import timezone

from tests.factories.departments import make_department, make_user
from tests.suspicious import SuspiciousClient

pytestmark = pytest.mark.django_db

PASSWORD = "Test-passw0rd"
WRONG = "用户名或密码不正确，或账号已停用。"


@pytest.fixture
def user():
    return make_user(make_department("minzheng"), username="minzheng")


def log_in(client, username="minzheng", password=PASSWORD, **extra):
    return client.post(reverse("departments:login"), {"username": username, "password": password, **extra})


def let_session_expire():
    Session.objects.update(expire_date=timezone.now() - timedelta(seconds=1))


def test_login_page_has_labels_and_a_button(client, db):
    page = client.get("/login/").content.decode()
    assert '<label for="id_username">用户名</label>' in page
    assert '<label for="id_password">密码</label>' in page
    assert re.search(r'<button type="submit"[^>]*>登录</button>', page)


def test_right_password_leads_to_the_desk(client, user):
    response = log_in(client)
    assert (response.status_code, response["Location"]) == (302, reverse("portal:desk"))


def test_right_password_leads_to_the_page_asked_for(client, user):
    asked = client.get("/departments/?sort=name")
    assert asked["Location"] == "/login/?next=%2Fdepartments%2F%3Fsort%3Dname"
    assert log_in(client, next="/departments/?sort=name")["Location"] == "/departments/?sort=name"


@pytest.mark.parametrize("elsewhere", ["https://evil.example/", "//evil.example/", "javascript:alert(1)"])
def test_next_never_leads_elsewhere(client, user, elsewhere):
    assert log_in(client, next=elsewhere)["Location"] == reverse("portal:desk")


@pytest.mark.parametrize(
    ("username", "password"), [("minzheng", "wrong"), ("nobody", PASSWORD)], ids=["password", "username"]
)
def test_wrong_name_and_wrong_password_read_the_same(client, user, username, password):
    page = log_in(client, username, password).content.decode()
    assert WRONG in page
    assert PASSWORD not in page


def test_closed_account_is_refused(client, user):
    user.is_active = False
    user.save()
    assert WRONG in log_in(client).content.decode()


def test_closing_an_account_ends_its_session(client, user):
    log_in(client)
    user.is_active = False
    user.save()
    assert client.get("/departments/").status_code == 302


def test_logged_in_user_skips_the_login_page(client, user):
    log_in(client)
    assert client.get("/login/")["Location"] == reverse("portal:desk")


def test_fifth_failure_locks_the_account(client, user):
    answers = [log_in(client, password="wrong") for _ in range(5)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 200, 429]
    assert "账号已锁定" in answers[-1].content.decode()


def test_locked_account_is_refused_the_right_password(client, user):
    for _ in range(5):
        log_in(client, password="wrong")
    assert log_in(client).status_code == 429


def test_lock_does_not_touch_other_accounts(client, user):
    make_user(make_department("shichang"), username="shichang")
    for _ in range(5):
        log_in(client, password="wrong")
    assert log_in(client, "shichang").status_code == 302


def test_success_forgets_earlier_failures(client, user):
    for _ in range(4):
        log_in(client, password="wrong")
    log_in(client)
    client.post(reverse("departments:logout"))
    assert log_in(client, password="wrong").status_code == 200


def test_logout_needs_post(client, user):
    log_in(client)
    assert client.get(reverse("departments:logout")).status_code == 405


def test_logout_ends_the_session(client, user):
    log_in(client)
    assert client.post(reverse("departments:logout"))["Location"] == reverse("departments:login")
    assert client.get("/departments/").status_code == 302


def test_login_needs_the_csrf_token(user):
    client = SuspiciousClient(enforce_csrf_checks=True)
    assert log_in(client).status_code == 403


def test_session_lives_half_an_hour(client, user):
    log_in(client)
    left = Session.objects.get().expire_date - timezone.now()
    assert timedelta(minutes=29) < left <= timedelta(minutes=30)


def test_cookie_outlives_the_session_on_the_server(client, user):
    cookie = log_in(client).cookies[settings.SESSION_COOKIE_NAME]
    assert cookie["max-age"] == ""


def test_idle_user_is_told_and_led_back(client, user):
    log_in(client)
    let_session_expire()
    response = client.get("/departments/?x=1")
    assert response["Location"] == "/login/?expired=1&next=%2Fdepartments%2F%3Fx%3D1"
    page = client.get(response["Location"]).content.decode()
    assert "30分钟没有操作" in page
    assert '<input type="hidden" name="next" value="/departments/?x=1">' in page


def test_idle_user_who_sent_a_form_is_led_back_to_its_page(client, user):
    log_in(client)
    let_session_expire()
    response = client.post("/accounts/1/deactivate/", headers={"Referer": "http://testserver/accounts/1/"})
    assert response["Location"] == "/login/?expired=unsent&next=%2Faccounts%2F1%2F"
    assert "刚才提交的内容没有保存" in client.get(response["Location"]).content.decode()


def test_form_sent_from_another_site_leads_to_the_desk(client, user):
    response = client.post("/accounts/1/deactivate/", headers={"Referer": "https://evil.example/x"})
    assert response["Location"] == "/login/"


def test_htmx_leaves_the_page_for_the_login(client, user):
    headers = {"HX-Request": "true", "HX-Current-URL": "http://testserver/departments/minzheng/"}
    response = client.get("/departments/", headers=headers)
    assert response.status_code == 401
    assert response["HX-Redirect"] == "/login/?next=%2Fdepartments%2Fminzheng%2F"


def test_stranger_is_not_told_of_an_expired_session(client, db):
    page = client.get(client.get("/departments/")["Location"]).content.decode()
    assert "登录已失效" not in page
