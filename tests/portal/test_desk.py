"""The desk: each kind of work reaches the role it waits for, in a constant number of queries."""

from datetime import date, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from archive.services import case_due_on, task_due_on
from departments.enums import Role
from departments.models import User
from departments.services import notify_users
from inspections.enums import InspectionState, OwnResultState, ParticipationState, RectificationState
from inspections.models import (
    ItemRequest,
    JointInspection,
    Participation,
    Rectification,
    Referral,
    Task,
    Tick,
)
from inspections.services import contributions
from penalties.enums import CaseState
from penalties.models import PenaltyCase
from portal.desk import WorkGroup, build
from portal.enums import Work
from scenarios.services.delegations import end_delegation
from tests.factories.archive import make_submitted
from tests.factories.departments import make_department, make_officer, make_town, make_user
from tests.factories.inspections import clerk_of
from tests.factories.inspections import make_inspection as launched
from tests.factories.institutions import make_institution
from tests.factories.own_results import make_own_result
from tests.factories.penalties import make_case
from tests.factories.scenarios import delegate_all, make_version
from tests.factories.tasks import (
    make_rectification,
    make_referral,
    make_running_inspection,
    make_task,
    officer_of,
)

pytestmark = pytest.mark.django_db


def group(user: User, kind: Work) -> WorkGroup | None:
    fresh = User.objects.get(pk=user.pk)
    return next((group for group in build(fresh).groups if group.kind == kind), None)


def make_inspection(state: InspectionState, **fields) -> JointInspection:
    early = state in (InspectionState.DRAFT, InspectionState.AWAITING_APPROVAL)
    unapproved = {"approved_by": None, "approved_at": None} if early else {}
    values = {"tick_deadline": timezone.now() + timedelta(days=30), "ticking_closed_at": None}
    return make_running_inspection(make_version(), state=state, **(values | unapproved | fields))


def make_ticking(answer: ParticipationState = ParticipationState.INVITED, **fields) -> JointInspection:
    inspection = make_inspection(InspectionState.TICKING, **fields)
    inspection.participations.update(state=answer)
    return inspection


def make_request(
    inspection: JointInspection, owner: str = "xiaofang", asker: str = "minzheng"
) -> ItemRequest:
    item = inspection.versions.get().items.filter(department__code=owner).first()
    tick, _ = Tick.objects.get_or_create(
        joint_inspection=inspection,
        check_item=item.check_item,
        defaults={"department": item.department, "item": item},
    )
    department = make_department(asker)
    return ItemRequest.objects.create(
        tick=tick, department=department, reason="上次检查发现隐患", requested_by=make_user(department)
    )


def test_an_account_without_work_has_an_empty_desk():
    desk = build(make_user(make_department()))
    assert (desk.groups, desk.total, desk.late, desk.soon) == ([], 0, 0, 0)


def test_approval_waits_for_the_head_of_the_lead_department():
    inspection = make_inspection(InspectionState.AWAITING_APPROVAL)
    head = make_user(make_department("minzheng"), Role.HEAD)
    waiting = group(head, Work.APPROVAL)
    assert [item.title for item in waiting.items] == [inspection.name]
    assert waiting.items[0].due == inspection.tick_deadline


def test_approval_does_not_wait_for_a_clerk_or_another_head():
    make_inspection(InspectionState.AWAITING_APPROVAL)
    assert group(make_user(make_department("minzheng"), Role.HANDLER), Work.APPROVAL) is None
    assert group(make_user(make_department("xiaofang"), Role.HEAD), Work.APPROVAL) is None


def test_ticking_waits_for_departments_that_have_not_answered():
    inspection = make_ticking()
    asked = make_user(make_department("xiaofang"))
    assert group(asked, Work.ANSWER).items[0].title == inspection.name
    Participation.objects.filter(department__code="xiaofang").update(state=ParticipationState.ANSWERED)
    assert group(asked, Work.ANSWER) is None


def test_ticking_past_its_deadline_counts_as_late():
    make_ticking(tick_deadline=timezone.now() - timedelta(minutes=1))
    waiting = group(make_user(make_department("xiaofang")), Work.ANSWER)
    assert (waiting.late, waiting.soon) == (1, 0)


def test_ticking_due_today_counts_as_soon():
    make_ticking(tick_deadline=timezone.now() + timedelta(seconds=30))
    waiting = group(make_user(make_department("xiaofang")), Work.ANSWER)
    assert (waiting.late, waiting.soon) == (0, 1)


