import base64
from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from departments.models import Officer
from inspections.enums import TaskState
from inspections.models import Finding, Referral, Task
from inspections.services.photos import attach_photo
from inspections.services.signatures import answers_digest
from tests.factories.departments import make_department, make_officer, make_town, make_user
from tests.factories.institutions import make_institution
from tests.factories.scenarios import make_version
from tests.factories.tasks import (
    answer_all,
    answer_item,
    item_of,
    make_running_inspection,
    make_task,
    officer_of,
    photo_upload,
    png,
    problem,
    sign_all,
    submit_task,
)

pytestmark = pytest.mark.django_db

PAD = "data:image/png;base64," + base64.b64encode(png()).decode()


@pytest.fixture
def task():
    return make_task()


@pytest.fixture
def phone(task, client_as):
    """The phone of the fire department's first officer."""
    return client_as(officer_of(task).user)


def text(response):
    return response.content.decode()


# --- The list -------------------------------------------------------------------------


def names(response):
    return [task.institution.name for task in response.context["listing"]]


def test_an_officer_sees_the_visits_they_are_sent_to(client_as):
    version = make_version()
    inspection = make_running_inspection(version)
    mine, _ = (make_task(inspection=inspection, version=version) for _ in range(2))
    assert names(client_as(officer_of(mine).user).get("/tasks/")) == [mine.institution.name]


def test_a_clerk_sees_all_visits_of_the_departments_inspections(client_as):
    version = make_version()
    inspection = make_running_inspection(version)
    tasks = [make_task(inspection=inspection, version=version) for _ in range(2)]
    clerk = client_as(make_user(make_department("xiaofang")))
    assert sorted(names(clerk.get("/tasks/"))) == sorted(task.institution.name for task in tasks)


def test_a_town_sees_no_visits(task, client_as):
    assert names(client_as(make_user(make_department("anhai", make_town("安海镇")))).get("/tasks/")) == []


def test_filters_narrow_the_list(client_as):
    version = make_version()
    inspection = make_running_inspection(version)
    anhai = make_institution(make_town("安海镇"), name="安海敬老院", uscc="91350582MA0000000X")
    late = make_task(
        inspection=inspection,
        version=version,
        institution=anhai,
        window_from=timezone.localdate() - timedelta(days=9),
        window_until=timezone.localdate() - timedelta(days=1),
    )
    running = make_task(inspection=inspection, version=version, state=TaskState.UNDER_WAY)
    clerk = client_as(make_user(make_department("minzheng")))
    found = {
        query: names(clerk.get(f"/tasks/?{query}"))
        for query in (
            "q=安海敬",
            "q=MA0000000X",
            "due=late",
            f"town={anhai.town.code}",
            "state=UNDER_WAY",
            "due=later",
            f"inspection={inspection.pk}&state=ASSIGNED",
            "inspection=99999",
        )
    }
    assert list(found.values()) == [
        [late.institution.name],
        [late.institution.name],
        [late.institution.name],
        [late.institution.name],
        [running.institution.name],
        [running.institution.name],
        [late.institution.name],
        [],
    ]


def test_a_wild_query_shows_the_list_all_the_same(phone):
    for query in ("inspection=abc", "state=NOPE", "sort=nope", "page=999", "due=x"):
        assert phone.get(f"/tasks/?{query}").status_code == 200


def test_the_list_names_the_joint_inspection_it_is_narrowed_to(task, phone):
    inspection = task.origins.get().joint_inspection
    assert inspection.number in text(phone.get(f"/tasks/?inspection={inspection.pk}"))


@pytest.mark.parametrize("count", [1, 3])
def test_the_list_costs_the_same_queries_for_one_visit_and_for_three(
    count, client_as, django_assert_num_queries
):
    version = make_version()
    inspection = make_running_inspection(version)
    for _ in range(count):
        make_task(inspection=inspection, version=version)
    clerk = client_as(make_user(make_department("minzheng")))
    with django_assert_num_queries(13):
        assert len(names(clerk.get("/tasks/"))) == count


