from datetime import timedelta

import pytest
from django.utils import timezone

from departments.enums import Role
from inspections.enums import Disposition, FindingState, RectificationState
from inspections.models import Finding
from inspections.services.rectifications import recheck
from inspections.services.referrals import return_referral
from tests.factories.departments import make_department, make_town, make_user
from tests.factories.tasks import (
    answer_item,
    item_of,
    make_rectification,
    make_referral,
    make_task,
    officer_of,
    problem,
    submit_task,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def task():
    return make_task()


@pytest.fixture
def phone(task, client_as):
    """The phone of the fire department's first officer."""
    return client_as(officer_of(task).user)


def text(response):
    return response.content.decode()


def test_the_list_of_problems_leaves_out_what_is_still_being_written(task, phone):
    answer_item(item_of(task), "NON_COMPLIANT", [problem(item_of(task).item.rows.get(number="5"))])
    assert list(phone.get("/findings/").context["listing"]) == []


def test_problems_are_filtered(task, client_as):
    rows = {row.number: row for row in task.origins.get().joint_inspection.versions.get().rows.all()}
    submit_task(
        task,
        problem(rows["1"], Disposition.CORRECTED, fact="证书已补"),
        problem(rows["5"], Disposition.RECTIFICATION, severity="MAJOR"),
    )
    clerk = client_as(make_user(make_department("minzheng")))
    found = {
        query: sorted(f.row.number for f in clerk.get(f"/findings/?{query}").context["listing"])
        for query in (
            "state=CORRECTED",
            "severity=MAJOR",
            "disposition=RECTIFICATION",
            "department=minzheng",
            "q=证书已补",
            "q=疏散通道的处罚",
            "town=000",
        )
    }
    assert list(found.values()) == [["1"], ["5"], ["5"], ["1"], ["1"], ["5"], ["1", "5"]]


def test_a_town_reads_a_problem_but_not_the_visit(client_as):
    referral = make_referral()
    officer = client_as(make_user(referral.to_department, Role.OFFICER))
    page = text(officer.get(f"/findings/{referral.finding_id}/"))
    assert "二楼疏散通道堆放杂物" in page
    assert "查看检查表单" not in page
    stranger = client_as(make_user(make_department("anhai", make_town("安海镇"))))
    assert stranger.get(f"/findings/{referral.finding_id}/").status_code == 404


def test_the_ordering_department_records_a_recheck(client_as):
    rectification = make_rectification()
    clerk = client_as(make_user(rectification.department))
    form = {"accepted": "yes", "result": "通道已清空", "checked_on": timezone.localdate()}
    done = clerk.post(f"/rectifications/{rectification.pk}/recheck/", form)
    assert (done.status_code, done.url) == (302, f"/findings/{rectification.finding_id}/")
    rectification.refresh_from_db()
    assert rectification.state == RectificationState.ACCEPTED


def test_a_recheck_without_a_result_is_422_on_the_problems_page(client_as):
    rectification = make_rectification()
    clerk = client_as(make_user(rectification.department))
    page = clerk.post(f"/rectifications/{rectification.pk}/recheck/", {"accepted": "no", "checked_on": "x"})
    assert page.status_code == 422
    assert "请写明复查看到的情况。" in text(page)


def test_the_new_day_is_set_or_refused_with_the_reason(client_as):
    rectification = make_rectification()
    clerk = client_as(make_user(rectification.department))
    address = f"/rectifications/{rectification.pk}/extend/"
    refused = clerk.post(address, {"due_on": rectification.due_on})
    assert (refused.status_code, f"应晚于 {rectification.due_on}。" in text(refused)) == (422, True)
    assert clerk.post(address, {"due_on": rectification.due_on + timedelta(days=3)}).status_code == 302


def test_another_department_that_sees_the_problem_gets_403(client_as):
    rectification = make_rectification()
    other = client_as(make_user(make_department("minzheng")))
    page = text(other.get(f"/findings/{rectification.finding_id}/"))
    assert "登记复查" not in page
    assert (
        other.post(
            f"/rectifications/{rectification.pk}/recheck/",
            {"accepted": "yes", "result": "好", "checked_on": timezone.localdate()},
        ).status_code
        == 403
    )
    assert other.post(f"/findings/{rectification.finding_id}/send-on/").status_code == 403


def test_who_does_not_see_the_problem_gets_404(client_as):
    rectification = make_rectification()
    stranger = client_as(make_user(make_department("anhai", make_town("安海镇"))))
    assert stranger.post(f"/rectifications/{rectification.pk}/recheck/").status_code == 404
    assert stranger.post(f"/rectifications/{rectification.pk}/extend/").status_code == 404
    assert stranger.post(f"/findings/{rectification.finding_id}/send-on/").status_code == 404


def test_a_returned_problem_is_sent_on_from_its_page(client_as):
    referral = make_referral()
    return_referral(referral, reason="不属本镇", actor=make_user(referral.to_department))
    clerk = client_as(make_user(referral.from_department))
    address = f"/findings/{referral.finding_id}/"
    assert "按事项矩阵和赋权，应移送英林镇" in text(clerk.get(address))
    assert clerk.post(f"{address}send-on/", {"to_department": ""}).status_code == 302
    assert Finding.objects.get().state == FindingState.REFERRED


def test_a_problem_that_cannot_be_sent_on_says_why(client_as):
    referral = make_referral()
    clerk = client_as(make_user(referral.from_department))
    page = clerk.post(f"/findings/{referral.finding_id}/send-on/", {})
    assert (page.status_code, "问题已移送，不能移送" in text(page)) == (422, True)


def test_a_failed_rectification_may_be_ordered_anew_or_sent_on(client_as):
    rectification = make_rectification()
    user = make_user(rectification.department)
    recheck(rectification, accepted=False, result="仍堆放", checked_on=timezone.localdate(), actor=user)
    page = text(client_as(user).get(f"/findings/{rectification.finding_id}/"))
    assert "重新责令整改" in page
    assert "send-on" in page
    assert "登记复查" not in page


@pytest.mark.parametrize("numbers", [["5"], ["5", "6", "7"]])
def test_the_list_of_problems_costs_the_same_queries_for_one_and_for_three(
    numbers, task, client_as, django_assert_num_queries
):
    rows = item_of(task).item.rows.filter(number__in=numbers)
    submit_task(task, *(problem(row) for row in rows))
    clerk = client_as(make_user(make_department("minzheng")))
    with django_assert_num_queries(12):
        assert len(list(clerk.get("/findings/").context["listing"])) == len(numbers)
