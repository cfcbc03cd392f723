import threading
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection

from core.errors import DomainError, StaleError
from departments.models import Officer
from inspections.enums import AnswerValue, Disposition, FindingState, Severity, TaskState
from inspections.models import Answer, Finding, TaskItem
from inspections.services import submitting
from inspections.services.answers import answer
from tests.factories.departments import make_department, make_officer
from tests.factories.scenarios import Row, make_version
from tests.factories.tasks import (
    answer_all,
    answer_item,
    item_of,
    make_task,
    officer_of,
    problem,
    sign_all,
    submit_task,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def item():
    """The fire item (rows 5, 6 and 7 of ROWS) on a fresh form."""
    return item_of(make_task())


def row_of(item, number="5"):
    return item.item.rows.get(number=number)


def test_an_answer_is_written_with_its_history(item):
    officer = officer_of(item.task)
    answer_id = uuid4()
    answer(item, answer_id=answer_id, base_rev=0, value="COMPLIANT", note=" 通道畅通 ", actor=officer.user)
    item.refresh_from_db()
    assert (item.value, item.note, item.rev, item.answered_by) == ("COMPLIANT", "通道畅通", 1, officer.user)
    kept = Answer.objects.get(pk=answer_id)
    assert (kept.base_rev, kept.rev, kept.value, kept.answered_by) == (0, 1, "COMPLIANT", officer.user)


def test_the_first_answer_starts_the_visit(item):
    answer_item(item)
    item.task.refresh_from_db()
    assert item.task.state == TaskState.UNDER_WAY
    assert item.task.started_at is not None


def test_the_same_answer_again_writes_nothing(item):
    answer_id = uuid4()
    answer_item(item, answer_id=answer_id, base_rev=0)
    again = answer_item(item, answer_id=answer_id, base_rev=0)
    assert again.rev == 1
    assert Answer.objects.count() == 1


def test_the_same_answer_again_is_harmless_after_submit(item):
    answer_id = uuid4()
    answer_item(item, answer_id=answer_id, base_rev=0)
    for other in item.task.items.exclude(pk=item.pk):
        answer_item(other)
    sign_all(item.task)
    submitting.submit(item.task, actor=officer_of(item.task).user)
    assert answer_item(item, answer_id=answer_id, base_rev=0).rev == 1


def test_an_id_used_before_with_another_content_is_refused(item):
    answer_id = uuid4()
    answer_item(item, answer_id=answer_id, base_rev=0)
    with pytest.raises(DomainError) as refusal:
        answer_item(item, AnswerValue.NOT_APPLICABLE, answer_id=answer_id, base_rev=0)
    assert refusal.value.code == "answer_id_reused"
    item.refresh_from_db()
    assert item.value == AnswerValue.COMPLIANT


def test_an_answer_over_an_older_revision_is_stale_and_changes_nothing(item):
    answer_item(item)
    with pytest.raises(StaleError):
        answer_item(item, AnswerValue.NOT_APPLICABLE, base_rev=0)
    item.refresh_from_db()
    assert (item.value, item.rev, Answer.objects.count()) == ("COMPLIANT", 1, 1)


def test_an_officer_of_another_department_is_refused(item):
    other = officer_of(item.task, "minzheng")
    with pytest.raises(PermissionDenied, match="由市消防救援大队填写"):
        answer(item, answer_id=uuid4(), base_rev=0, value="COMPLIANT", actor=other.user)


def test_an_officer_who_was_not_sent_is_refused(item):
    stranger = make_officer(make_department("xiaofang"))
    with pytest.raises(PermissionDenied, match="您不是本次检查的执法人员"):
        answer(item, answer_id=uuid4(), base_rev=0, value="COMPLIANT", actor=stranger.user)


def test_an_officer_whose_certificate_expired_is_refused(item):
    officer = officer_of(item.task)
    Officer.objects.filter(pk=officer.pk).update(certified_until="2024-01-31", certified_from="2020-01-01")
    with pytest.raises(PermissionDenied, match="执法证不在有效期内（至 2024-01-31）"):
        answer(item, answer_id=uuid4(), base_rev=0, value="COMPLIANT", actor=officer.user)
    assert Answer.objects.count() == 0


def test_non_compliant_without_a_row_is_refused(item):
    with pytest.raises(DomainError) as refusal:
        answer_item(item, AnswerValue.NON_COMPLIANT)
    assert refusal.value.fields == {"findings": "不符合的，请至少选择一项对应的处罚事项。"}


def test_a_problem_on_a_compliant_item_is_refused(item):
    with pytest.raises(DomainError) as refusal:
        answer_item(item, AnswerValue.COMPLIANT, [problem(row_of(item))])
    assert refusal.value.fields == {"findings": "只有不符合的事项才能记录问题。"}


def test_a_row_of_another_item_is_refused(item):
    foreign = item_of(item.task, "ziran").item.rows.get()
    with pytest.raises(DomainError) as refusal:
        answer_item(item, AnswerValue.NON_COMPLIANT, [problem(foreign)])
    assert refusal.value.fields == {f"findings.{foreign.pk}.row": "所选处罚事项不属于本检查事项。"}


def test_the_same_row_twice_is_refused(item):
    row = row_of(item)
    with pytest.raises(DomainError) as refusal:
        answer_item(item, AnswerValue.NON_COMPLIANT, [problem(row), problem(row)])
    assert refusal.value.fields == {"findings": "同一处罚事项只能记录一个问题。"}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"severity": "TERRIBLE"}, "severity"),
        ({"disposition": ""}, "disposition"),
        ({"disposition": "RECTIFICATION", "days": None}, "days"),
        ({"disposition": "RECTIFICATION", "days": 0}, "days"),
        ({"disposition": "RECTIFICATION", "days": 366}, "days"),
        ({"disposition": "RECTIFICATION", "days": True}, "days"),
        ({"fact": "  "}, "fact"),
        ({"fact": "长" * 2001}, "fact"),
    ],
)
def test_a_finding_names_the_field_that_is_wrong(item, change, field):
    row = row_of(item)
    with pytest.raises(DomainError) as refusal:
        answer_item(item, AnswerValue.NON_COMPLIANT, [problem(row, **change)])
    assert list(refusal.value.fields) == [f"findings.{row.pk}.{field}"]
    assert Finding.objects.count() == 0


