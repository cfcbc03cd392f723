"""Joint inspections as far along as a test needs them, through the same services as the portal."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.utils import timezone

from departments.enums import Role
from departments.models import Department, User
from inspections.draws.rules import SamplingRule
from inspections.enums import Cause, InspectionKind, InspectionState, SilenceRule
from inspections.models import JointInspection, Participation, Tick
from inspections.services import launch, ticking
from institutions.models import Institution
from scenarios.models import ScenarioVersion
from tests.factories.departments import make_department, make_user
from tests.factories.institutions import make_institution
from tests.factories.scenarios import make_version

REACHED = [
    InspectionState.DRAFT,
    InspectionState.AWAITING_APPROVAL,
    InspectionState.TICKING,
    InspectionState.TICKING_CLOSED,
]


def clerk_of(department: Department) -> User:
    """An account that may tick for the department, the same one each time it is asked for."""
    username = f"clerk-{department.code}"
    return User.objects.filter(username=username).first() or make_user(
        department, Role.HANDLER, username=username
    )


def head_of(department: Department) -> User:
    """The department's 负责人, the same one each time."""
    username = f"head-{department.code}"
    return User.objects.filter(username=username).first() or make_user(
        department, Role.HEAD, username=username
    )


def make_inspection(
    state: InspectionState = InspectionState.TICKING,
    *,
    version: ScenarioVersion | None = None,
    versions: Iterable[ScenarioVersion] | None = None,
    institutions: Iterable[Institution] | None = None,
    lead: Department | None = None,
    ticked: bool = False,
    tick_deadline: datetime | None = None,
    sampling: SamplingRule = launch.EVERYBODY,
    name: str = "养老机构联合检查",
    kind: InspectionKind = InspectionKind.DAILY,
    cause: Cause | None = None,
    silence_rule: SilenceRule = SilenceRule.NONE,
) -> JointInspection:
    """A joint inspection up to TICKING_CLOSED (`REACHED`), led by 民政局 over one institution by default.

    `ticked=True` has every department tick all its items and submit. Its clerks are `clerk_of(department)`.
    """
    lead = lead or make_department("minzheng")
    today = timezone.localdate()
    inspection = launch.launch(
        name=name,
        kind=kind,
        cause=cause or (Cause.CLUE if kind == InspectionKind.CASE else Cause.PLAN),
        lead_department=lead,
        versions=list(versions or [version or make_version()]),
        window_from=today,
        window_until=today + timedelta(days=30),
        tick_deadline=tick_deadline or timezone.now() + timedelta(days=3),
        sampling=sampling,
        silence_rule=silence_rule,
        by_hand=[i.pk for i in ([make_institution()] if institutions is None else institutions)],
        actor=clerk_of(lead),
    )
    # Tests send several inspections to one institution; the budget has tests of its own.
    JointInspection.objects.filter(pk=inspection.pk).update(overlap_reason="复核")
    step = REACHED.index(state)
    if step >= 1:
        inspection = launch.submit_for_approval(inspection, actor=clerk_of(lead))
    if step >= 2:
        inspection = launch.approve(inspection, actor=head_of(lead))
        if ticked:
            for participation in inspection.participations.all():
                tick_everything(participation)
    if step >= 3:
        inspection = ticking.close_ticking(inspection, actor=clerk_of(lead))
    return inspection


def tick_everything(participation: Participation) -> None:
    """The department ticks all its items and submits."""
    ticks = Tick.objects.filter(
        joint_inspection=participation.joint_inspection_id, department=participation.department_id
    )
    actor = clerk_of(participation.department)
    ticking.tick_all(participation, ticked=True, revs=dict(ticks.values_list("pk", "rev")), actor=actor)
    ticking.answer(participation, actor=actor)
