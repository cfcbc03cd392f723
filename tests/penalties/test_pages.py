from datetime import timedelta
from uuid import uuid4

import pytest
from django.contrib.messages import get_messages
from django.urls import reverse
from django.utils import timezone

from departments.enums import Role
from inspections.enums import ReferralState
from inspections.models import Referral
from inspections.services import photos, referrals, submitting
from penalties import services
from penalties.enums import CaseState, Decision
from penalties.models import PenaltyCase
from tests.factories.departments import make_department, make_town, make_user
from tests.factories.penalties import (
    BASIS,
    FACTS,
    FIRE_ROW,
    handler_of,
    make_case,
    make_taken_up,
    make_town_referral,
    reviewer_of,
)
from tests.factories.scenarios import delegate_all, make_version
from tests.factories.tasks import answer_all, make_task, officer_of, photo_upload, problem, sign_all

pytestmark = pytest.mark.django_db
LIST = "/penalties/"


def page(client, url: str) -> str:
    response = client.get(url)
    assert response.status_code == 200
    return response.content.decode()


def said(response) -> list[str]:
    return [str(message) for message in get_messages(response.wsgi_request)]


def url(name: str, pk: int) -> str:
    return reverse(f"penalties:{name}", args=[pk])


# --- List --------------------------------------------------------------------------------------


def test_town_finds_the_referral_under_what_waits(client_as):
    referral = make_town_referral()
    html = page(client_as(handler_of(referral)), LIST)
    assert referral.institution.name in html
    assert f'href="{url("referral", referral.pk)}"' in html
    assert "还剩7个工作日" in html


@pytest.mark.parametrize(
    ("tab", "shown"),
    [("inbox", False), ("open", True), ("done", False), ("all", True)],
)
def test_taken_up_referral_stands_under_work_in_progress(client_as, tab, shown):
    case = make_case()
    html = page(client_as(handler_of(case.referral)), f"{LIST}?tab={tab}")
    assert (f'href="{url("case", case.pk)}"' in html) is shown


def test_closed_case_stands_under_done(client_as):
    case = make_case(CaseState.CLOSED)
    html = page(client_as(handler_of(case.referral)), f"{LIST}?tab=done")
    assert case.number in html


def test_inspecting_bureau_follows_what_it_sent(client_as):
    case = make_case()
    sender = make_user(case.referral.from_department, Role.HANDLER)
    assert case.number in page(client_as(sender), f"{LIST}?tab=sent")
    assert case.number not in page(client_as(sender), f"{LIST}?tab=inbox")


def test_town_has_no_tab_for_what_it_sent(client_as):
    referral = make_town_referral()
    assert "我部门移送的" not in page(client_as(handler_of(referral)), LIST)


def test_legal_reviewer_starts_with_the_cases_to_review(client_as):
    case = make_case(CaseState.LEGAL_REVIEW, legal_review_required=True)
    html = page(client_as(reviewer_of(case)), LIST)
    assert case.number in html
    assert "待接收" not in html.split("</nav>")[-1]


def test_another_town_sees_nothing(client_as):
    case = make_case()
    elsewhere = make_department("zhen-anhai", make_town("安海镇"))
    assert case.number not in page(client_as(make_user(elsewhere, Role.OFFICER)), f"{LIST}?tab=all")


def test_inspectorate_sees_all(client_as):
    case = make_case()
    assert case.number in page(client_as(make_user(None, Role.INSPECTORATE)), LIST)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("q=疏散通道", True),
        ("q=食品", False),
        ("severity=GENERAL", True),
        ("severity=MAJOR", False),
        ("town=nonsense", True),
        ("sort=-due", True),
        ("sort=nonsense", True),
        ("page=99", True),
    ],
)
def test_filters_narrow_and_nonsense_does_not(client_as, query, found):
    referral = make_town_referral()
    html = page(client_as(handler_of(referral)), f"{LIST}?tab=inbox&{query}")
    assert (f'href="{url("referral", referral.pk)}"' in html) is found


def test_list_costs_the_same_queries_for_one_row_and_for_three(client_as, django_assert_num_queries):
    referral = make_town_referral()
    client = client_as(handler_of(referral))
    client.get(LIST)
    with django_assert_num_queries(LIST_QUERIES):
        client.get(LIST)
    make_town_referral()
    make_town_referral()
    with django_assert_num_queries(LIST_QUERIES):
        client.get(LIST)


def test_list_of_cases_costs_the_same_queries_for_one_row_and_for_three(client_as, django_assert_num_queries):
    case = make_case(CaseState.SERVED)
    client = client_as(handler_of(case.referral))
    client.get(LIST)
    with django_assert_num_queries(LIST_QUERIES + 1):
        client.get(f"{LIST}?tab=open")
    make_case(CaseState.SERVED)
    make_case(CaseState.SERVED)
    with django_assert_num_queries(LIST_QUERIES + 1):
        client.get(f"{LIST}?tab=open")


