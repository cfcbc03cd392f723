import pytest
from django.urls import reverse
from django.utils import timezone

from inspections.enums import OwnResultState
from inspections.models import OwnResult
from scenarios.models import CheckItem
from tests.factories.departments import make_department
from tests.factories.inspections import clerk_of
from tests.factories.institutions import make_institution
from tests.factories.own_results import make_own_result
from tests.factories.papers import make_pdf

pytestmark = pytest.mark.django_db

LIST_QUERIES, DETAIL_QUERIES, SEARCH_QUERIES = 9, 9, 12
CREATE = reverse("inspections:own_result_create")


@pytest.fixture(autouse=True)
def minzheng():
    return make_department("minzheng")


@pytest.fixture
def xiaofang():
    return make_department("xiaofang")


@pytest.fixture
def fire(client_as, xiaofang):
    return client_as(clerk_of(xiaofang))


@pytest.fixture
def lead(client_as, minzheng):
    return client_as(clerk_of(minzheng))


def url(name: str, result: OwnResult) -> str:
    return reverse(f"inspections:{name}", args=[result.pk])


def filled(department, **changes) -> dict:
    item, _ = CheckItem.objects.get_or_create(department=department, name="消防监督抽查")
    values = {
        "department": department.pk,
        "number": "消监查1号",
        "institution": make_institution(name="安海养老院").name,
        "checked_on": timezone.localdate().isoformat(),
        "on_site": "yes",
        "items": [item.pk],
        "outcome": "CLEAN",
        "summary": "",
    }
    return values | changes


def test_filing_from_the_form(fire, xiaofang):
    response = fire.post(CREATE, filled(xiaofang, attachment=make_pdf("记录.pdf")))
    result = OwnResult.objects.get()
    assert response.url == url("own_result", result)
    assert (result.institution.name, result.on_site, result.attachment.name) == (
        "安海养老院",
        True,
        "记录.pdf",
    )


def test_an_unknown_institution_is_said_with_a_proposal(fire, xiaofang):
    response = fire.post(CREATE, filled(xiaofang, institution="安海"))
    assert (response.status_code, response.context["form"].errors["institution"]) == (
        422,
        ["名录中没有“安海”，是否为：安海养老院？"],
    )


def test_two_of_one_name_ask_for_the_code(fire, xiaofang):
    data = filled(xiaofang)
    twin = make_institution(name="安海养老院")
    response = fire.post(CREATE, data)
    assert response.context["form"].errors["institution"] == [
        "名录中有多家同名机构，请改填统一社会信用代码。"
    ]
    assert fire.post(CREATE, data | {"institution": twin.code}).status_code == 302


def test_a_number_filed_before_is_said_beside_the_field(fire, xiaofang):
    make_own_result(number="消监查1号")
    response = fire.post(CREATE, filled(xiaofang))
    assert (response.status_code, response.context["form"].errors["number"]) == (
        422,
        ["检查编号“消监查1号”已经报备过。"],
    )


def test_the_lead_confirms_from_the_page(lead):
    result = make_own_result()
    assert lead.get(url("own_result", result)).context["may_decide"] is True
    lead.post(url("own_result_confirm", result))
    result.refresh_from_db()
    assert result.state == OwnResultState.CONFIRMED


def test_a_returned_one_comes_back_in_the_form_and_is_filed_again(lead, fire, xiaofang):
    result = make_own_result(number="旧号")
    lead.post(url("own_result_return", result), {"reason": "编号有误"})
    page = fire.get(url("own_result_edit", result))
    assert "编号有误" in page.content.decode()
    assert page.context["form"]["number"].value() == "旧号"
    fire.post(url("own_result_edit", result), filled(xiaofang, number="新号"))
    result.refresh_from_db()
    assert (result.number, result.state) == ("新号", OwnResultState.AWAITING)


def test_a_filed_one_is_not_corrected(fire):
    result = make_own_result()
    response = fire.get(url("own_result_edit", result), follow=True)
    assert [str(message) for message in response.context["messages"]] == ["该结果待确认，不能更正。"]


def test_without_an_attachment_there_is_none_to_download(fire):
    assert fire.get(url("own_result_attachment", make_own_result())).status_code == 404


@pytest.mark.parametrize("count", [1, 3])
def test_list_costs_the_same_for_one_and_three(lead, django_assert_num_queries, count):
    for _ in range(count):
        make_own_result()
    with django_assert_num_queries(LIST_QUERIES):
        response = lead.get(reverse("inspections:own_result_list"))
    assert response.context["listing"].page.paginator.count == count


def test_page_queries(lead, django_assert_num_queries):
    result = make_own_result()
    with django_assert_num_queries(DETAIL_QUERIES):
        lead.get(url("own_result", result))


def test_list_filters_by_state_and_words(lead):
    make_own_result(number="甲")
    wanted = make_own_result(number="乙", state=OwnResultState.CONFIRMED)
    make_own_result(number="乙二")
    query = {"state": "CONFIRMED", "q": "乙"}
    response = lead.get(reverse("inspections:own_result_list"), query)
    assert [row.pk for row in response.context["listing"]] == [wanted.pk]


# --- The dossier --------------------------------------------------------------------------


@pytest.mark.parametrize("count", [1, 3])
def test_confirmed_ones_are_found_among_the_results(lead, django_assert_num_queries, count):
    confirmed = [make_own_result(state=OwnResultState.CONFIRMED).pk for _ in range(count)]
    make_own_result()
    with django_assert_num_queries(SEARCH_QUERIES):
        response = lead.get(reverse("archive:search"), {"tab": "own"})
    assert sorted(row.pk for row in response.context["listing"]) == confirmed
    assert "已备案" in response.content.decode()


def test_the_dossier_counts_and_links_to_a_confirmed_one(lead):
    result = make_own_result(state=OwnResultState.CONFIRMED)
    make_own_result(institution=result.institution)
    page = lead.get(reverse("archive:dossier", args=[result.institution.key]))
    stats = {row["label"]: row["value"] for row in page.context["stats"]}
    newest = next(event for event in page.context["events"] if "自建系统结果备案" in event.title)
    assert (stats["自建系统备案"], newest.url) == (1, url("own_result", result))


def test_the_empty_form_leads_back_to_the_list(fire):
    assert f'href="{reverse("inspections:own_result_list")}">取消' in fire.get(CREATE).content.decode()