# --- The one form ----------------------------------------------------------------------


def test_only_the_own_departments_items_can_be_written(task, phone):
    page = phone.get(f"/tasks/{task.pk}/")
    writable = [line.item.pk for line in page.context["sheet"].lines if line.is_writable]
    assert writable == [item_of(task).pk]
    assert text(page).count("data-writable") == 1
    assert text(page).count('type="radio"') == 3 + 3 * (2 + 3)


def test_a_colleague_who_was_not_sent_only_reads(task, client_as):
    page = client_as(make_officer(make_department("xiaofang")).user).get(f"/tasks/{task.pk}/")
    assert page.status_code == 200
    assert "data-writable" not in text(page)
    assert "您不是这次检查的执法人员，只能查看" in text(page)


def test_an_officer_with_an_expired_certificate_only_reads(task, phone):
    Officer.objects.filter(pk=officer_of(task).pk).update(
        certified_from="2020-01-01", certified_until="2024-01-31"
    )
    assert "data-writable" not in text(phone.get(f"/tasks/{task.pk}/"))


def test_the_form_of_an_unseen_inspection_is_404(task, client_as):
    stranger = client_as(make_user(make_department("anhai", make_town("安海镇"))))
    for address in ("", "sign/", f"items/{item_of(task).pk}/"):
        assert stranger.get(f"/tasks/{task.pk}/{address}").status_code == 404


def test_the_form_says_where_a_referral_would_go(task, phone):
    page = text(phone.get(f"/tasks/{task.pk}/"))
    assert page.count("英林镇未承接该项处罚权，已退回检查部门市消防救援大队处理。") == 2
    assert "提交后移送<strong>市消防救援大队</strong>" in page


def test_one_item_is_read_alone(task, phone):
    item = item_of(task)
    page = text(phone.get(f"/tasks/{task.pk}/items/{item.pk}/"))
    assert page.count("<form") == 1
    assert f'data-item="{item.pk}"' in page
    assert phone.get(f"/tasks/{task.pk}/items/999999/").status_code == 404


def test_after_submit_the_form_is_read_only_with_its_problems_and_routes(task, phone):
    submit_task(task, problem(item_of(task).item.rows.get(number="7")))
    page = text(phone.get(f"/tasks/{task.pk}/"))
    assert "data-writable" not in page
    assert "表单已提交，不能再修改" in page
    assert "移送市消防救援大队 · 待接收" in page
    assert f"/findings/{Finding.objects.get().pk}/" in page


@pytest.mark.parametrize("numbers", [["5"], ["5", "6", "7"]])
def test_the_form_costs_the_same_queries_for_one_problem_and_for_three(
    numbers, task, phone, django_assert_num_queries
):
    item = item_of(task)
    rows = item.item.rows.filter(number__in=numbers)
    answer_item(item, "NON_COMPLIANT", [problem(row) for row in rows])
    with django_assert_num_queries(18):
        phone.get(f"/tasks/{task.pk}/")


# --- Signatures and submit ----------------------------------------------------------------


def post_signature(phone, task, key, **fields):
    seen = answers_digest(task)
    return phone.post(f"/tasks/{task.pk}/sign/", {"signer": key, "seen": seen, "image": PAD, **fields})


def test_no_pad_is_offered_while_items_are_unanswered(task, phone):
    page = text(phone.get(f"/tasks/{task.pk}/sign/"))
    assert "<canvas" not in page
    assert "市民政局还有 2 项未填写" in page