LIST_QUERIES = 12


# --- One referral ------------------------------------------------------------------------------


def test_referral_shows_what_was_found_and_on_what_ground(client_as):
    referral = make_town_referral()
    html = page(client_as(handler_of(referral)), url("referral", referral.pk))
    for text in ("二楼疏散通道堆放杂物", "占用疏散通道的处罚", "第1行", "晋江市消防救援大队"):
        assert text in html
    assert "接收" in html
    assert "退回" in html


def test_referral_shows_the_photos_taken_of_the_item(client_as):
    version = make_version([FIRE_ROW])
    town = make_department("zhen-yinglin", make_town())
    delegate_all(town.town, version)
    task = make_task(version=version)
    item = task.items.get()
    answer_all(task, problem(version.rows.get()))
    photo = photos.attach_photo(item, photo_id=uuid4(), upload=photo_upload(), actor=officer_of(task).user)
    sign_all(task)
    submitting.submit(task, actor=officer_of(task).user)
    referral = Referral.objects.get()
    html = page(client_as(handler_of(referral)), url("referral", referral.pk))
    assert f'href="{reverse("inspections:photo", args=[photo.pk])}"' in html


def test_fallback_route_is_warned_of(client_as):
    referral = make_town_referral(delegated=False)
    html = page(client_as(make_user(referral.to_department, Role.HANDLER)), url("referral", referral.pk))
    assert "英林镇未承接该项处罚权" in html


def test_sender_reads_the_referral_but_cannot_answer_it(client_as):
    referral = make_town_referral()
    client = client_as(make_user(referral.from_department, Role.HANDLER))
    assert url("take_up", referral.pk) not in page(client, url("referral", referral.pk))
    assert client.post(url("take_up", referral.pk)).status_code == 403
    assert client.post(url("return", referral.pk), {"reason": "x"}).status_code == 403
    referral.refresh_from_db()
    assert referral.state == ReferralState.SENT


@pytest.mark.parametrize("name", ["referral", "take_up", "return", "file"])
def test_another_town_does_not_find_the_referral(client_as, name):
    referral = make_town_referral()
    elsewhere = make_department("zhen-anhai", make_town("安海镇"))
    client = client_as(make_user(elsewhere, Role.OFFICER))
    call = client.get if name == "referral" else client.post
    assert call(url(name, referral.pk)).status_code == 404


def test_taking_up_offers_to_file(client_as):
    referral = make_town_referral()
    client = client_as(handler_of(referral))
    response = client.post(url("take_up", referral.pk), follow=True)
    html = response.content.decode()
    assert f"已接收{referral.institution.name}的移送，请立案。" in html
    assert "留空则自动编号，如“英林镇罚案" in html


def test_taking_up_twice_says_so(client_as):
    referral = make_town_referral()
    client = client_as(handler_of(referral))
    client.post(url("take_up", referral.pk))
    response = client.post(url("take_up", referral.pk))
    assert said(response)[-1] == "移送办理中，不能再接收。"


def test_returning_needs_a_reason(client_as):
    referral = make_town_referral()
    client = client_as(handler_of(referral))
    assert said(client.post(url("return", referral.pk), {"reason": " "})) == ["请填写退回理由。"]
    client.post(url("return", referral.pk), {"reason": "不在本镇辖区"})
    referral.refresh_from_db()
    assert (referral.state, referral.return_reason) == (ReferralState.RETURNED, "不在本镇辖区")
    assert "不在本镇辖区" in page(client, url("referral", referral.pk))


def test_filing_leads_to_the_case(client_as):
    referral = make_taken_up()
    client = client_as(handler_of(referral))
    response = client.post(url("file", referral.pk), {"number": "", "filed_on": timezone.localdate()})
    case = PenaltyCase.objects.get()
    assert response.url == url("case", case.pk)


def test_refused_filing_comes_back_with_what_was_typed(client_as):
    taken = make_case(drafted=False)
    referral = make_taken_up()
    client = client_as(handler_of(referral))
    answer = {"number": taken.number, "filed_on": timezone.localdate()}
    response = client.post(url("file", referral.pk), answer)
    assert response.status_code == 422
    assert "此案号已被使用，请更换或留空自动编号。" in response.content.decode()
    assert f'value="{taken.number}"' in response.content.decode()


# --- One case ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (CaseState.FILED, "下一步：作出决定"),
        (CaseState.DECIDED, "下一步：送达"),
        (CaseState.SERVED, "下一步：登记缴款"),
        (CaseState.CLOSED, "移送同时办结"),
    ],
)
def test_case_offers_its_next_step(client_as, state, words):
    case = make_case(state)
    html = page(client_as(handler_of(case.referral)), url("case", case.pk))
    assert words in html
    assert html.count("下一步：") == (state != CaseState.CLOSED)


def test_new_case_starts_its_draft_from_the_finding(client_as):
    case = make_case(drafted=False)
    html = page(client_as(handler_of(case.referral)), url("case", case.pk))
    assert "下一步：拟定处罚" in html
    assert "二楼疏散通道堆放杂物</textarea>" in html


