import re

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError
from django.urls import reverse

from core.errors import DomainError
from departments import services
from departments.enums import Event, Role
from departments.models import Post, User
from ledger.models import Entry
from ledger.services import verify
from tests.factories.departments import make_department, make_officer, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def bureau():
    return make_department("shichang")


@pytest.fixture
def admin():
    return make_user(None, Role.SYSTEM_ADMIN, name="系统")


@pytest.fixture
def own_admin(bureau):
    return make_user(bureau, Role.DEPARTMENT_ADMIN, name="本部门管理员")


@pytest.fixture
def clerk(bureau):
    return make_user(bureau, Role.HANDLER, username="wangwu", name="王五")


def address(name, *args):
    return reverse(f"departments:{name}", args=args)


def kinds(user):
    return list(
        Entry.objects.filter(chain__subject=user.subject).order_by("seq").values_list("kind", flat=True)
    )


# --- Who sees which accounts ------------------------------------------------------


def test_administrator_sees_every_account(admin, clerk):
    assert set(User.objects.visible_to(admin)) == {admin, clerk}


def test_department_admin_sees_only_the_own_department(own_admin, clerk):
    make_user(make_department("xiaofang"))
    assert set(User.objects.visible_to(own_admin)) == {own_admin, clerk}


def test_clerk_sees_no_account(clerk):
    assert list(User.objects.visible_to(clerk)) == []


def test_account_of_another_department_is_not_found(client_as, own_admin):
    other = make_user(make_department("xiaofang"))
    assert client_as(own_admin).get(address("account_edit", other.pk)).status_code == 404


def test_clerk_may_not_open_accounts(client_as, clerk):
    assert client_as(clerk).get(address("accounts")).status_code == 403


def test_stranger_is_sent_to_the_login(client):
    assert client.get(address("accounts")).status_code == 302


def test_auditor_reads_and_may_not_write(client_as, clerk):
    client = client_as(make_user(None, Role.AUDITOR))
    page = client.get(address("account_edit", clerk.pk))
    assert page.status_code == 200
    assert "停用账号" not in page.content.decode()
    assert client.post(address("account_edit", clerk.pk), {"name": "李四", "phone": ""}).status_code == 403
    assert client.post(address("account_reset", clerk.pk)).status_code == 403


# --- List ---------------------------------------------------------------------------


@pytest.mark.parametrize("accounts", [1, 3])
def test_account_list_costs_the_same_for_any_number(
    client_as, admin, bureau, accounts, django_assert_num_queries
):
    for _ in range(accounts):
        make_officer(bureau)
    client = client_as(admin)
    with django_assert_num_queries(11):
        client.get(address("accounts"))


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("q=王五", True),
        ("q=WANG", True),
        ("q=赵六", False),
        ("department=shichang", True),
        ("role=HANDLER", True),
        ("role=HEAD", False),
        ("active=1", True),
        ("active=0", False),
    ],
)
def test_account_list_filters(client_as, admin, clerk, query, found):
    page = client_as(admin).get(f"{address('accounts')}?{query}").content.decode()
    assert (address("account_edit", clerk.pk) in page) is found


# --- New accounts -----------------------------------------------------------------


def new_account(client, **values):
    fields = {"username": "lisi", "name": "李四", "phone": "", "role": "HANDLER", "department": ""}
    return client.post(address("account_create"), fields | values)


def test_new_account_logs_in_with_the_password_shown(client_as, client, own_admin, bureau):
    page = new_account(client_as(own_admin), department=bureau.pk).content.decode()
    password = re.search(r'<strong class="mono">(.+?)</strong>', page)[1]
    answer = client.post(address("login"), {"username": "lisi", "password": password})
    assert answer.status_code == 302
    assert client.get(address("list"))["Location"] == address("change_password")


def test_new_account_is_noted_with_its_post(client_as, own_admin, bureau):
    new_account(client_as(own_admin), department=bureau.pk)
    account = User.objects.get(username="lisi")
    entry = Entry.objects.get(chain__subject=account.subject)
    assert (entry.kind, entry.actor, entry.department) == (Event.CREATED, own_admin.key, bureau.key)
    assert entry.payload == {"role": "HANDLER", "department": "shichang"}


