"""The list of joint inspections, and the page of one: where it stands, who has answered, what comes next."""

from typing import Any

from django.db.models import Count, IntegerField, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_GET

from core.lists import list_page
from departments.access import polled, signed_in
from departments.enums import Role
from departments.models import User
from departments.permissions import CLERKS
from inspections.enums import ANSWERS, KIND_RULES, UNANSWERED, InspectionState, TaskState
from inspections.forms.launch import ExtendForm, InspectionFilterForm, later_deadline
from inspections.forms.ticking import LateForm
from inspections.models import Candidate, JointInspection, Participation, Task, TaskOrigin, Tick
from inspections.permissions import may_lead
from inspections.services import boards
from inspections.services.coverage import visits_saved
from inspections.services.launch import items_offered
from inspections.services.participation import is_open_to
from inspections.services.strata import in_words
from inspections.views.generate import generation_context

SORTS = {"newest": "created_at", "deadline": "tick_deadline", "name": "name"}
CANDIDATE_SORTS = {"name": "institution__name", "town": "institution__town__code"}
# The way of a joint inspection as its page draws it; what is before the present state is done.
PATH = (
    (InspectionState.DRAFT, "拟定"),
    (InspectionState.AWAITING_APPROVAL, "审批"),
    (InspectionState.TICKING, "勾选"),
    (InspectionState.TICKING_CLOSED, "抽取"),
    (InspectionState.GENERATING, "生成任务"),
    (InspectionState.UNDER_WAY, "检查"),
    (InspectionState.COMPLETED, "办结"),
)


@signed_in
@require_GET
def inspection_list(request: HttpRequest) -> HttpResponse:
    """Every joint inspection this account sees."""
    form = InspectionFilterForm(request.GET)
    rows = form.filter(JointInspection.objects.visible_to(request.user))
    rows = _with_progress(rows.select_related("lead_department"))
    context = {
        "form": form,
        "listing": list_page(request, rows, sorts=SORTS, default="-newest"),
        "may_launch": request.user.holds(*CLERKS),
    }
    return render(request, "inspections/list.html", context)


