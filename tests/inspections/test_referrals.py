from datetime import date

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction

from core.digests import digest_text
from core.errors import DomainError
from departments.enums import NotificationKind, Role
from departments.models import Notification
from inspections.enums import Event, FindingState, ReferralState
from inspections.models import Finding, Referral, Task
from inspections.services.referrals import close_referral, record_step, return_referral, take_up
from ledger import services as ledger
from tests.factories.departments import make_department, make_town, make_user
from tests.factories.tasks import make_referral

pytestmark = pytest.mark.django_db


@pytest.fixture
def referral():
    """消防 → 英林镇, just sent."""
    return make_referral()


@pytest.fixture
def officer(referral):
    """The town's enforcement officer."""
    return make_user(referral.to_department, Role.OFFICER)


def last_entry(referral):
    return list(ledger.entries_of(referral.institution.subject))[-1]


def test_taking_up_moves_the_referral_and_tells_the_sender(referral, officer):
    clerk = make_user(referral.from_department)
    taken = take_up(referral, actor=officer)
    assert (taken.state, taken.taken_up_by) == (ReferralState.TAKEN_UP, officer)
    message = Notification.objects.get(recipient=clerk)
    assert message.subject == f"finding:{referral.finding_id}"
    assert message.text == f"{referral.institution.name}：英林镇接收移送（占用疏散通道的处罚）。"
    assert last_entry(referral).kind == Event.REFERRAL_TAKEN_UP


def test_steps_are_read_in_their_order(referral, officer):
    take_up(referral, actor=officer)
    record_step(referral, kind="case.decided", label="作出处罚决定", detail="警告", actor=officer)
    close_referral(referral, actor=officer)
    steps = referral.steps.values_list("kind", "label", "detail")
    assert list(steps) == [
        (
            Event.REFERRED,
            "移送英林镇",
            "英林镇自 2024-01-01 起承接该项处罚权（消防行政处罚权赋权清单，承接确认书：未归档）。",
        ),
        (Event.REFERRAL_TAKEN_UP, "接收移送", ""),
        ("case.decided", "作出处罚决定", "警告"),
        (Event.REFERRAL_CLOSED, "办结", ""),
    ]


def test_a_referral_keeps_the_delegation_it_rests_on(referral):
    assert referral.delegation.valid_from == date(2024, 1, 1)
    entry = ledger.entries_of(referral.institution.subject).filter(kind=Event.REFERRED).get()
    assert entry.payload["delegation"] == referral.delegation_id


def test_closing_closes_the_finding(referral, officer):
    take_up(referral, actor=officer)
    closed = close_referral(referral, actor=officer)
    assert closed.state == ReferralState.CLOSED
    assert Finding.objects.get().state == FindingState.CLOSED
    assert last_entry(referral).kind == Event.REFERRAL_CLOSED


def test_returning_needs_a_reason(referral, officer):
    with pytest.raises(DomainError) as refusal:
        return_referral(referral, reason=" ", actor=officer)
    assert refusal.value.fields == {"reason": "请填写退回理由。"}


def test_returning_hands_the_finding_back_as_work_for_its_sender(referral, officer):
    clerk = make_user(referral.from_department)
    returned = return_referral(referral, reason="机构不在本镇", actor=officer)
    assert (returned.state, returned.return_reason) == (ReferralState.RETURNED, "机构不在本镇")
    assert Finding.objects.get().state == FindingState.RETURNED
    assert Notification.objects.get(recipient=clerk).kind == NotificationKind.WORK
    entry = last_entry(referral)
    assert (entry.kind, entry.payload["reason_digest"]) == (
        Event.REFERRAL_RETURNED,
        digest_text("机构不在本镇"),
    )


@pytest.mark.parametrize(
    ("before", "verb", "says"),
    [
        (ReferralState.TAKEN_UP, "take_up", "移送办理中，不能再接收。"),
        (ReferralState.TAKEN_UP, "return", "移送办理中，不能再退回。"),
        (ReferralState.SENT, "close", "移送待接收，不能再办结。"),
        (ReferralState.SENT, "record", "移送待接收，不能登记办理情况。"),
        (ReferralState.CLOSED, "take_up", "移送已办结，不能再接收。"),
        (ReferralState.CLOSED, "record", "移送已办结，不能登记办理情况。"),
    ],
)
def test_a_step_out_of_turn_is_refused(referral, officer, before, verb, says):
    Referral.objects.update(state=before)
    verbs = {
        "take_up": lambda: take_up(referral, actor=officer),
        "return": lambda: return_referral(referral, reason="不属本镇", actor=officer),
        "close": lambda: close_referral(referral, actor=officer),
        "record": lambda: record_step(referral, kind="x", label="x", actor=officer),
    }
    with pytest.raises(DomainError, match=says):
        verbs[verb]()


@pytest.mark.parametrize("code", ["anhai", "xiaofang"])
def test_only_the_receiving_department_acts(referral, code):
    department = make_department(code, make_town("安海镇") if code == "anhai" else None)
    outsider = make_user(department, Role.HANDLER)
    for act in (take_up, close_referral):
        with pytest.raises(PermissionDenied):
            act(referral, actor=outsider)
    with pytest.raises(PermissionDenied):
        return_referral(referral, reason="x", actor=outsider)


def test_a_department_that_refers_to_itself_is_not_told_of_its_own_steps():
    referral = make_referral(delegated=False)
    officer = make_user(referral.to_department)
    take_up(referral, actor=officer)
    assert not Notification.objects.filter(subject=f"finding:{referral.finding_id}").exists()


def test_a_finding_has_one_live_referral(referral):
    twin = Referral.objects.get(pk=referral.pk)
    twin.pk = None
    with pytest.raises(IntegrityError, match="inspections_one_live_referral_a_finding"), transaction.atomic():
        twin.save()


def test_the_town_sees_the_finding_through_the_referral_and_not_the_visit(referral, officer):
    assert list(Finding.objects.visible_to(officer)) == [referral.finding]
    assert list(Referral.objects.visible_to(officer)) == [referral]
    assert not Task.objects.visible_to(officer).exists()


def test_another_town_sees_nothing_of_it(referral):
    stranger = make_user(make_department("anhai", make_town("安海镇")))
    assert not Finding.objects.visible_to(stranger).exists()
    assert not Referral.objects.visible_to(stranger).exists()