def test_new_account_joins_the_departments_group(client_as, own_admin, bureau):
    new_account(client_as(own_admin), department=bureau.pk)
    assert list(User.objects.get(username="lisi").groups.all()) == [bureau.group]


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"username": "WANGWU"}, "username"),
        ({"username": "wangwu"}, "username"),
        ({"username": "李四"}, "username"),
        ({"name": ""}, "name"),
        ({"department": ""}, "department"),
        ({"role": "SYSTEM_ADMIN"}, "role"),
    ],
)
def test_new_account_names_the_wrong_field(client_as, admin, bureau, clerk, values, field):
    response = new_account(client_as(admin), **{"department": bureau.pk} | values)
    assert response.status_code == 422
    assert field in response.context["form"].errors
    assert not User.objects.filter(username="lisi").exists()


def test_username_taken_in_other_case_is_refused(admin, bureau, clerk):
    with pytest.raises(DomainError, match="“WangWu”已被使用"):
        services.create_account(
            actor=admin, username="WangWu", name="李四", role=Role.HANDLER, department=bureau
        )


def test_department_admin_creates_for_no_other_department(client_as, own_admin):
    other = make_department("xiaofang")
    response = new_account(client_as(own_admin), department=other.pk)
    assert response.status_code == 422
    with pytest.raises(PermissionDenied):
        services.create_account(
            actor=own_admin, username="lisi", name="李四", role=Role.HANDLER, department=other
        )


def test_department_admin_makes_no_global_administrator(client_as, own_admin):
    assert new_account(client_as(own_admin), role="SYSTEM_ADMIN").status_code == 422
    with pytest.raises(PermissionDenied):
        services.create_account(actor=own_admin, username="lisi", name="李四", role=Role.SYSTEM_ADMIN)


def test_system_admin_alone_makes_no_global_administrator():
    system = make_user(None, Role.SYSTEM_ADMIN)
    with pytest.raises(PermissionDenied):
        services.create_account(actor=system, username="lisi", name="李四", role=Role.AUDITOR)


# --- Posts ------------------------------------------------------------------------------


def test_post_is_given_and_noted(client_as, own_admin, clerk, bureau):
    client_as(own_admin).post(address("post_give", clerk.pk), {"role": "HEAD", "department": bureau.pk})
    assert set(clerk.posts.values_list("role", flat=True)) == {"HANDLER", "HEAD"}
    assert kinds(clerk) == [Event.APPOINTED]


def test_post_held_already_is_refused(client_as, own_admin, clerk, bureau):
    values = {"role": "HANDLER", "department": bureau.pk}
    response = client_as(own_admin).post(address("post_give", clerk.pk), values)
    assert response.status_code == 422
    assert kinds(clerk) == []


def test_officers_post_comes_with_the_certificate_only(own_admin, clerk, bureau):
    with pytest.raises(DomainError, match="随执法证登记"):
        services.give_post(clerk, Role.OFFICER, bureau, actor=own_admin)


def test_nobody_gives_a_post_to_oneself(admin, bureau):
    with pytest.raises(PermissionDenied, match="本人"):
        services.give_post(admin, Role.HEAD, bureau, actor=admin)


def test_post_is_taken_and_noted(client_as, own_admin, clerk, bureau):
    response = client_as(own_admin).post(address("post_take", clerk.pk, clerk.posts.get().pk))
    assert response["Location"] == address("accounts")
    assert not clerk.posts.exists()
    assert not clerk.groups.exists()
    assert kinds(clerk) == [Event.DISMISSED]


def test_post_in_another_department_is_not_ones_to_take(client_as, own_admin, clerk):
    post = services.appoint(clerk, Role.HANDLER, make_department("xiaofang"))
    assert client_as(own_admin).post(address("post_take", clerk.pk, post.pk)).status_code == 403
    assert Post.objects.filter(pk=post.pk).exists()


def test_post_of_another_account_is_not_found_under_this_one(client_as, own_admin, clerk, bureau):
    other = make_user(bureau).posts.get()
    assert client_as(own_admin).post(address("post_take", clerk.pk, other.pk)).status_code == 404


def test_last_system_admin_keeps_the_post(admin):
    security = make_user(None, Role.SECURITY_ADMIN)
    post = admin.posts.get(role=Role.SYSTEM_ADMIN)
    with pytest.raises(DomainError, match="唯一的系统管理员"):
        services.take_post(post, actor=security)


