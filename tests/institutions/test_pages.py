from datetime import date, timedelta

import pytest
from django.urls import reverse

from departments.enums import Role
from institutions.models import Institution, Recusal
from ledger.models import Entry
from tests.factories.departments import make_department, make_officer, make_town, make_user
from tests.factories.institutions import USCCS, make_institution, make_keeper, make_recusal

pytestmark = pytest.mark.django_db


@pytest.fixture
def yinglin():
    return make_town("英林镇")


@pytest.fixture
def town_officer(yinglin):
    return make_user(make_department("zhen-yinglin", yinglin), Role.HANDLER, Role.OFFICER)


@pytest.fixture
def bureau_clerk():
    return make_user(make_department("shichang"))


def address(name, *args):
    return reverse(f"institutions:{name}", args=args)


def values(**given):
    fields = {
        "name": "怡康养老院",
        "uscc": USCCS[0],
        "kind": "PRIVATE_HOME",
        "town": make_town().pk,
        "address": "英龙路118号",
        "filing_state": "FILED",
        "filed_on": "2024-05-01",
        "beds": "80",
        "floor_area": "",
        "features": ["CANTEEN"],
    }
    return fields | given


# --- Who sees what -----------------------------------------------------------------


def test_stranger_is_sent_to_the_login(client):
    home = make_institution()
    for url in (address("list"), address("detail", home.key), address("create"), address("recusals")):
        assert client.get(url).status_code == 302


def test_bureau_sees_every_town(client_as, bureau_clerk):
    home = make_institution(make_town("安海镇"))
    assert client_as(bureau_clerk).get(address("detail", home.key)).status_code == 200


def test_town_sees_only_its_own(client_as, town_officer, yinglin):
    own, other = make_institution(yinglin), make_institution(make_town("安海镇"))
    client = client_as(town_officer)
    assert list(client.get(address("list")).context["listing"]) == [own]
    assert client.get(address("detail", own.key)).status_code == 200
    assert client.get(address("detail", other.key)).status_code == 404


@pytest.mark.parametrize("role", [Role.INSPECTORATE, Role.AUDITOR, Role.SYSTEM_ADMIN])
def test_overseers_see_every_town(client_as, role):
    home = make_institution()
    assert client_as(make_user(None, role)).get(address("detail", home.key)).status_code == 200


def test_account_without_a_post_sees_nothing(client_as, bureau_clerk):
    home = make_institution()
    bureau_clerk.posts.all().delete()
    assert client_as(bureau_clerk).get(address("detail", home.key)).status_code == 404


@pytest.mark.parametrize("name", ["create", "edit", "set_state"])
def test_other_bureau_may_not_write(client_as, bureau_clerk, name):
    url = address(name) if name == "create" else address(name, make_institution().key)
    client = client_as(bureau_clerk)
    assert client.get(url).status_code == 403
    assert client.post(url, values()).status_code == 403


def test_officer_may_not_write(client_as):
    officer = make_officer(make_department("minzheng"))
    assert client_as(officer.user).get(address("create")).status_code == 403


def test_town_may_not_write_to_its_own(client_as, town_officer, yinglin):
    home = make_institution(yinglin)
    assert client_as(town_officer).post(address("edit", home.key), values()).status_code == 403


def test_town_does_not_learn_that_another_towns_home_exists(client_as, town_officer):
    other = make_institution(make_town("安海镇"))
    assert client_as(town_officer).get(address("edit", other.key)).status_code == 404


# --- List ---------------------------------------------------------------------------


@pytest.mark.parametrize("homes", [1, 3])
def test_list_costs_the_same_for_any_number(client_as, bureau_clerk, homes, django_assert_num_queries):
    for number in range(homes):
        make_institution(make_town(f"第{number}镇"))
    client = client_as(bureau_clerk)
    with django_assert_num_queries(10):
        client.get(address("list"))


def test_empty_register_says_when_something_will_appear(client_as, bureau_clerk):
    assert "名录里还没有机构" in client_as(bureau_clerk).get(address("list")).content.decode()


def test_filter_without_a_match_says_so(client_as, bureau_clerk):
    make_institution()
    page = client_as(bureau_clerk).get(address("list") + "?q=没有这家").content.decode()
    assert "没有符合条件的机构" in page


@pytest.mark.parametrize(
    ("sort", "names"),
    [
        ("name", ["乙院", "甲院"]),
        ("-name", ["甲院", "乙院"]),
        ("beds", ["甲院", "乙院"]),
        ("-beds", ["乙院", "甲院"]),
        ("filed_on", ["乙院", "甲院"]),
        ("-filed_on", ["乙院", "甲院"]),
        ("town", ["乙院", "甲院"]),
        ("nonsense", ["乙院", "甲院"]),
    ],
)
def test_list_sorts_and_puts_missing_days_last(client_as, bureau_clerk, sort, names):
    make_institution(
        make_town("后镇", "350582114"), name="甲院", beds=10, filing_state="NOT_FILED", filed_on=None
    )
    make_institution(make_town("前镇", "350582001"), name="乙院", beds=20)
    listing = client_as(bureau_clerk).get(f"{address('list')}?sort={sort}").context["listing"]
    assert [home.name for home in listing] == names


