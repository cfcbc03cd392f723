from datetime import date, timedelta

import pytest
from django.urls import reverse

from core.errors import DomainError
from departments import services
from departments.enums import Absence, Event, Role, Validity
from departments.models import Department, Officer
from ledger.models import Entry
from tests.factories.departments import make_department, make_officer, make_town, make_user

pytestmark = pytest.mark.django_db

TODAY = date.today()


@pytest.fixture
def bureau():
    return make_department("shichang")


def test_anybody_logged_in_reads_departments(client_as, bureau):
    client = client_as(make_user(bureau, Role.OFFICER))
    assert client.get(reverse("departments:list")).status_code == 200
    assert client.get(reverse("departments:detail", args=["shichang"])).status_code == 200


@pytest.mark.parametrize("name", ["list", "detail"])
def test_stranger_is_sent_to_the_login(client, bureau, name):
    url = reverse(f"departments:{name}", args=["shichang"] if name == "detail" else [])
    assert client.get(url).status_code == 302


def test_unknown_department_is_not_found(client_as, bureau):
    assert client_as(make_user(bureau)).get(reverse("departments:detail", args=["nobody"])).status_code == 404


@pytest.mark.parametrize("departments", [1, 3])
def test_list_costs_the_same_for_any_number(client_as, departments, django_assert_num_queries):
    for code in ("shichang", "xiaofang", "ziran")[:departments]:
        make_officer(make_department(code))
    client = client_as(make_user(make_department("shichang")))
    with django_assert_num_queries(9):
        client.get(reverse("departments:list"))


@pytest.mark.parametrize("officers", [1, 3])
def test_detail_costs_the_same_for_any_number(client_as, bureau, officers, django_assert_num_queries):
    user = make_user(bureau)
    for _ in range(officers):
        make_officer(bureau)
        make_user(bureau)
    client = client_as(user)
    with django_assert_num_queries(11):
        client.get(reverse("departments:detail", args=["shichang"]))


def test_list_tells_bureaus_from_towns(client_as, bureau):
    town = make_department("zhen-yinglin", make_town("英林镇"))
    context = client_as(make_user(bureau)).get(reverse("departments:list")).context
    assert (context["bureaus"], context["towns"]) == ([bureau], [town])


def test_departments_come_in_the_offices_own_order():
    codes = ["ziran", "minzheng", "xiaofang"]
    for code in codes:
        make_department(code)
    assert [department.code for department in Department.objects.with_certified(TODAY)] == codes


def test_only_valid_officers_on_duty_are_counted(bureau):
    make_officer(bureau)
    make_officer(bureau, valid_days=-1)
    on_leave, closed = make_officer(bureau), make_officer(bureau)
    Officer.objects.filter(pk=on_leave.pk).update(absence=Absence.LEAVE, away_from=TODAY)
    closed.user.is_active = False
    closed.user.save()
    assert Department.objects.with_certified(TODAY).get().certified == 1


@pytest.mark.parametrize(
    ("starts", "ends", "validity"),
    [
        (-1000, 365, Validity.VALID),
        (-1000, 61, Validity.VALID),
        (-1000, 60, Validity.EXPIRING),
        (-1000, 0, Validity.EXPIRING),
        (-1000, -1, Validity.EXPIRED),
        (1, 365, Validity.NOT_YET),
    ],
)
def test_certificate_is_valid_to_its_last_day(bureau, starts, ends, validity):
    officer = make_officer(bureau)
    officer.certified_from, officer.certified_until = TODAY + timedelta(starts), TODAY + timedelta(ends)
    assert officer.validity_on(TODAY) == validity


def test_officer_off_duty_is_shown_so(bureau):
    officer = make_officer(bureau)
    officer.absence, officer.away_from = Absence.LEAVE, TODAY
    assert officer.validity_on(TODAY) == Validity.OFF_DUTY


@pytest.mark.parametrize("name", ["市场监管局", "市场 监管局", "晋江市市场监督管理局", "市市场监管局"])
def test_department_is_found_by_any_of_its_names(name):
    made = services.create_department(
        code="shichang", name="晋江市市场监督管理局", short_name="市市场监管局", aliases=["市场监管局"]
    )
    assert services.find_department(name) == made


def test_unknown_name_finds_nothing(bureau):
    assert services.find_department("市场监管分局") is None


def test_alias_of_two_departments_is_refused(bureau):
    services.create_department(code="xiaofang", name="消防救援大队", short_name="消防", aliases=["消防部门"])
    with pytest.raises(DomainError, match="“消防部门”已是消防的名称或别名"):
        services.create_department(code="x", name="某局", short_name="某", aliases=["消防部门"])


def test_joining_a_department_shares_its_group(bureau):
    user = make_user(bureau)
    assert list(user.groups.all()) == [bureau.group]


def test_leaving_the_last_post_leaves_the_group(bureau):
    user = make_user(bureau, Role.HANDLER, Role.HEAD)
    head, handler = user.posts.get(role=Role.HEAD), user.posts.get(role=Role.HANDLER)
    services.dismiss(head)
    assert user.groups.count() == 1
    services.dismiss(handler)
    assert user.groups.count() == 0


# --- Whom to call ------------------------------------------------------------------------


CONTACT = {"contact_name": "陈科长", "contact_phone": "0595-82000000", "agency_code": "晋市监"}


def test_department_admin_names_the_contact(client_as, bureau):
    client = client_as(make_user(bureau, Role.DEPARTMENT_ADMIN))
    response = client.post(reverse("departments:edit", args=["shichang"]), CONTACT)
    assert response["Location"] == reverse("departments:detail", args=["shichang"])
    bureau.refresh_from_db()
    assert {name: getattr(bureau, name) for name in CONTACT} == CONTACT


def test_change_is_noted_without_the_contacts_name(bureau):
    actor = make_user(bureau, Role.DEPARTMENT_ADMIN)
    services.change_department(bureau, actor=actor, **CONTACT)
    entry = Entry.objects.get(chain__subject=bureau.key)
    assert entry.kind == Event.DEPARTMENT_CHANGED
    assert entry.payload == {
        "changed": ["agency_code", "contact_name", "contact_phone"],
        "agency_code": "晋市监",
    }


def test_change_of_nothing_leaves_no_entry(bureau):
    actor = make_user(None, Role.SYSTEM_ADMIN)
    for _ in range(2):
        services.change_department(bureau, actor=actor, **CONTACT)
    assert Entry.objects.filter(chain__subject=bureau.key).count() == 1


@pytest.mark.parametrize(
    ("code", "role"),
    [("xiaofang", Role.DEPARTMENT_ADMIN), ("shichang", Role.HANDLER), (None, Role.SECURITY_ADMIN)],
)
def test_others_may_not_name_the_contact(client_as, bureau, code, role):
    client = client_as(make_user(make_department(code) if code else None, role))
    assert client.post(reverse("departments:edit", args=["shichang"]), CONTACT).status_code == 403
