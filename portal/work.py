"""What waits for whom: one query over the apps below for each kind of work."""

from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

from django.conf import settings
from django.db.models import Case, Count, Exists, F, Min, OuterRef, Q, QuerySet, Subquery, When
from django.db.models.functions import TruncDate
from django.utils import timezone

from archive import search
from archive.search import first_day_in_time
from departments.enums import Role
from departments.models import Department, Officer, Town, User
from departments.permissions import CLERKS
from inspections.enums import (
    UNANSWERED,
    DrawState,
    FindingState,
    InspectionState,
    OwnResultState,
    ParticipationState,
    RectificationState,
    ReferralState,
    RequestState,
    TaskState,
)
from inspections.models import (
    DrawContribution,
    Finding,
    ItemRequest,
    JointInspection,
    OwnResult,
    Participation,
    Rectification,
    Referral,
    Task,
)
from inspections.services.coverage import with_checked
from institutions.models import Institution
from penalties.enums import CaseState
from penalties.models import DAYS_TO_DECIDE, WORKDAYS_TO_SERVE, PenaltyCase
from penalties.permissions import HANDLERS
from scenarios.enums import VersionState
from scenarios.models import Scenario, ScenarioVersion
from scenarios.permissions import DELEGATING_ROLES, EDITING_ROLES, may_delegate
from scenarios.services import delegations

# 整改期限前几天可以安排复查
RECHECK_DAYS = 7
OPEN_TASKS = (TaskState.ASSIGNED, TaskState.UNDER_WAY)


@dataclass(frozen=True)
class Viewer:
    """The account with its departments by what it may do in them."""

    user: User
    clerk: list[Department]
    head: list[Department]
    handler: list[Department]
    lawyer: list[Department]
    officer: list[Department]
    keeper: list[Department]
    edits: bool
    delegates: bool
    oversees: bool
    today: date = field(default_factory=timezone.localdate)

    @classmethod
    def of(cls, user: User) -> "Viewer":
        return cls(
            user=user,
            clerk=user.departments_as(*CLERKS),
            head=user.departments_as(Role.HEAD),
            handler=user.departments_as(*HANDLERS),
            lawyer=user.departments_as(Role.LEGAL_REVIEWER),
            officer=user.departments_as(Role.OFFICER),
            keeper=user.departments_as(Role.HEAD, Role.DEPARTMENT_ADMIN),
            edits=user.holds(Role.SYSTEM_ADMIN, *EDITING_ROLES),
            delegates=user.holds(Role.SYSTEM_ADMIN, *DELEGATING_ROLES) and may_delegate(user),
            oversees=user.oversees,
        )


def approvals(viewer: Viewer) -> QuerySet:
    """行政检查须经负责人批准（law.md §3）."""
    return JointInspection.objects.filter(
        state=InspectionState.AWAITING_APPROVAL, lead_department__in=viewer.head
    ).select_related("launched_by")


def emergencies(viewer: Viewer) -> QuerySet:
    """Checks that went out before their approval, which is to be made up for (law.md §3)."""
    return (
        JointInspection.objects.filter(approved_at=None, lead_department__in=viewer.head)
        .exclude(emergency_reason="")
        .exclude(state=InspectionState.CANCELLED)
        .select_related("launched_by")
    )


def legal_reviews(viewer: Viewer) -> QuerySet:
    """Cases of others: nobody reviews what they filed or drafted (处罚法58条)."""
    return (
        PenaltyCase.objects.filter(state=CaseState.LEGAL_REVIEW, department__in=viewer.lawyer)
        .exclude(filed_by=viewer.user)
        .exclude(drafted_by=viewer.user)
        .select_related("institution", "department")
    )


def visits(viewer: Viewer) -> QuerySet:
    return (
        Task.objects.assigned_to(viewer.user).filter(state__in=OPEN_TASKS).select_related("institution__town")
    )


