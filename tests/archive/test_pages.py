from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from archive import services
from archive.models import Disclosure
from departments.enums import Role
from inspections.models import Task
from inspections.services import referrals
from institutions.services import merge
from ledger.models import Entry
from ledger.services import append
from penalties.enums import CaseState
from tests.factories.archive import clerk_of, lead_of, make_case_disclosure, make_disclosure, make_submitted
from tests.factories.departments import make_department, make_town, make_user
from tests.factories.institutions import USCCS, make_institution, make_keeper
from tests.factories.penalties import handler_of, make_case, make_town_referral

pytestmark = pytest.mark.django_db

SEARCH, DISCLOSURES, PUBLIC = "/archive/", "/archive/disclosures/", "/public/"
SEARCH_QUERIES = {"visits": 15, "findings": 12, "cases": 12}
DOSSIER_QUERIES = 18
DISCLOSURE_QUERIES = {"visits": 15, "cases": 12, "published": 12}
PUBLIC_QUERIES = 3


def page(client, url: str) -> str:
    response = client.get(url)
    assert response.status_code == 200
    return response.content.decode()


def dossier_url(institution) -> str:
    return reverse("archive:dossier", args=[institution.key])


# --- Search ------------------------------------------------------------------------------------


FOUND = {
    "visits": [
        "q=嘉颐",
        "q=消防检查",
        "q=疏散通道",
        "town=999999",
        "since=2020-01-01",
        "item=0",
        "until=9999-12-31",
    ],
    "findings": ["q=嘉颐", "q=堆放杂物", "q=占用疏散", "since=2020-01-01", "sort=nonsense"],
    "cases": ["q=嘉颐", "q=罚案", "q=消防法", "since=nonsense", "page=99"],
}
NOT_FOUND = ["q=食堂", "until=2020-01-01"]


@pytest.mark.parametrize("tab", ["visits", "findings", "cases"])
def test_results_are_found_by_word_and_date(client_as, tab):
    referral = make_town_referral(institution=make_institution(name="晋江市嘉颐养老院"))
    make_case(referral=_taken_up(referral))
    client = client_as(make_user(make_department("minzheng"), Role.HANDLER))
    shown = {
        query: "晋江市嘉颐养老院" in page(client, f"{SEARCH}?tab={tab}&{query}")
        for query in [*FOUND[tab], *NOT_FOUND]
    }
    assert shown == dict.fromkeys(FOUND[tab], True) | dict.fromkeys(NOT_FOUND, False)


@pytest.mark.parametrize("tab", ["visits", "findings", "cases"])
def test_results_are_found_by_department_town_item_and_institution(client_as, tab):
    referral = make_town_referral()
    make_case(referral=_taken_up(referral))
    task, client = referral.finding.task, client_as(make_user(make_department("minzheng"), Role.HANDLER))
    item = task.items.get().check_item_id
    here, elsewhere = referral.institution.town_id, make_town("安海镇").pk
    name = referral.institution.name
    for query, found in (
        (f"department={referral.from_department_id}", True),
        (f"department={make_department('shichang').pk}", False),
        (f"town={here}", True),
        (f"town={elsewhere}", False),
        (f"item={item}", True),
        (f"institution={referral.institution.key}", True),
        (f"institution={uuid4()}", False),
    ):
        html = page(client, f"{SEARCH}?tab={tab}&{query}")
        assert (f">{name}</a>" in html.split("<tbody>")[-1]) is found, query


def test_unsubmitted_visit_is_no_result(client_as):
    task = make_submitted()
    Task.objects.exclude(pk=task.pk).delete()
    client = client_as(make_user(make_department("shichang"), Role.HANDLER))
    assert task.institution.name not in page(client, SEARCH)


def test_town_finds_its_own_cases_only(client_as):
    case = make_case()
    elsewhere = make_department("zhen-anhai", make_town("安海镇"))
    assert case.number in page(client_as(handler_of(case.referral)), f"{SEARCH}?tab=cases")
    assert case.number not in page(client_as(make_user(elsewhere, Role.OFFICER)), f"{SEARCH}?tab=cases")