@pytest.mark.parametrize("value", ["", "MAYBE"])
def test_an_unknown_value_is_refused(item, value):
    with pytest.raises(DomainError) as refusal:
        answer_item(item, value)
    assert list(refusal.value.fields) == ["value"]


def test_one_item_may_lead_to_several_findings(item):
    rows = [row_of(item, "5"), row_of(item, "7")]
    answer_item(item, AnswerValue.NON_COMPLIANT, [problem(row) for row in rows])
    found = Finding.objects.order_by("row__position")
    assert [(f.row, f.state, f.department.code) for f in found] == [
        (rows[0], FindingState.PENDING, "xiaofang"),
        (rows[1], FindingState.PENDING, "xiaofang"),
    ]


def test_a_changed_finding_keeps_its_id_and_a_dropped_one_goes(item):
    first, second = row_of(item, "5"), row_of(item, "6")
    answer_item(item, AnswerValue.NON_COMPLIANT, [problem(first), problem(second)])
    kept = Finding.objects.get(row=first)
    changed = problem(first, Disposition.RECTIFICATION, severity=Severity.MAJOR, days=7)
    answer_item(item, AnswerValue.NON_COMPLIANT, [changed])
    finding = Finding.objects.get()
    assert (finding.pk, finding.severity, finding.days) == (kept.pk, Severity.MAJOR, 7)


def test_turning_compliant_again_drops_the_findings(item):
    answer_item(item, AnswerValue.NON_COMPLIANT, [problem(row_of(item))])
    answer_item(item, AnswerValue.COMPLIANT)
    assert Finding.objects.count() == 0


def test_a_change_removes_the_signatures_given_before(item):
    answer_all(item.task)
    sign_all(item.task)
    assert item.task.signatures.count() == 9
    answer_item(item, AnswerValue.NOT_APPLICABLE)
    assert item.task.signatures.count() == 0


def test_nothing_is_written_after_submit(item):
    submit_task(item.task)
    with pytest.raises(DomainError, match="表单已提交，不能再修改。"):
        answer_item(item, AnswerValue.NOT_APPLICABLE)


def test_nothing_is_written_on_a_cancelled_visit():
    item = item_of(make_task(state=TaskState.CANCELLED))
    with pytest.raises(DomainError, match="表单已取消，不能再修改。"):
        answer_item(item)


@pytest.mark.parametrize("rows", [1, 3])
def test_an_answer_costs_the_same_queries_whatever_the_forms_size(rows, django_assert_num_queries):
    version = make_version([Row(f"第{n}项检查", "minzheng", f"第{n}项处罚") for n in range(rows)])
    item = item_of(make_task(version=version), "minzheng")
    actor = officer_of(item.task, "minzheng").user
    item = TaskItem.objects.select_related("task").get(pk=item.pk)
    with django_assert_num_queries(12):
        answer(item, answer_id=uuid4(), base_rev=0, value="COMPLIANT", actor=actor)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("same_id", [True, False], ids=["one answer twice", "two answers"])
def test_two_phones_at_once_write_once(item, same_id):
    ids = [uuid4()] * 2 if same_id else [uuid4(), uuid4()]
    actor = officer_of(item.task).user
    start = threading.Barrier(2)

    def write(answer_id):
        try:
            start.wait()
            answer(item, answer_id=answer_id, base_rev=0, value="COMPLIANT", actor=actor)
        except StaleError:
            return "stale"
        else:
            return "written"
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        told = sorted(pool.map(write, ids))
    assert told == (["written", "written"] if same_id else ["stale", "written"])
    assert Answer.objects.count() == 1
