from datetime import timedelta
from uuid import uuid4

import pytest
from django.core.exceptions import PermissionDenied
from django.db import DatabaseError, transaction
from django.utils import timezone

from core.digests import default_algorithm, digest_text
from core.errors import DomainError
from core.workdays import add_workdays
from departments.models import Notification, Officer
from inspections.enums import (
    Disposition,
    Event,
    FindingState,
    InspectionState,
    RectificationState,
    ReferralRoute,
    ReferralState,
    SignerKind,
    TaskState,
)
from inspections.models import Finding, Rectification, Referral, Signature, TaskItem
from inspections.services import visits
from inspections.services.photos import attach_photo
from inspections.services.submitting import obstacles, submit
from ledger import services as ledger
from scenarios.models import ScenarioVersion
from tests.factories.departments import make_department, make_town, make_user
from tests.factories.institutions import make_institution
from tests.factories.scenarios import ROWS, Row, delegate_all, make_version
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
def town():
    town = make_town("英林镇")
    make_department("yinglin", town)
    return town


@pytest.fixture
def task(town):
    return make_task(institution=make_institution(town), version=make_version(ROWS))


def rows_of(task):
    return {
        row.number: row
        for row in ScenarioVersion.objects.get(joint_inspections__origins__task=task).rows.all()
    }


def submit_as(task, department="xiaofang"):
    return submit(task, actor=officer_of(task, department).user)


def test_a_complete_form_is_frozen_with_its_digest(task):
    answer_all(task)
    sign_all(task)
    digest = visits.answers_digest(task)
    officer = officer_of(task)
    done = submit(task, actor=officer.user)
    assert (done.state, done.submitted_by, done.answers_digest) == (TaskState.SUBMITTED, officer.user, digest)
    assert done.digest_algorithm == default_algorithm()


def test_unanswered_items_are_named_by_department(task):
    answer_item(item_of(task))
    with pytest.raises(DomainError) as refusal:
        submit_as(task)
    assert refusal.value.message == (
        "还不能提交：市民政局还有 2 项未填写；市市场监管局还有 1 项未填写；市自然资源局还有 1 项未填写。"
    )


def test_missing_signatures_are_named_by_department(task):
    answer_all(task)
    sign_all(task)
    task.signatures.filter(officer=officer_of(task, "ziran")).delete()
    task.signatures.filter(kind=SignerKind.INSTITUTION).delete()
    assert obstacles(task) == ["市自然资源局还差 1 名执法人员签名", "机构代表还未签名"]
    with pytest.raises(DomainError):
        submit_as(task)


def test_a_signature_over_other_answers_does_not_count(task):
    answer_all(task)
    sign_all(task)
    Signature.objects.filter(officer=officer_of(task, "ziran")).update(answers_digest="0" * 64)
    assert obstacles(task) == ["市自然资源局还差 1 名执法人员签名"]


def test_the_signature_of_an_officer_expired_since_does_not_count(task):
    answer_all(task)
    sign_all(task)
    Officer.objects.filter(pk=officer_of(task, "ziran").pk).update(
        certified_from="2020-01-01", certified_until="2024-01-31"
    )
    assert obstacles(task) == ["市自然资源局还差 1 名执法人员签名"]


def test_one_officer_sent_is_not_enough():
    task = make_task(version=make_version([Row("协议检查", penalty="协议处罚")]), officers_per_department=1)
    answer_all(task)
    sign_all(task)
    assert obstacles(task) == ["市民政局还差 1 名执法人员签名"]


def test_only_an_assigned_officer_submits(task):
    answer_all(task)
    sign_all(task)
    with pytest.raises(PermissionDenied):
        submit(task, actor=make_user(make_department("xiaofang")))


def test_a_form_is_submitted_once(task):
    submit_task(task)
    with pytest.raises(DomainError, match="表单已提交"):
        submit_as(task)


@pytest.mark.parametrize(
    "change",
    [
        lambda task: TaskItem.objects.filter(task=task).update(note="事后补记"),
        lambda task: TaskItem.objects.filter(task=task).delete(),
        lambda task: Signature.objects.filter(task=task).delete(),
        lambda task: type(task).objects.filter(pk=task.pk).update(state=TaskState.UNDER_WAY),
    ],
    ids=["change an item", "delete an item", "delete a signature", "open the form"],
)
def test_the_database_itself_refuses_changes_to_a_submitted_form(task, change):
    submit_task(task)
    with pytest.raises(DatabaseError, match="表单已提交"), transaction.atomic():
        change(task)


def test_a_problem_corrected_on_the_spot_is_done(task):
    submit_task(task, problem(rows_of(task)["1"], Disposition.CORRECTED))
    assert Finding.objects.get().state == FindingState.CORRECTED
    assert not Rectification.objects.exists()


def test_a_rectification_gets_its_day_in_calendar_days(task):
    submit_task(task, problem(rows_of(task)["1"], Disposition.RECTIFICATION, days=10))
    rectification = Rectification.objects.get()
    today = timezone.localdate()
    assert (rectification.ordered_on, rectification.due_on) == (today, today + timedelta(days=10))
    assert (rectification.state, rectification.department.code) == (RectificationState.ORDERED, "minzheng")
    assert rectification.finding.state == FindingState.RECTIFYING


