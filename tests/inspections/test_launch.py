from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.utils import timezone

from core.errors import DomainError
from departments.enums import Role
from departments.models import Notification
from inspections.enums import Cause, Event, InspectionKind, InspectionState, ScopeSource, TaskState
from inspections.models import JointInspection, Participation, Tick
from inspections.services import launch
from institutions.enums import OperatingState
from institutions.models import Institution
from ledger.services import entries_of, verify
from scenarios.enums import VersionState
from scenarios.models import ScenarioVersion
from tests.factories.departments import make_department, make_town, make_user
from tests.factories.inspections import clerk_of, head_of, make_inspection
from tests.factories.institutions import make_institution
from tests.factories.scenarios import ROWS, Row, make_version
from tests.factories.tasks import make_task

pytestmark = pytest.mark.django_db


@pytest.fixture
def minzheng():
    return make_department("minzheng")


def plan(**changes) -> dict:
    """What a clerk fills in, with every value in order."""
    today = timezone.localdate()
    values = {
        "name": "春季联合检查",
        "kind": InspectionKind.DAILY,
        "window_from": today,
        "window_until": today + timedelta(days=30),
        "tick_deadline": timezone.now() + timedelta(minutes=1),
    }
    return values | changes


def launched(minzheng, **changes) -> JointInspection:
    changes.setdefault("versions", [make_version()])
    return launch.launch(lead_department=minzheng, actor=clerk_of(minzheng), **plan(**changes))


def kinds(inspection) -> list[str]:
    return [entry.kind for entry in entries_of(inspection.subject)]


def refuse_ledger(*args, **kwargs):
    raise RuntimeError("no room left")


# --- Drafting -----------------------------------------------------------------------


def test_launch_makes_a_draft_with_a_printed_number(minzheng):
    minzheng.agency_code = "晋民"
    minzheng.save()
    inspection = launched(minzheng)
    assert (inspection.state, inspection.number) == (
        InspectionState.DRAFT,
        f"晋民联检〔{timezone.localdate().year}〕1号",
    )


def test_numbers_of_one_department_follow_each_other(minzheng):
    version = make_version()
    numbers = [launched(minzheng, versions=[version]).number for _ in range(2)]
    year = timezone.localdate().year
    assert numbers == [f"市民政局联检〔{year}〕1号", f"市民政局联检〔{year}〕2号"]


def test_launch_is_on_the_inspections_chain(minzheng):
    inspection = launched(minzheng)
    assert kinds(inspection) == [Event.LAUNCHED]


def test_ledger_keeps_digests_instead_of_words(minzheng):
    inspection = launched(minzheng, name="张三养老院个案检查")
    assert "张三" not in str(entries_of(inspection.subject)[0].payload)


def test_failing_ledger_leaves_no_draft_behind(minzheng, monkeypatch):
    clerk_of(minzheng)
    version = make_version()
    monkeypatch.setattr("ledger.services.append", refuse_ledger)
    with pytest.raises(RuntimeError):
        launched(minzheng, versions=[version])
    assert not JointInspection.objects.exists()


def test_filter_takes_institutions_in_operation_only(minzheng):
    operating = make_institution()
    make_institution(operating_state=OperatingState.SUSPENDED)
    make_institution(operating_state=OperatingState.CLOSED)
    inspection = launched(minzheng, by_filter=Institution.objects.all())
    assert list(inspection.candidates.values_list("institution", "source")) == [
        (operating.pk, ScopeSource.FILTER)
    ]


def test_hand_takes_a_suspended_institution_but_no_closed_one(minzheng):
    suspended = make_institution(operating_state=OperatingState.SUSPENDED)
    closed = make_institution(operating_state=OperatingState.CLOSED)
    inspection = launched(minzheng, by_hand=[suspended.pk, closed.pk])
    assert list(inspection.candidates.values_list("institution", flat=True)) == [suspended.pk]