def answers(viewer: Viewer) -> QuerySet:
    asked = Q(state__in=UNANSWERED, joint_inspection__state=InspectionState.TICKING)
    late = Q(
        state=ParticipationState.SILENT,
        late_until__gt=timezone.now(),
        joint_inspection__state=InspectionState.TICKING_CLOSED,
    )
    return Participation.objects.filter(asked | late, department__in=viewer.clerk).select_related(
        "joint_inspection__lead_department"
    )


def requests(viewer: Viewer) -> QuerySet:
    return ItemRequest.objects.filter(
        tick__department__in=viewer.clerk,
        state=RequestState.REQUESTED,
        tick__joint_inspection__state=InspectionState.TICKING,
    ).select_related("department", "tick__item", "tick__joint_inspection")


def secrets(viewer: Viewer) -> QuerySet:
    """Commitments whose secrets the draw waits for."""
    return DrawContribution.objects.filter(
        department__in=viewer.clerk, secret="", draw__state=DrawState.REVEALING
    ).select_related("draw__joint_inspection")


def leading(viewer: Viewer) -> QuerySet:
    """Joint inspections of the department that do not go on by themselves."""
    silent = Participation.objects.filter(joint_inspection=OuterRef("pk"), state__in=UNANSWERED)
    unfinished = Task.objects.filter(origins__joint_inspection=OuterRef("pk"), state__in=OPEN_TASKS)
    return (
        JointInspection.objects.filter(lead_department__in=viewer.clerk)
        .filter(
            Q(state__in=[InspectionState.DRAFT, InspectionState.TICKING_CLOSED])
            | (Q(state=InspectionState.TICKING) & Exists(silent))
            | (Q(state=InspectionState.UNDER_WAY) & ~Exists(unfinished))
        )
        .annotate(
            silent=Count("participations", filter=Q(participations__state__in=UNANSWERED)),
            next_due=Case(
                When(state=InspectionState.UNDER_WAY, then=F("window_until")),
                When(state=InspectionState.TICKING_CLOSED, then=F("window_from")),
                default=TruncDate("tick_deadline"),
            ),
        )
    )


def next_step(row: JointInspection) -> str:
    """What its lead has to do about a joint inspection of `leading`."""
    if row.state == InspectionState.TICKING:
        return f"{row.silent} 个部门尚未勾选"
    if row.state == InspectionState.TICKING_CLOSED:
        return "勾选已截止，待抽取机构、生成检查任务"
    if row.state == InspectionState.UNDER_WAY:
        return "检查任务已全部提交，可以办结"
    return "审批退回，待修改" if row.sent_back_reason else "拟定中，待提请审批"


def own_results_to_confirm(viewer: Viewer) -> QuerySet:
    return OwnResult.objects.filter(
        state=OwnResultState.AWAITING, lead_department__in=viewer.clerk
    ).select_related("institution", "department")


def own_results_returned(viewer: Viewer) -> QuerySet:
    return OwnResult.objects.filter(
        state=OwnResultState.RETURNED, department__in=viewer.clerk
    ).select_related("institution")


def unchecked(viewer: Viewer) -> QuerySet:
    """From the third quarter, for the keeper of the register: who had no check on site yet (B7)."""
    keeps = any(department.code == settings.REGISTER_KEEPER for department in viewer.clerk)
    if not keeps or viewer.today.month < settings.COVERAGE_REMINDED_FROM_MONTH:
        return Institution.objects.none()
    rows = with_checked(Institution.objects.all(), viewer.today.year)
    return rows.filter(checked=False).select_related("town")


def drafts(viewer: Viewer) -> QuerySet:
    """Imported matrices nobody has published yet."""
    rows = ScenarioVersion.objects.filter(state=VersionState.DRAFT).select_related("scenario", "created_by")
    if viewer.user.holds(Role.SYSTEM_ADMIN):
        return rows
    return rows.filter(scenario__in=Scenario.objects.editable_by(viewer.user))


def referrals(viewer: Viewer) -> QuerySet:
    return Referral.objects.filter(state=ReferralState.SENT, to_department__in=viewer.handler).select_related(
        "institution", "from_department", "finding__row"
    )