def test_a_request_waits_for_the_department_that_owns_the_item():
    make_request(make_ticking(ParticipationState.ANSWERED))
    waiting = group(make_user(make_department("xiaofang")), Work.REQUEST)
    assert [(item.title, item.detail) for item in waiting.items] == [
        ("消防检查", "市民政局提请：上次检查发现隐患")
    ]
    assert group(make_user(make_department("minzheng")), Work.REQUEST) is None


@pytest.mark.parametrize(
    ("state", "fields", "step"),
    [
        (InspectionState.DRAFT, {}, "拟定中，待提请审批"),
        (InspectionState.DRAFT, {"sent_back_reason": "范围过大"}, "审批退回，待修改"),
        (InspectionState.TICKING_CLOSED, {}, "勾选已截止，待抽取机构、生成检查任务"),
        (InspectionState.UNDER_WAY, {}, "检查任务已全部提交，可以办结"),
    ],
)
def test_the_lead_is_told_the_next_step(state, fields, step):
    make_inspection(state, **fields)
    clerk = make_user(make_department("minzheng"))
    assert [item.detail for item in group(clerk, Work.LEADING).items] == [step]


def test_the_lead_is_told_how_many_have_not_answered():
    make_ticking()
    clerk = make_user(make_department("minzheng"))
    assert [item.detail for item in group(clerk, Work.LEADING).items] == ["4 个部门尚未勾选"]


def test_nothing_waits_for_the_lead_while_visits_are_open():
    make_task()
    assert group(make_user(make_department("minzheng")), Work.LEADING) is None


def test_an_open_visit_waits_for_its_officers_only():
    task = make_task()
    assert group(officer_of(task).user, Work.VISIT).items[0].title == task.institution.name
    stranger = make_officer(make_department("xiaofang"))
    assert group(stranger.user, Work.VISIT) is None


def test_a_visit_whose_window_has_passed_is_late():
    task = make_task()
    Task.objects.update(
        window_from=date.today() - timedelta(days=9), window_until=date.today() - timedelta(days=1)
    )
    assert group(officer_of(task).user, Work.VISIT).late == 1


def test_a_referral_waits_for_the_receiving_town():
    referral = make_referral()
    clerk = make_user(referral.to_department)
    waiting = group(clerk, Work.REFERRAL)
    assert [(item.title, item.due) for item in waiting.items] == [
        (referral.institution.name, referral.due_on)
    ]
    assert waiting.items[0].detail.startswith("市消防救援大队移送：")
    assert group(make_user(referral.from_department), Work.REFERRAL) is None


def test_a_rectification_is_shown_a_week_before_its_term():
    rectification = make_rectification()
    clerk = make_user(rectification.department)
    assert group(clerk, Work.RECHECK) is None
    Rectification.objects.update(due_on=date.today() + timedelta(days=7))
    assert group(clerk, Work.RECHECK).total == 1


def test_a_failed_recheck_waits_for_a_decision():
    rectification = make_rectification()
    clerk = make_user(rectification.department)
    Rectification.objects.update(
        state=RectificationState.FAILED, result="仍有堆放", checked_on=date.today(), checked_by=clerk
    )
    assert [item.detail for item in group(clerk, Work.FINDING).items] == ["复查未通过：消防检查"]


def test_a_case_waits_for_its_town_until_the_day_to_decide():
    case = make_case()
    waiting = group(make_user(case.department, Role.OFFICER), Work.CASE)
    assert [(item.title, item.due) for item in waiting.items] == [(case.institution.name, case.decide_by)]


@pytest.mark.parametrize(("days", "late"), [(90, 0), (91, 1)])
def test_a_case_undecided_after_ninety_days_is_late(days, late):
    case = make_case()
    PenaltyCase.objects.update(filed_on=date.today() - timedelta(days=days))
    assert group(make_user(case.department), Work.CASE).late == late


def test_a_decision_is_late_once_its_seven_workdays_to_serve_are_over():
    case = make_case(CaseState.DECIDED)
    clerk = make_user(case.department)
    counted, expected = [], []
    for days in range(15):
        case.decided_on = date.today() - timedelta(days=days)
        PenaltyCase.objects.update(decided_on=case.decided_on, filed_on=case.decided_on)
        counted.append(group(clerk, Work.CASE).late)
        expected.append(int(case.serve_by < date.today()))
    assert counted == expected