def test_case_that_needs_review_asks_for_it(client_as):
    case = make_case(legal_review_required=True)
    html = page(client_as(handler_of(case.referral)), url("case", case.pk))
    assert "下一步：提请法制审核" in html
    assert "下一步：作出决定" not in html


def test_fine_paid_in_full_offers_to_close(client_as):
    case = make_case(CaseState.SERVED, decision=Decision.WARNING)
    html = page(client_as(handler_of(case.referral)), url("case", case.pk))
    assert "下一步：结案" in html


def test_sender_sees_the_case_without_forms(client_as):
    case = make_case()
    client = client_as(make_user(case.referral.from_department, Role.HANDLER))
    html = page(client, url("case", case.pk))
    assert FACTS in html
    assert "下一步" not in html
    assert 'method="post"' not in html.split('id="main"')[1]


def test_sender_cannot_take_any_step(client_as):
    case = make_case()
    client = client_as(make_user(case.referral.from_department, Role.HANDLER))
    steps = ("draft", "request_review", "review", "decide", "serve", "pay", "close")
    assert [client.post(url(step, case.pk)).status_code for step in steps] == [403] * 7


def test_another_town_does_not_find_the_case(client_as):
    case = make_case()
    elsewhere = make_department("zhen-anhai", make_town("安海镇"))
    client = client_as(make_user(elsewhere, Role.OFFICER, Role.LEGAL_REVIEWER))
    assert client.get(url("case", case.pk)).status_code == 404
    steps = ("draft", "request_review", "review", "decide", "serve", "pay", "close")
    assert [client.post(url(step, case.pk)).status_code for step in steps] == [404] * 7


def test_steps_are_posts_only(client_as):
    case = make_case()
    client = client_as(handler_of(case.referral))
    assert client.get(url("decide", case.pk)).status_code == 405


def test_whole_case_through_its_pages(client_as):
    case = make_case(drafted=False)
    client = client_as(handler_of(case.referral))
    reviewer = client_as(reviewer_of(case))
    today = timezone.localdate().isoformat()
    draft = {
        "facts": FACTS,
        "basis": BASIS,
        "decision": "WARNING_AND_FINE",
        "fine_amount": "500",
        "legal_review_required": "on",
    }
    for who, step, data in (
        (client, "draft", draft),
        (client, "request_review", {}),
        (reviewer, "review", {"passed": "yes", "opinion": "事实清楚，同意。"}),
        (client, "decide", {"decided_on": today}),
        (client, "serve", {"served_on": today}),
        (client, "pay", {"amount": "500", "paid_on": today, "receipt": "35058201"}),
        (client, "close", {}),
    ):
        response = who.post(url(step, case.pk), data)
        assert response.status_code == 302, step
    case.refresh_from_db()
    assert case.state == CaseState.CLOSED
    sender = client_as(make_user(case.referral.from_department, Role.HANDLER))
    html = page(sender, url("referral", case.referral_id))
    for label in ("立案", "拟定处罚", "提请法制审核", "法制审核", "作出处罚决定", "送达", "缴款", "结案"):
        assert f'<p class="timeline__title">{label}</p>' in html


def test_invalid_step_comes_back_as_422_and_changes_nothing(client_as):
    case = make_case()
    client = client_as(handler_of(case.referral))
    tomorrow = timezone.localdate() + timedelta(days=1)
    response = client.post(url("decide", case.pk), {"decided_on": tomorrow})
    assert response.status_code == 422
    assert "不能晚于今天。" in response.content.decode()
    case.refresh_from_db()
    assert case.state == CaseState.FILED


def test_refusal_without_a_form_is_a_message(client_as):
    case = make_case(CaseState.DECIDED)
    response = client_as(handler_of(case.referral)).post(url("close", case.pk))
    assert said(response) == ["案件已决定，不能结案。"]


def test_failed_review_brings_the_draft_and_the_opinion_back(client_as):
    case = make_case(CaseState.LEGAL_REVIEW, legal_review_required=True)
    services.review(case, passed=False, opinion="证据不足，请补充。", actor=reviewer_of(case))
    html = page(client_as(handler_of(case.referral)), url("case", case.pk))
    assert "法制审核未通过" in html
    assert "证据不足，请补充。" in html
    assert "下一步：拟定处罚" in html


def test_case_page_costs_the_same_queries_whatever_happened(client_as, django_assert_num_queries):
    case = make_case(CaseState.SERVED)
    client = client_as(handler_of(case.referral))
    client.get(url("case", case.pk))
    with django_assert_num_queries(CASE_QUERIES):
        client.get(url("case", case.pk))
    referrals.record_step(case.referral, kind="penalty.note", label="补充", actor=handler_of(case.referral))
    with django_assert_num_queries(CASE_QUERIES):
        client.get(url("case", case.pk))


CASE_QUERIES = 11