# --- Closing, password, name ------------------------------------------------------


def test_account_is_closed_and_opened_again(client_as, own_admin, clerk):
    client = client_as(own_admin)
    client.post(address("account_deactivate", clerk.pk))
    clerk.refresh_from_db()
    assert clerk.is_active is False
    client.post(address("account_activate", clerk.pk))
    clerk.refresh_from_db()
    assert clerk.is_active is True
    assert kinds(clerk) == [Event.DEACTIVATED, Event.REACTIVATED]


def test_closing_a_closed_account_notes_nothing(own_admin, clerk):
    services.set_active(clerk, False, actor=own_admin)
    services.set_active(clerk, False, actor=own_admin)
    assert kinds(clerk) == [Event.DEACTIVATED]


def test_nobody_closes_the_own_account(client_as, own_admin):
    assert client_as(own_admin).post(address("account_deactivate", own_admin.pk)).status_code == 403


def test_department_admin_does_not_manage_who_also_serves_elsewhere(client_as, own_admin, clerk):
    services.appoint(clerk, Role.HANDLER, make_department("xiaofang"))
    assert client_as(own_admin).post(address("account_reset", clerk.pk)).status_code == 403


def test_system_admin_does_not_reset_a_security_admin(client_as):
    system, security = make_user(None, Role.SYSTEM_ADMIN), make_user(None, Role.SECURITY_ADMIN)
    assert client_as(system).post(address("account_reset", security.pk)).status_code == 403


def test_last_system_admin_is_not_closed(admin):
    security = make_user(None, Role.SECURITY_ADMIN)
    with pytest.raises(DomainError, match="唯一的系统管理员"):
        services.set_active(admin, False, actor=security)


def test_closed_system_admin_does_not_count_as_another(admin):
    security, closed = make_user(None, Role.SECURITY_ADMIN), make_user(None, Role.SYSTEM_ADMIN)
    services.set_active(closed, False, actor=security)
    with pytest.raises(DomainError, match="唯一的系统管理员"):
        services.set_active(admin, False, actor=security)


def test_reset_password_is_shown_once_and_noted(client_as, own_admin, clerk):
    response = client_as(own_admin).post(address("account_reset", clerk.pk))
    password = re.search(r'<strong class="mono">(.+?)</strong>', response.content.decode())[1]
    clerk.refresh_from_db()
    assert clerk.check_password(password)
    assert clerk.must_change_password
    assert "no-store" in response["Cache-Control"]
    assert kinds(clerk) == [Event.PASSWORD_RESET]


def test_reset_ends_a_lock(client_as, client, own_admin, clerk):
    for _ in range(5):
        client.post(address("login"), {"username": "wangwu", "password": "wrong"})
    page = client_as(own_admin).post(address("account_reset", clerk.pk)).content.decode()
    password = re.search(r'<strong class="mono">(.+?)</strong>', page)[1]
    assert client.post(address("login"), {"username": "wangwu", "password": password}).status_code == 302


def test_name_is_corrected(client_as, own_admin, clerk):
    client_as(own_admin).post(address("account_edit", clerk.pk), {"name": "王武", "phone": "13800000000"})
    clerk.refresh_from_db()
    assert (clerk.name, clerk.phone) == ("王武", "13800000000")
    entry = Entry.objects.get(chain__subject=clerk.subject)
    assert (entry.kind, entry.payload) == (Event.CHANGED, {"changed": ["name", "phone"]})


def test_saving_the_same_name_notes_nothing(own_admin, clerk):
    services.change_account(clerk, actor=own_admin, name=clerk.name, phone=clerk.phone)
    assert kinds(clerk) == []


def test_empty_name_is_refused(client_as, own_admin, clerk):
    response = client_as(own_admin).post(address("account_edit", clerk.pk), {"name": "", "phone": ""})
    assert response.status_code == 422


# --- Certificates ----------------------------------------------------------------


def certificate(department, **values):
    fields = {"certificate_number": "C1", "certified_from": "2024-01-01", "certified_until": "2030-12-31"}
    return {"department": department.pk} | fields | values