@pytest.mark.parametrize("tab", ["visits", "findings", "cases"])
def test_search_costs_the_same_queries_for_one_row_and_for_three(client_as, django_assert_num_queries, tab):
    client = client_as(make_user(make_department("minzheng"), Role.HANDLER))
    make_case()
    client.get(SEARCH)
    with django_assert_num_queries(SEARCH_QUERIES[tab]):
        client.get(f"{SEARCH}?tab={tab}")
    make_case()
    make_case()
    with django_assert_num_queries(SEARCH_QUERIES[tab]):
        client.get(f"{SEARCH}?tab={tab}")


# --- Dossier -----------------------------------------------------------------------------------


def test_dossier_tells_the_institutions_whole_way(client_as):
    case = make_case(CaseState.CLOSED)
    html = page(client_as(handler_of(case.referral)), dossier_url(case.institution))
    for label in ("检查表单提交", "发现问题", "移送", "接收移送", "立案", "作出处罚决定", "缴款", "结案"):
        assert f". {label}</p>" in html
    assert "第1行，一般，移送处罚" in html
    assert "警告并处罚款，金额 500 元" in html


def test_dossier_links_only_to_what_the_account_may_read(client_as):
    case = make_case()
    case_url = reverse("penalties:case", args=[case.pk])
    url = dossier_url(case.institution)
    assert case_url in page(client_as(handler_of(case.referral)), url)
    uninvolved = make_user(make_department("shichang"), Role.HANDLER)
    html = page(client_as(uninvolved), url)
    assert "立案" in html
    assert case_url not in html


def test_the_dossier_of_a_survivor_shows_what_happened_before_the_merge(client_as):
    case = make_case()
    temporary = case.institution
    survivor = make_institution(temporary.town, uscc=USCCS[0], name="取得信用代码的养老院")
    merge(temporary, survivor, actor=make_keeper())
    client = client_as(make_user(make_department("minzheng"), Role.HANDLER))
    html = page(client, dossier_url(survivor))
    assert f". 立案（临时登记 {temporary.temporary_number}）</p>" in html
    assert ". 并入临时登记</p>" in html
    assert "含并入的临时登记" in html
    assert [item["value"] for item in _stats_of(client, survivor)][:3] == [1, 1, 1]


def test_results_of_a_temporary_registration_are_found_under_the_survivor(client_as):
    case = make_case()
    survivor = make_institution(case.institution.town, uscc=USCCS[0], name="取得信用代码的养老院")
    merge(case.institution, survivor, actor=make_keeper())
    client = client_as(make_user(make_department("minzheng"), Role.HANDLER))
    for query in (f"institution={survivor.key}", "q=取得信用代码", f"q={USCCS[0]}"):
        assert case.number in page(client, f"{SEARCH}?tab=cases&{query}"), query


def test_an_old_dossiers_address_leads_to_the_survivors(client_as):
    temporary, survivor = make_institution(), make_institution(uscc=USCCS[0])
    merge(temporary, survivor, actor=make_keeper())
    response = client_as(make_user(make_department("shichang"))).get(dossier_url(temporary))
    assert response["Location"] == dossier_url(survivor)


def test_both_chains_of_a_merged_institution_are_verified(client_as):
    temporary, survivor = make_institution(), make_institution(uscc=USCCS[0])
    merge(temporary, survivor, actor=make_keeper())
    url = f"{dossier_url(survivor)}?verify=1"
    client = client_as(make_user(make_department("shichang")))
    assert "核验通过 2 条" in page(client, url)
    entry = Entry.objects.get(chain__subject=temporary.subject)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE ledger_entry DISABLE TRIGGER USER")
        cursor.execute("UPDATE ledger_entry SET kind = 'institution.forgotten' WHERE id = %s", [entry.pk])
        cursor.execute("ALTER TABLE ledger_entry ENABLE TRIGGER USER")
    assert "在第 1 条断开" in page(client, url)


def _stats_of(client, institution):
    return client.get(dossier_url(institution)).context["stats"]