def test_institution_picked_twice_is_a_candidate_once_by_hand(minzheng):
    institution = make_institution()
    inspection = launched(minzheng, by_hand=[institution.pk], by_filter=[institution.pk])
    assert [candidate.source for candidate in inspection.candidates.all()] == [ScopeSource.HAND]


def test_town_launches_within_its_own_territory_only():
    town, elsewhere = make_town("英林镇"), make_town("安海镇")
    own, foreign = make_institution(town), make_institution(elsewhere)
    department = make_department("yinglin", town)
    inspection = launch.launch(
        lead_department=department,
        versions=[make_version()],
        by_hand=[own.pk, foreign.pk],
        actor=clerk_of(department),
        **plan(),
    )
    assert list(inspection.candidates.values_list("institution", flat=True)) == [own.pk]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": " "}, "name"),
        ({"window_until": timezone.localdate() - timedelta(days=1)}, "window_until"),
        ({"tick_deadline": timezone.now() - timedelta(seconds=1)}, "tick_deadline"),
        ({"tick_deadline": timezone.now() + timedelta(days=40)}, "tick_deadline"),
        ({"versions": []}, "versions"),
    ],
)
def test_launch_names_the_field_at_fault(minzheng, changes, field):
    with pytest.raises(DomainError) as refusal:
        launched(minzheng, **changes)
    assert list(refusal.value.fields) == [field]


def test_launch_refuses_a_version_not_published(minzheng):
    version = make_version()
    draft = ScenarioVersion.objects.create(
        scenario=version.scenario, number=2, title="草稿", created_by=version.created_by
    )
    with pytest.raises(DomainError, match="已发布"):
        launched(minzheng, versions=[version, draft])


def test_officer_of_the_lead_may_not_launch(minzheng):
    with pytest.raises(PermissionDenied):
        launch.launch(
            lead_department=minzheng,
            versions=[make_version()],
            actor=make_user(minzheng, Role.OFFICER),
            **plan(),
        )


def test_clerk_may_not_launch_for_another_department(minzheng):
    with pytest.raises(PermissionDenied):
        launch.launch(
            lead_department=minzheng,
            versions=[make_version()],
            actor=clerk_of(make_department("shichang")),
            **plan(),
        )


def test_change_replaces_plan_and_scope_of_a_draft(minzheng):
    first, second = make_institution(), make_institution()
    version = make_version()
    inspection = launched(minzheng, versions=[version], by_hand=[first.pk])
    changed = launch.change(
        inspection,
        versions=[version],
        by_hand=[second.pk],
        actor=clerk_of(minzheng),
        **plan(name="夏季联合检查"),
    )
    assert (changed.name, list(changed.candidates.values_list("institution", flat=True))) == (
        "夏季联合检查",
        [second.pk],
    )
    assert kinds(inspection) == [Event.LAUNCHED, Event.CHANGED]


def test_change_is_refused_once_approval_was_asked_for(minzheng):
    inspection = make_inspection(InspectionState.AWAITING_APPROVAL)
    with pytest.raises(DomainError, match="不能再修改"):
        launch.change(inspection, versions=inspection.versions.all(), actor=clerk_of(minzheng), **plan())


# --- Approval -------------------------------------------------------------------------


def test_submitting_fixes_the_roster_and_asks_the_head(minzheng):
    head = head_of(minzheng)
    inspection = make_inspection(InspectionState.AWAITING_APPROVAL)
    assert inspection.state == InspectionState.AWAITING_APPROVAL
    assert entries_of(inspection.subject).last().payload["candidates"] == 1
    assert [n.subject for n in Notification.objects.filter(recipient=head)] == [inspection.subject]


def test_submitting_an_empty_scope_is_refused(minzheng):
    inspection = make_inspection(InspectionState.DRAFT, institutions=[])
    with pytest.raises(DomainError, match="没有机构"):
        launch.submit_for_approval(inspection, actor=clerk_of(minzheng))


def test_submitting_a_version_retired_meanwhile_is_refused(minzheng):
    version = make_version()
    inspection = make_inspection(InspectionState.DRAFT, version=version)
    ScenarioVersion.objects.filter(pk=version.pk).update(state=VersionState.RETIRED)
    with pytest.raises(DomainError, match="停用"):
        launch.submit_for_approval(inspection, actor=clerk_of(minzheng))