def test_certificate_makes_an_officer(client_as, own_admin, clerk, bureau):
    client_as(own_admin).post(address("certify", clerk.pk), certificate(bureau))
    assert clerk.officer.certificate_number == "C1"
    assert clerk.posts.filter(role=Role.OFFICER, department=bureau).exists()
    assert kinds(clerk) == [Event.CERTIFIED]


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"certified_until": "2023-12-31"}, "certified_until"),
        ({"certificate_number": "TAKEN"}, "certificate_number"),
    ],
)
def test_wrong_certificate_names_the_field(client_as, own_admin, clerk, bureau, values, field):
    officer = make_officer(bureau)
    officer.certificate_number = "TAKEN"
    officer.save()
    response = client_as(own_admin).post(address("certify", clerk.pk), certificate(bureau, **values))
    assert response.status_code == 422
    assert field in response.context["certificate_form"].errors


def test_department_admin_takes_no_officer_from_another_department(own_admin, bureau):
    officer = make_officer(make_department("xiaofang"))
    with pytest.raises(PermissionDenied):
        services.issue_certificate(officer.user, actor=own_admin, **certificate_of(officer, bureau))


def test_officer_who_moves_leaves_the_former_post(admin, bureau):
    officer = make_officer(make_department("xiaofang"))
    services.issue_certificate(officer.user, actor=admin, **certificate_of(officer, bureau))
    assert [post.department for post in officer.user.posts.filter(role=Role.OFFICER)] == [bureau]


def certificate_of(officer, department):
    names = ("certificate_number", "certified_from", "certified_until")
    return {"department": department} | {name: getattr(officer, name) for name in names}


def test_account_chains_verify(client_as, own_admin, clerk, bureau):
    client = client_as(own_admin)
    client.post(address("post_give", clerk.pk), {"role": "HEAD", "department": bureau.pk})
    client.post(address("account_reset", clerk.pk))
    assert list(verify()) == []


# --- Three administrators, three people -------------------------------------------------


SEPARATE = [Role.SYSTEM_ADMIN, Role.SECURITY_ADMIN, Role.AUDITOR]


@pytest.mark.parametrize(("held", "given"), [(a, b) for a in SEPARATE for b in SEPARATE if a != b])
def test_no_account_holds_two_of_the_three_administrators(held, given):
    account, security = make_user(None, held), make_user(None, Role.SECURITY_ADMIN)
    with pytest.raises(DomainError, match="须由不同的人担任"):
        services.give_post(account, given, None, actor=security)
    assert [post.role for post in account.posts.all()] == [held]


def test_the_database_refuses_a_second_administrators_post():
    auditor = make_user(None, Role.AUDITOR)
    with pytest.raises(IntegrityError, match="departments_one_of_three_administrators"):
        Post.objects.create(user=auditor, role=Role.SYSTEM_ADMIN)


def test_a_refused_second_post_is_said_beside_the_field(client_as):
    account = make_user(None, Role.AUDITOR)
    response = client_as(make_user(None, Role.SECURITY_ADMIN)).post(
        address("post_give", account.pk), {"role": "SYSTEM_ADMIN", "department": ""}
    )
    assert response.status_code == 422
    assert response.context["post_form"].errors == {"role": ["三种管理员须由不同的人担任"]}


def test_an_auditor_may_hold_a_departments_post_besides(bureau):
    account = make_user(None, Role.AUDITOR)
    services.give_post(account, Role.HANDLER, bureau, actor=make_user(None, Role.SECURITY_ADMIN))
    assert account.posts.count() == 2


def test_the_first_account_is_the_security_admin_who_appoints_the_system_admin():
    first = User.objects.create_superuser("first", "Test-passw0rd", name="许志远")
    assert [post.role for post in first.posts.all()] == [Role.SECURITY_ADMIN]
    account, _ = services.create_account(
        actor=first, username="second", name="曾素云", role=Role.SYSTEM_ADMIN
    )
    assert [post.role for post in account.posts.all()] == [Role.SYSTEM_ADMIN]


def test_an_officers_post_is_not_taken_while_the_certificate_stands(own_admin, bureau):
    officer = make_officer(bureau)
    with pytest.raises(DomainError, match="登记离岗"):
        services.take_post(officer.user.posts.get(), actor=own_admin)


def test_nobody_records_the_own_certificate(own_admin, bureau):
    with pytest.raises(PermissionDenied, match="本人"):
        services.issue_certificate(own_admin, actor=own_admin, **certificate_of(make_officer(bureau), bureau))