@signed_in
@require_GET
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One joint inspection, with what this account may do about it."""
    rows = JointInspection.objects.visible_to(request.user)
    inspection = get_object_or_404(
        rows.select_related(
            "lead_department__group", "launched_by", "approved_by", "due_check", "plan_round"
        ),
        pk=pk,
    )
    # First, because it may learn that generating has just ended.
    generation = generation_context(inspection, request.user)
    candidates = Candidate.objects.filter(joint_inspection=inspection).select_related("institution__town")
    context = {
        **generation,
        "inspection": inspection,
        "versions": inspection.versions.select_related("scenario"),
        "kind_rule": KIND_RULES[inspection.kind],
        "shows_due": inspection.state not in (InspectionState.COMPLETED, InspectionState.CANCELLED),
        "saved": visits_saved(Task.objects.filter(origins__joint_inspection=inspection)),
        "rule_in_words": in_words(inspection.sampling),
        "steps": steps(inspection),
        "listing": list_page(request, candidates, sorts=CANDIDATE_SORTS, default="name", per_page=10),
        "ticked": _ticked(inspection),
        "invitation": _invitation(inspection),
        "happenings": boards.happenings(inspection),
        **_board(inspection, request.user),
        **_actions(inspection, request.user),
    }
    return render(request, "inspections/detail.html", context)


@polled
@signed_in
@require_GET
def progress_board(request: HttpRequest, pk: int) -> HttpResponse:
    """Who has answered, polled: 204 when nothing changed, the last answer reloads the page."""
    inspection = get_object_or_404(JointInspection.objects.visible_to(request.user), pk=pk)
    context = {"inspection": inspection, **_board(inspection, request.user)}
    if inspection.state == InspectionState.TICKING and context["stamp"] == request.GET.get("seen"):
        return HttpResponse(status=204)
    if inspection.state == InspectionState.TICKING:
        return render(request, "inspections/partials/_progress_board.html", context)
    response = render(request, "inspections/partials/_progress_board.html", context, status=286)
    response["HX-Refresh"] = "true"
    return response


def _with_progress(rows: QuerySet[JointInspection]) -> QuerySet[JointInspection]:
    # Subqueries instead of joins: they are worked out for the rows of the page only.
    participations = Participation.objects.filter(joint_inspection=OuterRef("pk"))
    visits = TaskOrigin.objects.filter(joint_inspection=OuterRef("pk"))
    return rows.annotate(
        invited=_count(participations),
        answered=_count(participations.filter(state__in=ANSWERS)),
        visits=_count(visits),
        visited=_count(visits.filter(task__state=TaskState.SUBMITTED)),
    )


def _count(rows: QuerySet) -> Coalesce:
    counted = rows.order_by().values("joint_inspection").annotate(n=Count("pk")).values("n")
    return Coalesce(Subquery(counted, output_field=IntegerField()), 0)


def _board(inspection: JointInspection, user: User) -> dict[str, Any]:
    rows = boards.department_rows(inspection, user)
    return {
        "board": rows,
        "answered": sum(row["state"] in ANSWERS for row in rows),
        "stamp": boards.stamp(inspection.state, inspection.tick_deadline, rows),
    }


def _ticked(inspection: JointInspection) -> list[Tick]:
    """The ticked items, each with how many institutions in scope it concerns."""
    ticks = list(inspection.ticks.filter(ticked=True).select_related("department", "item"))
    counts = boards.applicable_counts(inspection) if ticks else {}
    for tick in ticks:
        tick.applicable = counts.get(tick.pk, 0)
    return ticks


def _invitation(inspection: JointInspection) -> dict[str, Any] | None:
    """Whom approving it will invite, for those who decide; None once it went out."""
    if inspection.went_out or inspection.state == InspectionState.CANCELLED:
        return None
    items = items_offered(inspection)
    departments = sorted({item.department for item in items}, key=lambda department: department.order)
    return {"departments": [department.short_name for department in departments], "items": len(items)}


def steps(inspection: JointInspection) -> list[dict[str, str]]:
    """The path with the present state marked; a cancelled one ends where it had come to."""
    notes = {
        InspectionState.DRAFT: inspection.created_at,
        InspectionState.AWAITING_APPROVAL: inspection.approved_at,
        InspectionState.TICKING: inspection.ticking_closed_at,
    }
    order = [state for state, _ in PATH]
    cancelled = inspection.state == InspectionState.CANCELLED
    here = 1 if cancelled else order.index(inspection.state)
    if cancelled and inspection.went_out:
        here = 3 if inspection.ticking_closed_at else 2
    finished = inspection.state == InspectionState.COMPLETED
    drawn = []
    for position, (state, label) in enumerate(PATH):
        done = position < here or finished
        standing = "done" if done else "skipped" if cancelled else "current" if position == here else "todo"
        when = notes.get(state)
        drawn.append(
            {
                "label": label,
                "state": standing,
                "note": f"{timezone.localtime(when):%Y-%m-%d}" if done and when else "",
            }
        )
    return drawn


def _actions(inspection: JointInspection, user: User) -> dict[str, Any]:
    """Which buttons the page offers; the services decide again."""
    state = inspection.state
    leads = may_lead(user, inspection)
    approves = user.holds(Role.HEAD, department=inspection.lead_department)
    drawn = state == InspectionState.TICKING_CLOSED and inspection.draws.exists()
    reopenable = state == InspectionState.TICKING_CLOSED and not drawn
    clerk_of = [department.pk for department in user.departments_as(*CLERKS)]
    participations = list(inspection.participations.all())
    own = [row for row in participations if row.department_id in clerk_of]
    waiting = sum(row.state in UNANSWERED for row in participations)
    cancellable = state in (
        InspectionState.DRAFT,
        InspectionState.AWAITING_APPROVAL,
        InspectionState.TICKING,
        InspectionState.TICKING_CLOSED,
    )
    return {
        "may_edit": leads and state == InspectionState.DRAFT,
        "may_decide": approves and state == InspectionState.AWAITING_APPROVAL,
        "may_go_ahead": leads and state in (InspectionState.DRAFT, InspectionState.AWAITING_APPROVAL),
        "may_make_up": approves
        and inspection.awaits_approval_afterwards
        and state != InspectionState.CANCELLED,
        "may_tick": any(is_open_to(row, inspection) for row in own),
        "may_close": leads and state == InspectionState.TICKING,
        "may_extend": leads and (state == InspectionState.TICKING or reopenable),
        "may_cancel": leads and cancellable,
        "may_complete": leads and state == InspectionState.UNDER_WAY,
        "shows_board": inspection.went_out,
        "close_text": (f"{waiting} 个部门尚未答复。" if waiting else "各部门均已答复。")
        + "截止后不能再勾选，确有需要可延长。",
        "may_allow_late": leads and reopenable,
        "late_form": LateForm(inspection=inspection, initial={"until": later_deadline(inspection)})
        if leads and reopenable
        else None,
        "extend_form": ExtendForm(initial={"until": later_deadline(inspection)}),
    }