def test_list_pages_by_twenty(client_as, bureau_clerk, yinglin):
    for _ in range(21):
        make_institution(yinglin)
    client = client_as(bureau_clerk)
    assert len(list(client.get(address("list")).context["listing"])) == 20
    assert len(list(client.get(address("list") + "?page=2").context["listing"])) == 1


def test_only_the_keeper_is_offered_to_register(client_as, bureau_clerk):
    assert address("create") not in client_as(bureau_clerk).get(address("list")).content.decode()
    assert address("create") in client_as(make_keeper()).get(address("list")).content.decode()


# --- One institution --------------------------------------------------------------


@pytest.mark.parametrize("recusals", [1, 3])
def test_detail_costs_the_same_for_any_number(client_as, recusals, django_assert_num_queries):
    home = make_institution()
    for _ in range(recusals):
        make_recusal(institution=home)
    client = client_as(make_keeper())
    with django_assert_num_queries(12):
        client.get(address("detail", home.key))


def test_detail_shows_what_the_register_says(client_as, bureau_clerk):
    home = make_institution(
        name="晋江市紫帽镇塘头紫湖紫星片区综合养老服务与康复护理照料中心公建民营筹建点一期",
        features=["CANTEEN", "KEY_FIRE_UNIT"],
        contact_phone="13800001007",
        rating=3,
    )
    page = client_as(bureau_clerk).get(address("detail", home.key)).content.decode()
    for text in (home.name, "设有食堂", "消防安全重点单位", "13800001007", "尚无统一社会信用代码", "已备案"):
        assert text in page


def test_unknown_key_is_not_found(client_as, bureau_clerk):
    url = address("detail", "00000000-0000-4000-8000-000000000000")
    assert client_as(bureau_clerk).get(url).status_code == 404


# --- Registering and changing -------------------------------------------------------


def test_keeper_registers(client_as):
    response = client_as(make_keeper()).post(address("create"), values(rating="3", floor_area="1200.5"))
    home = Institution.objects.get()
    assert response["Location"] == address("detail", home.key)
    assert (home.name, home.uscc, home.features, home.rating) == ("怡康养老院", USCCS[0], ["CANTEEN"], 3)
    assert Entry.objects.filter(chain__subject=home.subject).count() == 1


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"uscc": "52350582MJB000018J"}, "uscc"),
        ({"name": ""}, "name"),
        ({"filed_on": ""}, "filed_on"),
        ({"filed_on": (date.today() + timedelta(days=1)).isoformat()}, "filed_on"),
        ({"beds": "-1"}, "beds"),
        ({"beds": "许多"}, "beds"),
        ({"floor_area": "-3"}, "floor_area"),
        ({"features": ["POOL"]}, "features"),
        ({"town": "0"}, "town"),
    ],
)
def test_wrong_form_names_the_field_and_saves_nothing(client_as, given, field):
    response = client_as(make_keeper()).post(address("create"), values(**given))
    assert response.status_code == 422
    assert list(response.context["form"].errors) == [field]
    assert not Institution.objects.exists()


def test_taken_code_is_shown_at_the_field_with_the_holder(client_as):
    make_institution(name="先登记的养老院", uscc=USCCS[0])
    response = client_as(make_keeper()).post(address("create"), values())
    assert response.status_code == 422
    assert "先登记的养老院" in response.context["form"].errors["uscc"][0]


def test_keeper_changes(client_as):
    home = make_institution(uscc=USCCS[0])
    client_as(make_keeper()).post(address("edit", home.key), values(beds="99", uscc=USCCS[0]))
    home.refresh_from_db()
    assert (home.beds, home.name) == (99, "怡康养老院")


def test_edit_form_shows_what_is_there(client_as):
    home = make_institution(features=["CANTEEN"], beds=77, rating=4)
    form = client_as(make_keeper()).get(address("edit", home.key)).context["form"]
    assert (form["beds"].value(), form["rating"].value(), form["features"].value()) == (77, 4, ["CANTEEN"])
    assert 'value="2024-05-01"' in str(form["filed_on"])


def test_edit_leaves_the_operating_state_alone(client_as):
    home = make_institution(operating_state="SUSPENDED")
    client_as(make_keeper()).post(address("edit", home.key), values(operating_state="CLOSED"))
    home.refresh_from_db()
    assert home.operating_state == "SUSPENDED"