def test_officers_sign_one_after_another_then_the_institution(task, phone):
    answer_all(task)
    asked = []
    while (signer := phone.get(f"/tasks/{task.pk}/sign/").context["signer"]) is not None:
        asked.append(signer["key"])
        assert post_signature(phone, task, signer["key"], signer_name="林代表").status_code == 302
    sent = task.officers.order_by("department__order", "pk").values_list("officer", flat=True)
    assert asked == [*map(str, sent), "institution"]


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"image": ""}, "还没有签名，请在框内签名。"),
        ({"image": "data:text/html,x"}, "签名图片无法识别，请重新签名。"),
        ({"image": "data:image/png;base64,%%%"}, "签名图片无法识别，请重新签名。"),
        ({"signer": "institution", "signer_name": ""}, "请填写机构代表姓名。"),
        ({"signer": "999999"}, "请选择本次检查的执法人员。"),
        ({"seen": "0" * 64}, "表单内容刚有变更，请重新核对后签名。"),
    ],
)
def test_an_unusable_signature_is_422_and_says_why(task, phone, fields, says):
    answer_all(task)
    page = post_signature(phone, task, str(officer_of(task).pk), **fields)
    assert (page.status_code, says in text(page)) == (422, True)
    assert not task.signatures.exists()


def test_who_only_reads_may_not_sign(task, client_as):
    answer_all(task)
    clerk = client_as(make_user(make_department("xiaofang")))
    assert "<canvas" not in text(clerk.get(f"/tasks/{task.pk}/sign/"))
    assert post_signature(clerk, task, str(officer_of(task).pk)).status_code == 403


def test_submit_leads_back_to_the_frozen_form(task, phone):
    answer_all(task)
    sign_all(task)
    done = phone.post(f"/tasks/{task.pk}/submit/", follow=True)
    assert done.redirect_chain == [(f"/tasks/{task.pk}/", 302)]
    assert f"“{task.institution.name}”的检查表单已提交。" in text(done)
    assert Task.objects.get(pk=task.pk).state == TaskState.SUBMITTED


def test_submit_too_early_says_what_is_missing(task, phone):
    answer_all(task)
    done = phone.post(f"/tasks/{task.pk}/submit/", follow=True)
    assert done.redirect_chain == [(f"/tasks/{task.pk}/sign/", 302)]
    assert "市消防救援大队还差 2 名执法人员签名" in text(done)


def test_submit_is_for_officers_who_were_sent_and_never_by_get(task, phone, client_as):
    assert phone.get(f"/tasks/{task.pk}/submit/").status_code == 405
    outsider = client_as(make_officer(make_department("xiaofang")).user)
    assert outsider.post(f"/tasks/{task.pk}/submit/").status_code == 403
    clerk = client_as(make_user(make_department("xiaofang")))
    assert clerk.post(f"/tasks/{task.pk}/submit/").status_code == 403


def fetch(client, address):
    """The status of a picture's address, read to its end."""
    response = client.get(address)
    if response.streaming:
        assert b"".join(response.streaming_content)
    return response.status_code


# --- Pictures -----------------------------------------------------------------------------


def test_a_photo_is_shown_to_who_sees_the_visit_and_to_the_town_once_referred(client_as):
    task = make_task()
    kept = attach_photo(item_of(task), photo_id=uuid4(), upload=photo_upload(), actor=officer_of(task).user)
    town = make_department("yinglin", task.institution.town)
    clerk, officer = client_as(make_user(make_department("ziran"))), client_as(make_user(town))
    address = f"/tasks/photos/{kept.pk}"
    assert (fetch(clerk, address), fetch(officer, address)) == (200, 404)
    submit_task(task, problem(item_of(task).item.rows.get(number="7")))
    Referral.objects.update(to_department=town)
    assert fetch(officer, address) == 200


def test_a_signature_is_shown_only_to_who_sees_the_visit(task, phone, client_as):
    answer_all(task)
    sign_all(task)
    address = f"/tasks/signatures/{task.signatures.first().pk}"
    stranger = client_as(make_user(make_department("anhai", make_town("安海镇"))))
    assert (fetch(phone, address), fetch(stranger, address)) == (200, 404)