def test_town_sees_its_own_institutions_dossier_and_no_other(client_as):
    institution = make_institution()
    elsewhere = make_department("zhen-anhai", make_town("安海镇"))
    here = make_department("zhen-yinglin", institution.town)
    assert client_as(make_user(here, Role.OFFICER)).get(dossier_url(institution)).status_code == 200
    assert client_as(make_user(elsewhere, Role.OFFICER)).get(dossier_url(institution)).status_code == 404


def test_dossier_counts_visits_open_problems_penalties_and_publications(client_as):
    case = make_case()
    response = client_as(handler_of(case.referral)).get(dossier_url(case.institution))
    assert [(stat["label"], stat["value"]) for stat in response.context["stats"]] == [
        ("检查", 1),
        ("未办结问题", 1),
        ("处罚案件", 1),
        ("自建系统备案", 0),
        ("已公示", 0),
    ]


def test_dossier_pages_a_long_chain_with_the_newest_first(client_as, django_assert_num_queries):
    institution = make_institution()
    for _ in range(25):
        append(institution.subject, "institution.changed", {}, actor="system")
    client = client_as(make_user(make_department("minzheng"), Role.HANDLER))
    assert "25. 登记信息变更" in page(client, dossier_url(institution))
    assert "1. 登记信息变更</p>" in page(client, f"{dossier_url(institution)}?page=2")


def test_dossier_shows_the_chain_of_the_joint_inspection(client_as):
    task = make_submitted()
    inspection = task.origins.get().joint_inspection
    append(inspection.subject, "inspection.approved", {}, actor="system")
    html = page(client_as(clerk_of(task)), f"{dossier_url(task.institution)}?tab=inspections")
    assert inspection.name in html
    assert "1. 审批通过" in html


def test_dossier_keeps_joint_inspections_from_who_has_no_part_in_them(client_as):
    task = make_submitted()
    inspection = task.origins.get().joint_inspection
    append(inspection.subject, "inspection.approved", {}, actor="system")
    outsider = make_user(make_department("shichang"), Role.HANDLER)
    url = f"{dossier_url(task.institution)}?tab=inspections&inspection={inspection.pk}"
    html = page(client_as(outsider), url)
    assert inspection.name not in html
    assert "审批通过" not in html


def test_verifying_says_how_many_entries_are_whole(client_as):
    institution = make_institution()
    for _ in range(3):
        append(institution.subject, "institution.changed", {}, actor="system")
    client = client_as(make_user(make_department("minzheng"), Role.HANDLER))
    assert "核验通过 3 条" in page(client, f"{dossier_url(institution)}?verify=1")
    assert "核验通过" not in page(client, dossier_url(institution))


def test_verifying_shows_where_a_tampered_chain_breaks(client_as):
    institution = make_institution()
    for _ in range(3):
        append(institution.subject, "institution.changed", {"changed": "beds"}, actor="system")
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE ledger_entry DISABLE TRIGGER USER")
        Entry.objects.filter(chain__subject=institution.subject, seq=2).update(payload={"changed": "name"})
        cursor.execute("ALTER TABLE ledger_entry ENABLE TRIGGER USER")
    client = client_as(make_user(make_department("minzheng"), Role.HANDLER))
    html = page(client, f"{dossier_url(institution)}?verify=1")
    assert "核验未通过" in html
    assert "在第 2 条断开：内容与摘要不符。" in html


def test_dossier_costs_the_same_queries_for_one_entry_and_for_three(client_as, django_assert_num_queries):
    institution = make_institution()
    client = client_as(make_user(make_department("minzheng"), Role.HANDLER))
    client.get(dossier_url(institution))
    append(institution.subject, "institution.changed", {}, actor="user:1")
    with django_assert_num_queries(DOSSIER_QUERIES):
        client.get(dossier_url(institution))
    append(institution.subject, "institution.changed", {}, actor="user:2")
    append(institution.subject, "institution.state_changed", {}, actor="user:1")
    with django_assert_num_queries(DOSSIER_QUERIES):
        client.get(dossier_url(institution))


# --- Publish and withdraw ----------------------------------------------------------------------


