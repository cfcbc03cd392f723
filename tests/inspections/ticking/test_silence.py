"""What the closing does about departments that did not answer, and how one may still be late."""

from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.utils import timezone

from core.errors import DomainError
from departments.models import Notification
from inspections.enums import Event, InspectionState, ParticipationState, SilenceRule
from inspections.models import JointInspection, Participation
from inspections.services import ticking
from inspections.services.draw import draw
from ledger.services import entries_of
from tests.factories.departments import make_department
from tests.factories.inspections import clerk_of, head_of, make_inspection, tick_everything
from tests.factories.scenarios import Row, make_version
from tests.factories.ticking import last_entry, own_tick, part

pytestmark = pytest.mark.django_db


@pytest.fixture
def closed() -> JointInspection:
    return make_inspection(InspectionState.TICKING_CLOSED)


def leave(inspection, department, *, until=None, reason="系统故障", actor=None) -> Participation:
    return ticking.allow_late(
        part(inspection, department),
        until=until or timezone.now() + timedelta(days=1),
        reason=reason,
        actor=actor or clerk_of(inspection.lead_department),
    )


def test_head_of_a_silent_department_is_told_at_the_closing(shichang):
    inspection = make_inspection()
    head = head_of(shichang)
    ticking.close_due(inspection.tick_deadline)
    told = Notification.objects.filter(recipient=head, subject=inspection.subject)
    assert [row.text for row in told] == [
        f"“{inspection.name}”勾选已截止，贵部门未答复。确需补勾的，请与市民政局联系。"
    ]


def test_head_of_a_department_that_answered_is_left_alone(shichang):
    inspection = make_inspection()
    head = head_of(shichang)
    tick_everything(part(inspection, shichang))
    before = Notification.objects.filter(recipient=head).count()
    ticking.close_due(inspection.tick_deadline)
    assert Notification.objects.filter(recipient=head).count() == before


def make_mandatory(rule: SilenceRule) -> JointInspection:
    """市场监管局 has an item that must be checked, and one that need not."""
    rows = [
        Row("食堂检查", "shichang", mandatory=True),
        Row("价格检查", "shichang"),
        Row("用地检查", "ziran"),
    ]
    return make_inspection(version=make_version(rows), silence_rule=rule)


def test_mandatory_items_of_the_silent_are_ticked_when_the_lead_chose_so(shichang):
    inspection = make_mandatory(SilenceRule.MANDATORY)
    tick = own_tick(inspection, shichang)
    ticking.close_due(inspection.tick_deadline)
    assert list(inspection.ticks.filter(ticked=True).values_list("pk", "rev", "changed_by")) == [
        (tick.pk, 1, None)
    ]
    payload = last_entry(inspection).payload
    assert (payload["mandatory"], payload["check_items"]) == ([tick.check_item_id], [tick.check_item_id])


def test_silence_ticks_nothing_without_the_rule():
    inspection = make_mandatory(SilenceRule.NONE)
    ticking.close_due(inspection.tick_deadline)
    assert inspection.ticks.filter(ticked=True).count() == 0


def test_mandatory_item_of_a_department_that_declined_stays_unticked(shichang):
    inspection = make_mandatory(SilenceRule.MANDATORY)
    ticking.decline(part(inspection, shichang), reason="人员集训", actor=clerk_of(shichang))
    ticking.close_due(inspection.tick_deadline)
    assert inspection.ticks.filter(ticked=True).count() == 0


# --- Late ticks by the lead's leave ------------------------------------------------------------


def test_late_leave_is_on_record_without_its_words(closed, shichang):
    until = timezone.now() + timedelta(days=1)
    leave(closed, shichang, until=until, reason="李四病假")
    entry = last_entry(closed)
    assert (entry.kind, entry.payload["department"], entry.payload["until"]) == (
        Event.LATE_ALLOWED,
        "shichang",
        until.isoformat(),
    )
    assert "李四" not in str(entry.payload)


def test_late_department_ticks_and_answers_on_record(closed, shichang):
    leave(closed, shichang)
    tick_everything(part(closed, shichang))
    entries = [e for e in entries_of(closed.subject) if e.kind == Event.TICKED]
    assert part(closed, shichang).state == ParticipationState.ANSWERED
    assert [entry.payload.get("late") for entry in entries] == [True, None]


def test_others_stay_closed_while_one_is_late(closed, shichang):
    leave(closed, shichang)
    ziran = make_department("ziran")
    with pytest.raises(DomainError, match="不能勾选"):
        ticking.tick(own_tick(closed, ziran), ticked=True, note="", rev=0, actor=clerk_of(ziran))


def test_late_leave_ends_at_its_time(closed, shichang, monkeypatch):
    participation = leave(closed, shichang)
    clerk, tick = clerk_of(shichang), own_tick(closed, shichang)
    monkeypatch.setattr("django.utils.timezone.now", lambda: participation.late_until)
    with pytest.raises(DomainError, match="不能勾选"):
        ticking.tick(tick, ticked=True, note="", rev=0, actor=clerk)


def test_late_leave_ends_with_the_draw(closed, shichang):
    leave(closed, shichang)
    draw(closed, actor=clerk_of(closed.lead_department))
    with pytest.raises(DomainError, match="不能勾选"):
        ticking.tick(own_tick(closed, shichang), ticked=True, note="", rev=0, actor=clerk_of(shichang))


def test_late_leave_after_the_draw_is_refused(closed, shichang):
    draw(closed, actor=clerk_of(closed.lead_department))
    with pytest.raises(DomainError, match="已抽取"):
        leave(closed, shichang)


def test_late_leave_before_the_closing_is_refused(shichang):
    with pytest.raises(DomainError, match="勾选中"):
        leave(make_inspection(), shichang)


def test_late_leave_needs_a_reason(closed, shichang):
    with pytest.raises(DomainError, match="理由"):
        leave(closed, shichang, reason=" ")


def test_late_leave_into_the_past_is_refused(closed, shichang):
    with pytest.raises(DomainError, match="晚于现在"):
        leave(closed, shichang, until=timezone.now())


def test_participant_may_not_give_itself_leave(closed, shichang):
    with pytest.raises(PermissionDenied):
        leave(closed, shichang, actor=clerk_of(shichang))


def test_database_refuses_a_late_leave_without_a_reason(closed, shichang):
    row = part(closed, shichang)
    with pytest.raises(IntegrityError), transaction.atomic():
        Participation.objects.filter(pk=row.pk).update(late_until=timezone.now())


def test_extending_for_everybody_ends_single_leaves(closed, shichang):
    leave(closed, shichang)
    until = timezone.now() + timedelta(days=2)
    ticking.extend_ticking(closed, until=until, actor=clerk_of(closed.lead_department))
    assert part(closed, shichang).late_until is None