def test_a_case_under_review_waits_for_the_reviewer():
    case = make_case(CaseState.LEGAL_REVIEW)
    reviewer = make_user(case.department, Role.LEGAL_REVIEWER)
    assert group(reviewer, Work.LEGAL_REVIEW).total == 1
    assert group(reviewer, Work.CASE) is None


def test_an_expiring_certificate_is_shown_to_the_head():
    make_officer(make_department("minzheng"), valid_days=-1)
    make_officer(make_department("minzheng"), valid_days=400)
    make_officer(make_department("xiaofang"), valid_days=-1)
    waiting = group(make_user(make_department("minzheng"), Role.HEAD), Work.CERTIFICATE)
    assert waiting.total == 1


def test_a_delegation_about_to_end_waits_for_those_who_may_prolong_it():
    version = make_version()
    town, admin = make_town("英林镇"), make_user(None, Role.SYSTEM_ADMIN)
    delegate_all(town, version)
    until = timezone.localdate() + timedelta(days=30)
    for delegation in town.delegations.filter(delegation_list="FIRE"):
        end_delegation(delegation, valid_until=until, actor=admin)
    for user in (admin, make_user(make_department("minzheng"), Role.HEAD)):
        waiting = group(user, Work.DELEGATION)
        assert [(item.title, item.detail, item.url) for item in waiting.items] == [
            ("英林镇", f"2 项赋权 {until} 到期", f"/scenarios/delegations/?town={town.code}")
        ]
    assert group(make_user(make_department("xiaofang"), Role.HEAD), Work.DELEGATION) is None
    assert group(make_user(make_department("minzheng"), Role.HANDLER), Work.DELEGATION) is None


def test_a_submitted_visit_waits_for_publication_by_the_lead():
    task = make_submitted()
    waiting = group(make_user(make_department("minzheng")), Work.DISCLOSURE)
    assert [(item.due, item.url) for item in waiting.items] == [
        (task_due_on(task), f"/archive/disclosures/task/{task.pk}/")
    ]
    assert group(make_user(make_department("xiaofang")), Work.DISCLOSURE) is None


def test_a_decision_waits_for_publication_by_the_town_that_made_it():
    case = make_case(CaseState.DECIDED)
    waiting = group(make_user(case.department, Role.OFFICER), Work.CASE_DISCLOSURE)
    assert [item.due for item in waiting.items] == [case_due_on(case)]


def test_the_inspectorate_sees_what_is_late_everywhere():
    make_referral()
    Referral.objects.update(due_on=date.today() - timedelta(days=1))
    inspectorate = make_user(None, Role.INSPECTORATE)
    assert group(inspectorate, Work.LATE_REFERRAL).total == 1


def test_the_group_shows_the_five_most_urgent_and_counts_the_rest():
    for days in range(7, 0, -1):
        make_ticking(tick_deadline=timezone.now() + timedelta(days=days + 20))
    waiting = group(make_user(make_department("xiaofang")), Work.ANSWER)
    assert (len(waiting.items), waiting.total, waiting.more) == (5, 7, 2)
    assert waiting.items == sorted(waiting.items, key=lambda item: item.due)


@pytest.mark.parametrize(
    ("department", "role", "labels"),
    [
        ("minzheng", Role.HANDLER, ["发起联合检查"]),
        ("minzheng", Role.OFFICER, []),
        ("minzheng", Role.DEPARTMENT_ADMIN, ["新建账号"]),
        (None, Role.SYSTEM_ADMIN, ["导入事项清单", "新建账号"]),
        (None, Role.AUDITOR, ["查看审计留痕"]),
    ],
)
def test_each_role_is_offered_what_it_often_begins(department, role, labels):
    user = make_user(make_department(department) if department else None, role)
    assert [action.label for action in build(user).actions] == labels


def test_a_towns_clerk_is_not_offered_to_launch():
    town = make_department("zhen-yinglin", make_town())
    assert build(make_user(town)).actions == []


def test_unread_news_is_marked():
    user = make_user(make_department())
    notify_users([user], "英林镇已接收移送。", subject="referral:1")
    assert [(event["title"], event["tone"], event["url"]) for event in build(user).news] == [
        ("英林镇已接收移送。", "info", "/go/referral:1/")
    ]