def test_lead_finds_what_is_due_with_its_deadline(client_as):
    task = make_submitted()
    html = page(client_as(clerk_of(task)), DISCLOSURES)
    assert task.institution.name in html
    assert services.task_due_on(task).isoformat() in html
    assert reverse("archive:publish_task", args=[task.pk]) in html


def test_participating_department_has_nothing_to_publish(client_as):
    task = make_submitted()
    html = page(client_as(make_user(make_department("xiaofang"), Role.HANDLER)), DISCLOSURES)
    assert task.institution.name not in html


def test_town_finds_its_decision_to_publish(client_as):
    case = make_case(CaseState.DECIDED)
    html = page(client_as(handler_of(case.referral)), f"{DISCLOSURES}?tab=cases")
    assert reverse("archive:publish_case", args=[case.pk]) in html


def test_overdue_filter_keeps_what_should_be_out_already(client_as):
    late, early = make_submitted(), make_submitted()
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE inspections_task DISABLE TRIGGER USER")
        Task.objects.filter(pk=late.pk).update(submitted_at=timezone.now() - timedelta(days=90))
        cursor.execute("ALTER TABLE inspections_task ENABLE TRIGGER USER")
    html = page(client_as(clerk_of(late)), f"{DISCLOSURES}?overdue=on")
    assert late.institution.name in html
    assert early.institution.name not in html


def test_preview_shows_what_a_stranger_will_read_and_publishing_does_it(client_as, client):
    task = make_submitted(with_problem=True)
    clerk = client_as(clerk_of(task))
    url = reverse("archive:publish_task", args=[task.pk])
    html = page(clerk, url)
    assert "消防检查" in html
    assert "二楼疏散通道堆放杂物" not in html
    assert clerk.post(url).status_code == 302
    disclosure = Disclosure.objects.get(task=task)
    assert "消防检查" in page(client, reverse("archive:public_detail", args=[disclosure.pk]))
    assert f"已公示“{task.institution.name}检查结果”。" in page(clerk, DISCLOSURES)
    assert task.institution.name not in page(clerk, DISCLOSURES)


def test_preview_of_an_unserved_penalty_says_so(client_as):
    case = make_case(CaseState.DECIDED)
    html = page(client_as(handler_of(case.referral)), reverse("archive:publish_case", args=[case.pk]))
    assert "本案决定书尚未登记送达" in html


def test_published_result_leads_from_its_preview_to_the_public_page(client_as):
    disclosure = make_disclosure()
    url = reverse("archive:publish_task", args=[disclosure.task_id])
    response = client_as(clerk_of(disclosure.task)).get(url)
    assert response.url == reverse("archive:public_detail", args=[disclosure.pk])


def test_who_does_not_lead_is_refused_and_who_does_not_see_finds_nothing(client_as):
    task = make_submitted()
    url = reverse("archive:publish_task", args=[task.pk])
    assert client_as(make_user(make_department("xiaofang"), Role.HANDLER)).post(url).status_code == 403
    assert client_as(make_user(make_department("shichang"), Role.HANDLER)).post(url).status_code == 404
    assert client_as(make_user(lead_of(task), Role.OFFICER)).get(url).status_code == 403


def test_only_the_town_publishes_its_penalty(client_as):
    case = make_case(CaseState.DECIDED)
    url = reverse("archive:publish_case", args=[case.pk])
    sender = make_user(case.referral.from_department, Role.HANDLER)
    elsewhere = make_department("zhen-anhai", make_town("安海镇"))
    assert client_as(sender).post(url).status_code == 403
    assert client_as(make_user(elsewhere, Role.HANDLER)).post(url).status_code == 404


def test_withdrawing_asks_for_a_reason_and_only_the_publisher(client_as):
    disclosure = make_disclosure()
    url = reverse("archive:withdraw", args=[disclosure.pk])
    clerk = client_as(clerk_of(disclosure.task))
    other = client_as(make_user(make_department("xiaofang"), Role.HANDLER))
    assert other.post(url, {"reason": "x"}).status_code == 403
    assert clerk.get(url).status_code == 405
    clerk.post(url, {"reason": ""})
    disclosure.refresh_from_db()
    assert disclosure.state == "PUBLISHED"
    clerk.post(url, {"reason": "检查日期有误"})
    disclosure.refresh_from_db()
    assert disclosure.state == "WITHDRAWN"
    assert "检查日期有误" in page(clerk, f"{DISCLOSURES}?tab=withdrawn")