def test_a_referral_goes_to_the_delegated_town_and_tells_it(task, town):
    officer = make_user(make_department("yinglin"))
    delegate_all(town, task.origins.get().joint_inspection.versions.get())
    submit_task(task, problem(rows_of(task)["5"]))
    referral = Referral.objects.get()
    due = add_workdays(timezone.localdate(), 7)
    assert (referral.from_department.code, referral.to_department.code) == ("xiaofang", "yinglin")
    assert (referral.route, referral.state, referral.due_on) == (
        ReferralRoute.DELEGATED_TOWN,
        ReferralState.SENT,
        due,
    )
    message = Notification.objects.get(recipient=officer)
    assert message.subject == f"referral:{referral.pk}"
    assert message.text == (
        f"{task.institution.name}：市消防救援大队移送“占用疏散通道的处罚”，请于 {due} 前接收。"
    )


def test_without_the_delegation_it_comes_back_with_the_warning(task):
    submit_task(task, problem(rows_of(task)["5"]))
    referral = Referral.objects.get()
    assert (referral.route, referral.to_department.code) == (ReferralRoute.FALLBACK, "xiaofang")
    assert referral.warning == "英林镇未承接该项处罚权，已退回检查部门市消防救援大队处理。"


def test_each_row_of_one_item_goes_its_own_way(task, town):
    delegate_all(town, task.origins.get().joint_inspection.versions.get())
    rows = rows_of(task)
    submit_task(task, problem(rows["5"]), problem(rows["7"]))
    sent = Referral.objects.order_by("finding__row__position").values_list(
        "finding__row__number", "to_department__code"
    )
    assert list(sent) == [("5", "yinglin"), ("7", "xiaofang")]


def test_everything_is_on_the_institutions_chain_which_verifies(task, town):
    delegate_all(town, task.origins.get().joint_inspection.versions.get())
    rows = rows_of(task)
    submit_task(
        task,
        problem(rows["1"], Disposition.CORRECTED),
        problem(rows["2"], Disposition.RECTIFICATION),
        problem(rows["5"]),
    )
    entries = list(ledger.entries_of(task.institution.subject))
    assert [(entry.kind, entry.department.removeprefix("department:")) for entry in entries] == [
        (Event.TASK_SUBMITTED, "minzheng"),
        (Event.FOUND, "minzheng"),
        (Event.FOUND, "minzheng"),
        (Event.RECTIFICATION_ORDERED, "minzheng"),
        (Event.FOUND, "xiaofang"),
        (Event.REFERRED, "xiaofang"),
    ]
    assert list(ledger.verify()) == []


def test_the_entry_of_the_form_carries_its_digest_and_counts(task):
    submit_task(task, problem(rows_of(task)["1"], Disposition.CORRECTED))
    task.refresh_from_db()
    entry = ledger.entries_of(task.institution.subject)[0]
    assert entry.payload == {
        "task": str(task.pk),
        "inspections": [task.origins.get().joint_inspection_id],
        "answers_digest": task.answers_digest,
        "algorithm": default_algorithm(),
        "items": 5,
        "values": {"COMPLIANT": 4, "NON_COMPLIANT": 1, "NOT_APPLICABLE": 0},
        "findings": 1,
    }


def test_no_fact_and_no_name_enters_the_ledger(task):
    submit_task(task, problem(rows_of(task)["5"], fact="值班员王小明未在岗"))
    said = str([entry.payload for entry in ledger.entries_of(task.institution.subject)])
    assert "王小明" not in said
    assert "林代表" not in said
    assert digest_text("值班员王小明未在岗") in said


def test_the_entry_of_a_problem_names_its_photos_by_digest(task):
    photo = attach_photo(item_of(task), photo_id=uuid4(), upload=photo_upload(), actor=officer_of(task).user)
    submit_task(task, problem(rows_of(task)["5"], Disposition.CORRECTED))
    entry = ledger.entries_of(task.institution.subject).get(kind=Event.FOUND)
    assert entry.payload["photos"] == [photo.file.digest]


def test_the_joint_inspection_stays_with_its_lead(task):
    submit_task(task)
    assert task.origins.get().joint_inspection.state == InspectionState.UNDER_WAY


def test_nothing_is_half_done_when_a_step_fails(task, monkeypatch):
    answer_all(task, problem(rows_of(task)["5"]))
    sign_all(task)

    def refuse(*args, **kwargs):
        raise DomainError("通知失败。")

    monkeypatch.setattr("inspections.services.referrals.notify", refuse)
    with pytest.raises(DomainError):
        submit_as(task)
    task.refresh_from_db()
    assert (task.state, Referral.objects.count()) == (TaskState.UNDER_WAY, 0)
    assert Finding.objects.get().state == FindingState.PENDING
    assert list(ledger.entries_of(task.institution.subject)) == []


@pytest.mark.parametrize("rows", [1, 3])
def test_submit_costs_the_same_queries_for_one_problem_and_for_three(rows, django_assert_num_queries):
    version = make_version([Row("消防检查", "xiaofang", f"第{n}项处罚", "xiaofang") for n in range(rows)])
    task = make_task(version=version)
    answer_all(task, *(problem(row, Disposition.RECTIFICATION) for row in version.rows.all()))
    sign_all(task)
    actor = officer_of(task).user
    with django_assert_num_queries(32):
        submit(task, actor=actor)