def test_a_secret_waits_for_its_department_until_it_is_out():
    inspection = launched(InspectionState.TICKING_CLOSED, ticked=True)
    minzheng, xiaofang = make_department("minzheng"), make_department("xiaofang")
    lead = clerk_of(minzheng)
    frozen = contributions.open_contributions(inspection, actor=lead)
    made = contributions.commitment_of(frozen, xiaofang, "x" * 32)
    contributions.commit(frozen, xiaofang, commitment=made, actor=clerk_of(xiaofang))
    assert group(clerk_of(xiaofang), Work.SECRET) is None
    contributions.close_commitments(frozen, actor=lead)
    waiting = group(clerk_of(xiaofang), Work.SECRET)
    assert [item.title for item in waiting.items] == [inspection.name]
    assert group(lead, Work.SECRET) is None
    contributions.reveal(frozen, xiaofang, secret="x" * 32, actor=clerk_of(xiaofang))
    assert group(clerk_of(xiaofang), Work.SECRET) is None


def test_the_keeper_of_the_register_is_reminded_of_whom_nobody_checked(settings):
    settings.COVERAGE_REMINDED_FROM_MONTH = timezone.localdate().month
    institution = make_institution()
    keeper, other = (make_user(make_department(code), Role.HANDLER) for code in ("minzheng", "xiaofang"))
    assert [item.title for item in group(keeper, Work.UNCHECKED).items] == [institution.name]
    assert group(other, Work.UNCHECKED) is None


def test_before_that_month_nobody_is_reminded(settings):
    settings.COVERAGE_REMINDED_FROM_MONTH = 13
    make_institution()
    assert group(make_user(make_department("minzheng"), Role.HANDLER), Work.UNCHECKED) is None


def test_results_of_own_systems_wait_for_the_lead_and_come_back_when_returned():
    filed, returned = make_own_result(), make_own_result(state=OwnResultState.RETURNED)
    lead = make_user(make_department("minzheng"), Role.HANDLER)
    sender = make_user(make_department("xiaofang"), Role.HANDLER)
    assert [item.title for item in group(lead, Work.OWN_RESULT).items] == [filed.institution.name]
    assert [item.title for item in group(sender, Work.OWN_RETURNED).items] == [returned.institution.name]
    assert group(sender, Work.OWN_RESULT) is None


class TestQueries:
    """The same number of queries for one row of everything and for three, whoever looks."""

    EXPECTED = {
        "clerk of the lead": 20,
        "head of the lead": 25,
        "clerk of a participant": 19,
        "officer with a visit": 11,
        "legal reviewer": 7,
        "town officer": 21,
        "inspectorate": 10,
        "auditor": 10,
        "system administrator": 8,
    }

    @pytest.fixture(autouse=True)
    def in_any_month(self, settings):
        settings.COVERAGE_REMINDED_FROM_MONTH = 1

    def busy(self, rows: int) -> dict[str, User]:
        for _ in range(rows):
            make_inspection(InspectionState.AWAITING_APPROVAL)
            make_inspection(InspectionState.DRAFT)
            make_request(make_ticking())
        inspection = make_running_inspection(make_version())
        delegate_all(make_town(), inspection.versions.get())
        for _ in range(rows):
            referral = make_referral(inspection=inspection, delegated=False)
            make_rectification(inspection=inspection)
            task = make_task(inspection=inspection)
        for _ in range(rows):
            make_case(CaseState.FILED)
            make_case(CaseState.LEGAL_REVIEW)
        yesterday = date.today() - timedelta(days=1)
        Referral.objects.update(due_on=yesterday)
        Rectification.objects.update(due_on=yesterday)
        Task.objects.filter(submitted_at=None).update(window_from=yesterday, window_until=yesterday)
        return {
            "clerk of the lead": make_user(make_department("minzheng"), Role.HANDLER),
            "head of the lead": make_user(make_department("minzheng"), Role.HEAD),
            "clerk of a participant": make_user(make_department("xiaofang"), Role.HANDLER),
            "officer with a visit": officer_of(task).user,
            "legal reviewer": make_user(referral.to_department, Role.LEGAL_REVIEWER),
            "town officer": make_user(referral.to_department, Role.HANDLER, Role.OFFICER),
            "inspectorate": make_user(None, Role.INSPECTORATE),
            "auditor": make_user(None, Role.AUDITOR),
            "system administrator": make_user(None, Role.SYSTEM_ADMIN),
        }

    @pytest.mark.parametrize("rows", [1, 3])
    def test_do_not_grow_with_the_work(self, rows):
        measured = {}
        for who, user in self.busy(rows).items():
            fresh = User.objects.get(pk=user.pk)
            with CaptureQueriesContext(connection) as queries:
                build(fresh)
            measured[who] = len(queries)
        assert measured == self.EXPECTED