@pytest.mark.parametrize("tab", ["visits", "cases", "published"])
def test_publications_cost_the_same_queries_for_one_row_and_for_three(
    client_as, django_assert_num_queries, tab
):
    make = {
        "visits": make_submitted,
        "cases": lambda: make_case(CaseState.DECIDED),
        "published": make_disclosure,
    }[tab]
    made = make()
    user = handler_of(made.referral) if tab == "cases" else make_user(make_department("minzheng"))
    client = client_as(user)
    client.get(DISCLOSURES)
    with django_assert_num_queries(DISCLOSURE_QUERIES[tab]):
        client.get(f"{DISCLOSURES}?tab={tab}")
    make()
    make()
    with django_assert_num_queries(DISCLOSURE_QUERIES[tab]):
        client.get(f"{DISCLOSURES}?tab={tab}")


# --- The public --------------------------------------------------------------------------------


def test_stranger_reads_the_list_without_an_account(client):
    disclosure = make_disclosure()
    html = page(client, PUBLIC)
    assert disclosure.title in html
    assert disclosure.due_on.isoformat() in html
    assert "sessionid" not in client.cookies


def test_stranger_reads_no_unpublished_result(client):
    task = make_submitted()
    assert task.institution.name not in page(client, PUBLIC)


@pytest.mark.parametrize("make", [make_disclosure, make_case_disclosure])
def test_public_page_holds_no_phone_and_no_name(client, make):
    institution = make_institution(
        contact_name="洪联系", contact_phone="13905951234", legal_representative="蔡法人"
    )
    if make is make_disclosure:
        disclosure = make(with_problem=True, institution=institution)
    else:
        disclosure = make(referral=_taken_up(make_town_referral(institution=institution)))
    html = page(client, reverse("archive:public_detail", args=[disclosure.pk]))
    hidden = ("洪联系", "13905951234", "蔡法人", "陈测试", "庄镇办", "堆放杂物", disclosure.published_by.name)
    assert [word for word in hidden if word in html] == []


def test_withdrawn_result_leaves_a_stub_without_its_content(client):
    disclosure = make_disclosure(with_problem=True)
    services.withdraw(disclosure, reason="检查日期有误", actor=clerk_of(disclosure.task))
    listed = page(client, PUBLIC)
    assert "已撤回" in listed
    assert "检查日期有误" in listed
    html = page(client, reverse("archive:public_detail", args=[disclosure.pk]))
    assert "原因：检查日期有误" in html
    assert "消防检查" not in html


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("q=嘉颐", True),
        ("q=康乐", False),
        ("since=2020-01-01", True),
        ("until=2020-01-01", False),
        ("until=9999-12-31", True),
    ],
)
def test_stranger_searches_by_name_and_date(client, query, found):
    make_disclosure(institution=make_institution(name="晋江市嘉颐养老院"))
    assert ("晋江市嘉颐养老院" in page(client, f"{PUBLIC}?{query}")) is found


def test_stranger_searches_by_town(client):
    disclosure = make_disclosure()
    elsewhere = make_town("安海镇")
    assert disclosure.title in page(client, f"{PUBLIC}?town={disclosure.institution.town_id}")
    assert disclosure.title not in page(client, f"{PUBLIC}?town={elsewhere.pk}")


def test_unknown_publication_is_not_found(client):
    assert client.get(f"{PUBLIC}999/").status_code == 404


def test_public_list_costs_the_same_queries_for_one_row_and_for_three(client, django_assert_num_queries):
    make_disclosure()
    with django_assert_num_queries(PUBLIC_QUERIES):
        client.get(PUBLIC)
    make_disclosure()
    make_disclosure()
    with django_assert_num_queries(PUBLIC_QUERIES):
        client.get(PUBLIC)


def _taken_up(referral):
    return referrals.take_up(referral, actor=handler_of(referral))
