from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart

from departments.models import Officer
from inspections.enums import AnswerValue
from inspections.models import Answer, Finding, Photo, TaskItem
from tests.factories.departments import make_department, make_officer, make_town, make_user
from tests.factories.scenarios import Row, make_version
from tests.factories.tasks import (
    answer_all,
    answer_item,
    item_of,
    make_task,
    officer_of,
    photo_upload,
    problem,
    sign_all,
    submit_task,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def item():
    """The fire item (rows 5, 6 and 7 of ROWS) on a fresh form."""
    return item_of(make_task())


@pytest.fixture
def phone(item, client_as):
    """The phone of the fire department's first officer."""
    return client_as(officer_of(item.task).user)


def put_answer(phone, line, *, answer_id=None, **body):
    sent = {"item": line.pk, "base_rev": 0, "value": "COMPLIANT", "note": "", "findings": []} | body
    address = f"/api/tasks/{line.task_id}/answers/{answer_id or uuid4()}"
    return phone.put(address, sent, content_type="application/json")


def put_photo(phone, item, *, photo_id=None, upload=None, **body):
    sent = {"item": item.pk, "file": upload or photo_upload()} | body
    address = f"/api/tasks/{item.task_id}/photos/{photo_id or uuid4()}"
    return phone.put(address, encode_multipart(BOUNDARY, sent), content_type=MULTIPART_CONTENT)


def test_an_answer_is_kept_and_says_its_revision(phone, item):
    answer = put_answer(phone, item, note="通道畅通")
    assert (answer.status_code, answer.json()) == (200, {"item": item.pk, "rev": 1, "value": "COMPLIANT"})
    item.refresh_from_db()
    assert (item.value, item.note) == (AnswerValue.COMPLIANT, "通道畅通")


def test_a_replay_answers_what_it_answered_first(phone, item):
    answer_id = uuid4()
    first = put_answer(phone, item, answer_id=answer_id)
    answer_item(item, AnswerValue.NOT_APPLICABLE)
    again = put_answer(phone, item, answer_id=answer_id)
    assert (again.status_code, again.json()) == (200, first.json())
    assert Answer.objects.count() == 2


def test_a_stale_answer_is_409_with_the_item_as_it_stands(phone, item):
    answer_item(item, AnswerValue.NOT_APPLICABLE, note="停用")
    answer = put_answer(phone, item)
    assert (answer.status_code, answer.json()["code"]) == (409, "stale")
    current = answer.json()["current"]
    assert (current["item"], current["rev"], current["value"], current["label"], current["note"]) == (
        item.pk,
        1,
        "NOT_APPLICABLE",
        "不适用",
        "停用",
    )


def test_findings_are_kept_and_read_back(phone, item):
    row = item.item.rows.get(number="5")
    assert put_answer(phone, item, value="NON_COMPLIANT", findings=[problem(row)]).status_code == 200
    state = phone.get(f"/api/tasks/{item.task_id}").json()
    assert next(line for line in state["items"] if line["item"] == item.pk)["findings"] == [problem(row)]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"value": "NON_COMPLIANT"}, "findings"),
        ({"value": "MAYBE"}, "value"),
        ({"base_rev": "first"}, "base_rev"),
        ({"base_rev": -1}, "base_rev"),
        ({"item": 10**30}, "item"),
        ({"item": 999_999_999}, "item"),
        ({"note": "坏\x00字"}, "note"),
        ({"note": None}, "note"),
        ({"value": "NON_COMPLIANT", "findings": [{"row": 1}]}, "findings.0.severity"),
        ({"value": "NON_COMPLIANT", "findings": ["24"]}, "findings.0.non_field_errors"),
    ],
)
def test_a_body_that_is_wrong_is_400_naming_the_field(phone, item, body, field):
    answer = put_answer(phone, item, **body)
    assert answer.status_code == 400
    assert field in answer.json()["fields"]
    assert Answer.objects.count() == 0


def test_a_body_that_is_no_json_is_400(phone, item):
    address = f"/api/tasks/{item.task_id}/answers/{uuid4()}"
    assert phone.put(address, "{", content_type="application/json").status_code == 400


def test_an_item_of_another_form_is_400(phone, item):
    other = item_of(make_task(version=make_version([Row("另查", "xiaofang", "另罚", "xiaofang")])))
    answer = put_answer(phone, item, item=other.pk)
    assert (answer.status_code, list(answer.json()["fields"])) == (400, ["item"])


def test_another_departments_item_is_403(item, client_as):
    answer = put_answer(client_as(officer_of(item.task, "ziran").user), item)
    assert (answer.status_code, answer.json()["detail"]) == (403, "该事项由市消防救援大队填写，您只能查看。")


def test_a_colleague_who_was_not_sent_is_403(item, client_as):
    assert put_answer(client_as(make_officer(make_department("xiaofang")).user), item).status_code == 403


def test_an_expired_certificate_is_403(phone, item):
    Officer.objects.filter(pk=officer_of(item.task).pk).update(
        certified_from="2020-01-01", certified_until="2024-01-31"
    )
    assert put_answer(phone, item).status_code == 403
    assert put_photo(phone, item).status_code == 403


def test_who_does_not_see_the_visit_gets_404(item, client_as):
    stranger = client_as(make_user(make_department("anhai", make_town("安海镇"))))
    assert put_answer(stranger, item).status_code == 404
    assert put_photo(stranger, item).status_code == 404
    assert stranger.get(f"/api/tasks/{item.task_id}").status_code == 404


def test_without_login_it_is_401_as_json(client, item):
    answer = put_answer(client, item)
    assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")