def cases(viewer: Viewer) -> QuerySet:
    return (
        PenaltyCase.objects.filter(
            department__in=viewer.handler, state__in=[CaseState.FILED, CaseState.DECIDED, CaseState.SERVED]
        )
        .select_related("institution")
        .prefetch_related("payments")
    )


def late_cases(viewer: Viewer) -> Q:
    """Past the 90 days to decide (处罚法60条) or the 7 working days to serve (61条)."""
    serve_since = first_day_in_time(WORKDAYS_TO_SERVE)
    return Q(state=CaseState.FILED, filed_on__lt=viewer.today - timedelta(days=DAYS_TO_DECIDE)) | Q(
        state=CaseState.DECIDED, decided_on__lt=serve_since
    )


def rechecks(viewer: Viewer) -> QuerySet:
    return Rectification.objects.filter(
        department__in=viewer.handler,
        state=RectificationState.ORDERED,
        due_on__lte=viewer.today + timedelta(days=RECHECK_DAYS),
    ).select_related("finding__institution", "finding__row")


def findings(viewer: Viewer) -> QuerySet:
    """Problems that came back: the referral was returned, or the re-check failed."""
    return (
        Finding.objects.filter(department__in=viewer.clerk)
        .filter(
            Q(state=FindingState.RETURNED)
            | Q(state=FindingState.RECTIFYING, rectification__state=RectificationState.FAILED)
        )
        .select_related("institution", "row")
    )


def unpublished_visits(viewer: Viewer) -> QuerySet:
    """Results the lead has to publish within DISCLOSURE_WORKDAYS (law.md §3)."""
    return search.unpublished_visits(viewer.user).prefetch_related(None)


def late_visits_to_publish(viewer: Viewer) -> Q:
    day = first_day_in_time(settings.DISCLOSURE_WORKDAYS)
    return Q(submitted_at__lt=timezone.make_aware(datetime.combine(day, time.min)))


def unpublished_cases(viewer: Viewer) -> QuerySet:
    """Decisions the deciding department has to publish within PENALTY_DISCLOSURE_WORKDAYS."""
    return search.unpublished_cases(viewer.user)


def late_cases_to_publish(viewer: Viewer) -> Q:
    return Q(decided_on__lt=first_day_in_time(settings.PENALTY_DISCLOSURE_WORKDAYS))


def overdue_publications(viewer: Viewer) -> QuerySet:
    return search.overdue_visits(search.unpublished_visits(viewer.user)).prefetch_related(None)


def certificates(viewer: Viewer) -> QuerySet:
    """An officer without a valid 执法证 cannot be sent (law.md §3)."""
    return (
        Officer.objects.to_renew(viewer.today)
        .filter(department__in=viewer.keeper)
        .select_related("user", "department")
    )


def ending_delegations(viewer: Viewer) -> QuerySet:
    """Towns whose 赋权 runs out, with the first last day and how many items: prolong it or let it go."""
    ending = delegations.ending_delegations(viewer.today).filter(town=OuterRef("pk")).order_by()
    counted = ending.values("town").annotate(items=Count("pk"), ends_on=Min("valid_until"))
    return Town.objects.annotate(
        ends_on=Subquery(counted.values("ends_on")), ending_items=Subquery(counted.values("items"))
    ).filter(ends_on__isnull=False)


def late_visits(viewer: Viewer) -> QuerySet:
    return Task.objects.filter(state__in=OPEN_TASKS, window_until__lt=viewer.today).select_related(
        "institution__town"
    )


def late_rectifications(viewer: Viewer) -> QuerySet:
    return Rectification.objects.filter(
        state=RectificationState.ORDERED, due_on__lt=viewer.today
    ).select_related("finding__institution", "department")


def late_referrals(viewer: Viewer) -> QuerySet:
    return Referral.objects.filter(state=ReferralState.SENT, due_on__lt=viewer.today).select_related(
        "institution", "from_department", "to_department"
    )