def test_nothing_goes_out_before_approval():
    other = clerk_of(make_department("shichang"))
    inspection = make_inspection(InspectionState.AWAITING_APPROVAL)
    assert not Participation.objects.exists()
    assert not Tick.objects.exists()
    assert not Notification.objects.filter(recipient=other).exists()
    assert not JointInspection.objects.visible_to(other).filter(pk=inspection.pk).exists()


def test_approval_invites_every_department_of_the_check_items():
    inspection = make_inspection(InspectionState.TICKING)
    assert set(inspection.participations.values_list("department__code", flat=True)) == {
        "minzheng",
        "shichang",
        "ziran",
        "xiaofang",
    }


def test_approval_offers_every_check_item_once():
    inspection = make_inspection(InspectionState.TICKING)
    assert sorted(inspection.ticks.values_list("item__name", flat=True)) == sorted(
        {row.check for row in ROWS}
    )


def test_item_of_two_versions_is_offered_once_in_its_newest_text():
    older = make_version([Row("食堂检查", "shichang")])
    newer = make_version([Row("食堂检查", "shichang"), Row("人员资质检查")])
    inspection = make_inspection(InspectionState.TICKING, versions=[older, newer])
    assert sorted(inspection.ticks.values_list("item__name", "item__version")) == [
        ("人员资质检查", newer.pk),
        ("食堂检查", newer.pk),
    ]


def test_approval_shows_it_to_participants_and_tells_them():
    other = clerk_of(make_department("shichang"))
    inspection = make_inspection(InspectionState.TICKING)
    assert JointInspection.objects.visible_to(other).filter(pk=inspection.pk).exists()
    assert [n.subject for n in Notification.objects.filter(recipient=other)] == [inspection.subject]


def test_uninvolved_town_does_not_see_an_approved_inspection():
    town = clerk_of(make_department("yinglin", make_town()))
    inspection = make_inspection(InspectionState.TICKING)
    assert not JointInspection.objects.visible_to(town).filter(pk=inspection.pk).exists()


def test_approval_records_who_and_whom(minzheng):
    inspection = make_inspection(InspectionState.TICKING)
    assert inspection.approved_by == head_of(minzheng)
    assert kinds(inspection) == [Event.LAUNCHED, Event.SUBMITTED_FOR_APPROVAL, Event.APPROVED]
    assert list(verify(inspection.subject)) == []


def test_clerk_may_not_approve(minzheng):
    inspection = make_inspection(InspectionState.AWAITING_APPROVAL)
    with pytest.raises(PermissionDenied):
        launch.approve(inspection, actor=clerk_of(minzheng))


def test_head_of_another_department_may_not_approve():
    inspection = make_inspection(InspectionState.AWAITING_APPROVAL)
    with pytest.raises(PermissionDenied):
        launch.approve(inspection, actor=head_of(make_department("shichang")))


def test_draft_cannot_be_approved(minzheng):
    inspection = make_inspection(InspectionState.DRAFT)
    with pytest.raises(DomainError):
        launch.approve(inspection, actor=head_of(minzheng))


def test_closed_ticking_is_not_reopened_by_approving_again(minzheng):
    inspection = make_inspection(InspectionState.TICKING_CLOSED)
    with pytest.raises(DomainError, match="延长"):
        launch.approve(inspection, actor=head_of(minzheng))


def test_approval_after_the_tick_deadline_is_refused(minzheng):
    inspection = make_inspection(InspectionState.AWAITING_APPROVAL)
    JointInspection.objects.update(tick_deadline=timezone.now() - timedelta(seconds=1))
    with pytest.raises(DomainError) as refusal:
        launch.approve(inspection, actor=head_of(minzheng))
    assert list(refusal.value.fields) == ["tick_deadline"]


