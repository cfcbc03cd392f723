from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.utils import timezone

from core.digests import digest_text
from core.errors import DomainError
from departments.enums import Role
from inspections.enums import Event, FindingState, RectificationState
from inspections.models import Finding
from inspections.services.rectifications import extend, recheck
from ledger import services as ledger
from tests.factories.departments import make_department, make_user
from tests.factories.tasks import make_rectification

pytestmark = pytest.mark.django_db


@pytest.fixture
def rectification():
    """Ordered today by 消防, due in fifteen days."""
    return make_rectification()


@pytest.fixture
def officer(rectification):
    return make_user(rectification.department, Role.OFFICER)


def check(rectification, actor, *, accepted=True, **fields):
    values = {"result": "通道已清空", "checked_on": timezone.localdate()}
    return recheck(rectification, accepted=accepted, actor=actor, **(values | fields))


def test_an_accepted_recheck_rectifies_the_problem(rectification, officer):
    checked = check(rectification, officer)
    assert (checked.state, checked.result, checked.checked_by) == (
        RectificationState.ACCEPTED,
        "通道已清空",
        officer,
    )
    assert Finding.objects.get().state == FindingState.RECTIFIED


def test_a_failed_recheck_leaves_the_problem_open(rectification, officer):
    assert check(rectification, officer, accepted=False).state == RectificationState.FAILED
    assert Finding.objects.get().state == FindingState.RECTIFYING


@pytest.mark.parametrize(
    ("accepted", "event"), [(True, Event.RECTIFICATION_ACCEPTED), (False, Event.RECTIFICATION_FAILED)]
)
def test_a_recheck_is_on_the_institutions_chain(rectification, officer, accepted, event):
    check(rectification, officer, accepted=accepted)
    entry = list(ledger.entries_of(rectification.finding.institution.subject))[-1]
    assert (entry.kind, entry.department) == (event, "department:xiaofang")
    assert entry.payload["result_digest"] == digest_text("通道已清空")


def test_a_recheck_says_what_was_seen(rectification, officer):
    with pytest.raises(DomainError) as refusal:
        check(rectification, officer, result=" ")
    assert list(refusal.value.fields) == ["result"]


@pytest.mark.parametrize("days", [-1, 1])
def test_a_recheck_lies_between_the_order_and_today(rectification, officer, days):
    with pytest.raises(DomainError) as refusal:
        check(rectification, officer, checked_on=timezone.localdate() + timedelta(days=days))
    assert list(refusal.value.fields) == ["checked_on"]


def test_what_was_accepted_is_not_checked_again(rectification, officer):
    check(rectification, officer)
    with pytest.raises(DomainError, match="整改复查通过"):
        check(rectification, officer, accepted=False)


def test_another_department_neither_checks_nor_extends(rectification):
    outsider = make_user(make_department("minzheng"))
    with pytest.raises(PermissionDenied):
        check(rectification, outsider)
    with pytest.raises(PermissionDenied):
        extend(rectification, due_on=rectification.due_on + timedelta(days=1), actor=outsider)


def test_a_later_day_is_set_and_recorded(rectification, officer):
    due_on = rectification.due_on + timedelta(days=5)
    assert extend(rectification, due_on=due_on, actor=officer).due_on == due_on
    entry = list(ledger.entries_of(rectification.finding.institution.subject))[-1]
    assert (entry.kind, entry.payload["due_on"], entry.payload["former_due_on"]) == (
        Event.RECTIFICATION_EXTENDED,
        due_on.isoformat(),
        rectification.due_on.isoformat(),
    )


def test_a_failed_rectification_is_ordered_anew(rectification, officer):
    check(rectification, officer, accepted=False)
    again = extend(rectification, due_on=rectification.due_on + timedelta(days=5), actor=officer)
    assert again.state == RectificationState.ORDERED
    assert check(rectification, officer).state == RectificationState.ACCEPTED


def test_the_new_day_is_later_than_the_old_one(rectification, officer):
    with pytest.raises(DomainError) as refusal:
        extend(rectification, due_on=rectification.due_on, actor=officer)
    assert refusal.value.fields == {"due_on": f"应晚于 {rectification.due_on}。"}


def test_what_was_accepted_is_not_extended(rectification, officer):
    check(rectification, officer)
    with pytest.raises(DomainError, match="问题整改完成，不能再延长整改期限。"):
        extend(rectification, due_on=rectification.due_on + timedelta(days=5), actor=officer)