def test_without_the_csrf_token_it_is_403(item):
    phone = Client(enforce_csrf_checks=True)
    phone.force_login(officer_of(item.task).user, backend="django.contrib.auth.backends.ModelBackend")
    assert put_answer(phone, item).status_code == 403
    assert put_photo(phone, item).status_code == 403
    assert Answer.objects.count() == 0


def test_a_submitted_form_is_409(phone, item):
    submit_task(item.task)
    answer = put_answer(phone, item, base_rev=1)
    assert (answer.status_code, answer.json()["code"]) == (409, "closed")


def test_a_photo_is_201_and_200_when_it_comes_again(phone, item):
    photo_id = uuid4()
    first, again = (put_photo(phone, item, photo_id=photo_id) for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert first.json()["url"] == f"/tasks/photos/{photo_id}"


@pytest.mark.parametrize(
    "upload",
    [
        SimpleUploadedFile("a.jpg", b"not a picture"),
        SimpleUploadedFile("a.jpg", photo_upload().read()[:-60]),
        SimpleUploadedFile("a.jpg", b""),
    ],
    ids=["no image", "cut short", "empty"],
)
def test_what_is_no_photo_is_400_naming_the_file(phone, item, upload):
    upload.seek(0)
    answer = put_photo(phone, item, upload=upload)
    assert answer.status_code == 400
    assert "“a.jpg”" in answer.json()["detail"]
    assert Photo.objects.count() == 0


def test_a_photo_that_is_too_large_is_400(phone, item, settings):
    settings.UPLOAD_MAX_BYTES = 100
    answer = put_photo(phone, item)
    assert (answer.status_code, "超过上限" in answer.json()["detail"]) == (400, True)


def test_a_photo_without_a_file_is_400(phone, item):
    address = f"/api/tasks/{item.task_id}/photos/{uuid4()}"
    sent = encode_multipart(BOUNDARY, {"item": item.pk})
    answer = phone.put(address, sent, content_type=MULTIPART_CONTENT)
    assert (answer.status_code, list(answer.json()["fields"])) == (400, ["file"])


def test_a_photo_id_of_another_picture_is_409(phone, item):
    photo_id = uuid4()
    put_photo(phone, item, photo_id=photo_id)
    answer = put_photo(phone, item, photo_id=photo_id, upload=photo_upload(colour="red"))
    assert (answer.status_code, answer.json()["code"]) == (409, "photo_id_reused")


def test_a_photo_is_taken_off_and_twice_is_the_same(phone, item):
    photo_id = uuid4()
    put_photo(phone, item, photo_id=photo_id)
    address = f"/api/tasks/{item.task_id}/photos/{photo_id}"
    assert [phone.delete(address).status_code for _ in range(2)] == [204, 204]
    assert phone.get(f"/tasks/photos/{photo_id}").status_code == 404


def test_a_photo_of_another_form_is_not_found_here(phone, item):
    photo_id = uuid4()
    put_photo(phone, item, photo_id=photo_id)
    other = make_task(inspection=item.task.origins.get().joint_inspection)
    assert phone.delete(f"/api/tasks/{other.pk}/photos/{photo_id}").status_code == 404


def test_the_state_names_departments_items_and_signatures(phone, item):
    state = phone.get(f"/api/tasks/{item.task_id}").json()
    assert (state["state"], state["label"], state["signatures"]) == ("ASSIGNED", "待检查", 0)
    assert [(part["name"], part["done"], part["total"]) for part in state["departments"]] == [
        ("市民政局", 0, 2),
        ("市市场监管局", 0, 1),
        ("市自然资源局", 0, 1),
        ("市消防救援大队", 0, 1),
    ]
    assert [line["item"] for line in state["items"] if line["writable"]] == [item.pk]


@pytest.mark.parametrize(
    "change",
    [
        lambda phone, item: put_answer(phone, item, base_rev=1, value="NOT_APPLICABLE"),
        lambda phone, item: put_photo(phone, item),
        lambda phone, item: phone.delete(f"/api/tasks/{item.task_id}/photos/{Photo.objects.get().pk}"),
        lambda phone, item: sign_all(item.task),
    ],
    ids=["an answer", "a photo", "a photo taken off", "signatures"],
)
def test_the_state_is_304_until_something_changes(phone, item, change):
    answer_all(item.task)
    put_photo(phone, item)
    address = f"/api/tasks/{item.task_id}"
    etag = phone.get(address)["ETag"]
    assert phone.get(address, headers={"If-None-Match": etag}).status_code == 304
    change(phone, item)
    assert phone.get(address, headers={"If-None-Match": etag}).status_code == 200


@pytest.mark.parametrize("rows", [1, 3])
def test_the_state_costs_the_same_queries_whatever_the_forms_size(rows, client_as, django_assert_num_queries):
    version = make_version([Row(f"第{n}项检查", "xiaofang", f"第{n}项处罚", "FIRE") for n in range(rows)])
    task = make_task(version=version)
    for item in task.items.all():
        answer_item(item, AnswerValue.NON_COMPLIANT, [problem(item.item.rows.get())])
    phone = client_as(officer_of(task).user)
    with django_assert_num_queries(14):
        assert phone.get(f"/api/tasks/{task.pk}").status_code == 200


def test_pending_findings_are_nobody_elses_business(phone, item, client_as):
    row = item.item.rows.get(number="5")
    put_answer(phone, item, value="NON_COMPLIANT", findings=[problem(row)])
    finding = Finding.objects.get()
    assert phone.get(f"/findings/{finding.pk}/").status_code == 404
    assert TaskItem.objects.get(pk=item.pk).value == AnswerValue.NON_COMPLIANT