def test_failing_ledger_leaves_approval_undone(minzheng, monkeypatch):
    head = head_of(minzheng)
    inspection = make_inspection(InspectionState.AWAITING_APPROVAL)
    monkeypatch.setattr("ledger.services.append", refuse_ledger)
    with pytest.raises(RuntimeError):
        launch.approve(inspection, actor=head)
    inspection.refresh_from_db()
    assert (inspection.state, Tick.objects.count()) == (InspectionState.AWAITING_APPROVAL, 0)


def test_send_back_returns_it_to_the_draft_with_the_reason(minzheng):
    inspection = make_inspection(InspectionState.AWAITING_APPROVAL)
    sent_back = launch.send_back(inspection, reason=" 请补充范围 ", actor=head_of(minzheng))
    assert (sent_back.state, sent_back.sent_back_reason) == (InspectionState.DRAFT, "请补充范围")


def test_send_back_needs_a_reason(minzheng):
    inspection = make_inspection(InspectionState.AWAITING_APPROVAL)
    with pytest.raises(DomainError, match="退回意见"):
        launch.send_back(inspection, reason=" ", actor=head_of(minzheng))


def test_clerk_may_not_send_back(minzheng):
    inspection = make_inspection(InspectionState.AWAITING_APPROVAL)
    with pytest.raises(PermissionDenied):
        launch.send_back(inspection, reason="不同意", actor=clerk_of(minzheng))


def test_asking_again_clears_the_reason_it_was_sent_back_for(minzheng):
    inspection = make_inspection(InspectionState.AWAITING_APPROVAL)
    launch.send_back(inspection, reason="请补充范围", actor=head_of(minzheng))
    again = launch.submit_for_approval(inspection, actor=clerk_of(minzheng))
    assert again.sent_back_reason == ""


# --- How it ends -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "state",
    [
        InspectionState.DRAFT,
        InspectionState.AWAITING_APPROVAL,
        InspectionState.TICKING,
        InspectionState.TICKING_CLOSED,
    ],
)
def test_lead_cancels_before_tasks_are_generated(minzheng, state):
    inspection = make_inspection(state)
    cancelled = launch.cancel(inspection, reason="台风", actor=clerk_of(minzheng))
    assert (cancelled.state, cancelled.cancelled_reason) == (InspectionState.CANCELLED, "台风")


def test_cancelling_tells_the_invited(minzheng):
    other = clerk_of(make_department("shichang"))
    inspection = make_inspection(InspectionState.TICKING)
    launch.cancel(inspection, reason="台风", actor=clerk_of(minzheng))
    assert "已取消" in Notification.objects.filter(recipient=other).first().text


def test_inspection_under_way_cannot_be_cancelled(minzheng):
    inspection = make_inspection(InspectionState.TICKING_CLOSED)
    JointInspection.objects.update(state=InspectionState.UNDER_WAY)
    with pytest.raises(DomainError):
        launch.cancel(inspection, reason="台风", actor=clerk_of(minzheng))


def test_participant_may_not_cancel():
    inspection = make_inspection(InspectionState.TICKING)
    with pytest.raises(PermissionDenied):
        launch.cancel(inspection, reason="台风", actor=clerk_of(make_department("shichang")))


def test_complete_waits_for_every_visit():
    task = make_task()
    inspection = task.origins.get().joint_inspection
    with pytest.raises(DomainError, match="还有 1 家"):
        launch.complete(inspection, actor=clerk_of(inspection.lead_department))


def test_complete_closes_when_every_visit_is_over():
    task = make_task()
    inspection = task.origins.get().joint_inspection
    type(task).objects.update(state=TaskState.CANCELLED)
    completed = launch.complete(inspection, actor=clerk_of(inspection.lead_department))
    assert completed.state == InspectionState.COMPLETED


@pytest.mark.parametrize("cause", [Cause.PLAN, Cause.SUPERIOR])
def test_a_case_is_held_on_a_complaint_or_a_clue_only(minzheng, cause):
    with pytest.raises(DomainError, match="个案检查的任务来源应为投诉举报或问题线索"):
        launched(minzheng, kind=InspectionKind.CASE, cause=cause)