def test_keeper_suspends(client_as):
    home = make_institution()
    given = {"state": "SUSPENDED", "on": date.today().isoformat(), "reason": "消防改造"}
    client = client_as(make_keeper())
    assert client.post(address("set_state", home.key), given)["Location"] == address("detail", home.key)
    page = client.get(address("detail", home.key)).content.decode()
    assert "运营中 → 暂停运营" in page
    assert "消防改造" in page


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"state": "OPERATING"}, "state"),
        ({"reason": ""}, "reason"),
        ({"on": (date.today() + timedelta(days=1)).isoformat()}, "on"),
    ],
)
def test_wrong_state_change_names_the_field(client_as, given, field):
    home = make_institution()
    form = {"state": "CLOSED", "on": date.today().isoformat(), "reason": "注销"} | given
    response = client_as(make_keeper()).post(address("set_state", home.key), form)
    assert response.status_code == 422
    assert list(response.context["form"].errors) == [field]


# --- Recusals ------------------------------------------------------------------------


@pytest.fixture
def officer():
    return make_officer(make_department("xiaofang"))


def test_officer_adds_and_takes_back_the_own_recusal(client_as, officer):
    home = make_institution()
    client = client_as(officer.user)
    client.post(address("recusal_add", home.key), {"officer": officer.pk, "reason": "近亲属任职"})
    recusal = Recusal.objects.get(officer=officer, institution=home)
    client.post(address("recusal_end", recusal.pk))
    assert not Recusal.objects.exists()


@pytest.mark.parametrize("back", ["institution", "", "https://evil.example/"])
def test_ending_a_recusal_leads_back_to_where_it_was_shown(client_as, officer, back):
    recusal = make_recusal(officer)
    page = address("detail", recusal.institution.key) if back == "institution" else address("recusals")
    response = client_as(officer.user).post(address("recusal_end", recusal.pk), {"back": back})
    assert response["Location"] == page


def test_officer_adds_none_for_a_colleague(client_as, officer):
    colleague = make_officer(make_department("xiaofang"))
    url = address("recusal_add", make_institution().key)
    response = client_as(officer.user).post(url, {"officer": colleague.pk, "reason": "近亲属任职"})
    assert response.status_code == 422
    assert not Recusal.objects.exists()


def test_department_admin_adds_for_the_own_officer(client_as, officer):
    admin = make_user(make_department("xiaofang"), Role.DEPARTMENT_ADMIN)
    url = address("recusal_add", make_institution().key)
    client_as(admin).post(url, {"officer": officer.pk, "reason": "近亲属任职"})
    assert Recusal.objects.get().officer == officer


def test_colleague_sees_a_recusal_and_may_not_end_it(client_as, officer):
    recusal = make_recusal(officer)
    client = client_as(make_user(make_department("xiaofang")))
    assert recusal.reason in client.get(address("recusals")).content.decode()
    assert client.post(address("recusal_end", recusal.pk)).status_code == 403


def test_other_department_does_not_see_a_recusal(client_as, officer, bureau_clerk):
    recusal = make_recusal(officer)
    client = client_as(bureau_clerk)
    assert recusal.reason not in client.get(address("recusals")).content.decode()
    assert recusal.reason not in client.get(address("detail", recusal.institution.key)).content.decode()
    assert client.post(address("recusal_end", recusal.pk)).status_code == 404


@pytest.mark.parametrize("recusals", [1, 3])
def test_recusal_list_costs_the_same_for_any_number(client_as, officer, recusals, django_assert_num_queries):
    for _ in range(recusals):
        make_recusal(officer)
    client = client_as(officer.user)
    with django_assert_num_queries(9):
        client.get(address("recusals"))


@pytest.mark.parametrize(("query", "shown"), [("{own}", 1), ("x", 2), ("999999", 2), ("", 2)])
def test_recusals_of_one_officer(client_as, officer, query, shown):
    make_recusal(officer)
    make_recusal(make_officer(make_department("xiaofang")))
    url = f"{address('recusals')}?officer={query.format(own=officer.pk)}"
    assert len(client_as(officer.user).get(url).context["recusals"]) == shown


def test_officer_already_recused_is_not_offered_again(client_as, officer):
    recusal = make_recusal(officer)
    response = client_as(officer.user).get(address("detail", recusal.institution.key))
    assert response.context["recusal_form"] is None


@pytest.mark.parametrize("query", ["town=zzz", "kind=-1", "feature=zzz", "q=%00"])
def test_a_filter_nobody_offered_shows_an_empty_list(client, query):
    client.force_login(make_user(make_department("shichang")))
    response = client.get(f"/institutions/?{query}")
    assert response.status_code == 200
    assert "没有符合条件的机构" in response.content.decode()
