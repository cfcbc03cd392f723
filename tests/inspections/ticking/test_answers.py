import pytest
from django.utils import timezone

from core.errors import DomainError
from departments.models import Notification
from inspections.enums import Event, ParticipationState
from inspections.models import JointInspection
from inspections.services import ticking
from tests.factories.inspections import clerk_of
from tests.factories.ticking import last_entry, own_tick, part, put

pytestmark = pytest.mark.django_db


def passed(inspection) -> None:
    """The deadline has come, the beat has not."""
    JointInspection.objects.filter(pk=inspection.pk).update(tick_deadline=timezone.now())


def refuse_ledger(*args, **kwargs):
    raise RuntimeError("no room left")


def test_answer_records_the_ticked_items(inspection, shichang, clerk):
    tick = put(own_tick(inspection, shichang), clerk)
    answered = ticking.answer(part(inspection, shichang), actor=clerk)
    entry = last_entry(inspection)
    assert (answered.state, answered.answered_by) == (ParticipationState.ANSWERED, clerk)
    assert (entry.kind, entry.department, entry.payload["check_items"]) == (
        Event.TICKED,
        shichang.key,
        [tick.check_item_id],
    )


def test_answer_without_a_tick_is_refused(inspection, shichang, clerk):
    with pytest.raises(DomainError, match="不参加"):
        ticking.answer(part(inspection, shichang), actor=clerk)


def test_change_after_the_answer_goes_on_record(inspection, shichang, clerk):
    tick = put(own_tick(inspection, shichang), clerk)
    ticking.answer(part(inspection, shichang), actor=clerk)
    put(tick, clerk, note="加查留样")
    changes = last_entry(inspection).payload["changes"]
    assert [(c["check_item"], c["ticked"], c["rev"]) for c in changes] == [(tick.check_item_id, True, 2)]


def test_department_may_answer_again_before_the_deadline(inspection, shichang, clerk):
    put(own_tick(inspection, shichang), clerk)
    ticking.answer(part(inspection, shichang), actor=clerk)
    assert ticking.answer(part(inspection, shichang), actor=clerk).state == ParticipationState.ANSWERED


def test_answer_after_the_deadline_is_refused(inspection, shichang, clerk):
    put(own_tick(inspection, shichang), clerk)
    passed(inspection)
    with pytest.raises(DomainError, match="截止"):
        ticking.answer(part(inspection, shichang), actor=clerk)


def test_failing_ledger_leaves_the_answer_ungiven(inspection, shichang, clerk, monkeypatch):
    put(own_tick(inspection, shichang), clerk)
    monkeypatch.setattr("ledger.services.append", refuse_ledger)
    with pytest.raises(RuntimeError):
        ticking.answer(part(inspection, shichang), actor=clerk)
    assert part(inspection, shichang).state == ParticipationState.SEEN


def test_declining_keeps_the_reason_and_withdraws_the_ticks(inspection, shichang, clerk):
    tick = put(own_tick(inspection, shichang), clerk)
    declined = ticking.decline(part(inspection, shichang), reason=" 人员集训 ", actor=clerk)
    tick.refresh_from_db()
    assert (declined.state, declined.reason, tick.ticked) == (ParticipationState.DECLINED, "人员集训", False)


def test_declining_without_a_reason_is_refused(inspection, shichang, clerk):
    with pytest.raises(DomainError, match="理由"):
        ticking.decline(part(inspection, shichang), reason=" ", actor=clerk)


def test_declining_keeps_the_reasons_words_out_of_the_ledger(inspection, shichang, clerk):
    ticking.decline(part(inspection, shichang), reason="李四病假", actor=clerk)
    assert "李四" not in str(last_entry(inspection).payload)


def test_declined_department_cannot_tick_until_it_rejoins(inspection, shichang, clerk):
    ticking.decline(part(inspection, shichang), reason="人员集训", actor=clerk)
    with pytest.raises(DomainError, match="改为参加"):
        put(own_tick(inspection, shichang), clerk)
    ticking.rejoin(part(inspection, shichang), actor=clerk)
    assert put(own_tick(inspection, shichang), clerk).ticked is True


def test_rejoining_without_having_declined_is_refused(inspection, shichang, clerk):
    with pytest.raises(DomainError):
        ticking.rejoin(part(inspection, shichang), actor=clerk)


def test_own_system_withdraws_the_ticks_and_tells_the_lead(inspection, shichang, clerk):
    lead = clerk_of(inspection.lead_department)
    tick = put(own_tick(inspection, shichang), clerk)
    row = ticking.use_own_system(part(inspection, shichang), system=" 市场监管一体化平台 ", actor=clerk)
    tick.refresh_from_db()
    assert (row.state, row.reason, tick.ticked) == (
        ParticipationState.OWN_SYSTEM,
        "市场监管一体化平台",
        False,
    )
    assert last_entry(inspection).kind == Event.OWN_SYSTEM
    assert Notification.objects.filter(recipient=lead, text__contains="使用自建系统").count() == 1


def test_own_system_without_its_name_is_refused(inspection, shichang, clerk):
    with pytest.raises(DomainError, match="名称"):
        ticking.use_own_system(part(inspection, shichang), system=" ", actor=clerk)


def test_department_with_an_own_system_is_not_silent(inspection, shichang, clerk):
    ticking.use_own_system(part(inspection, shichang), system="平台", actor=clerk)
    ticking.close_due(inspection.tick_deadline)
    assert part(inspection, shichang).state == ParticipationState.OWN_SYSTEM


def test_department_comes_back_from_its_own_system(inspection, shichang, clerk):
    ticking.use_own_system(part(inspection, shichang), system="平台", actor=clerk)
    with pytest.raises(DomainError, match="使用自建系统"):
        put(own_tick(inspection, shichang), clerk)
    ticking.rejoin(part(inspection, shichang), actor=clerk)
    assert put(own_tick(inspection, shichang), clerk).ticked is True
