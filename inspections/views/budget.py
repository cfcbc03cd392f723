"""同期检查: what others did or plan at the institutions of a draft, and what its lead makes of it."""

from uuid import UUID

from django.contrib import messages
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_POST

from core.errors import DomainError
from core.forms import typed
from core.lists import list_page
from departments.access import needs
from departments.permissions import CLERKS
from inspections.enums import FindingState, InspectionState
from inspections.models import JointInspection
from inspections.permissions import may_lead, require_leading
from inspections.services import visit_budget

SORTS = {"institution": "institution__name", "due": "window_until"}


@needs(*CLERKS)
@require_GET
def visits(request: HttpRequest, pk: int) -> HttpResponse:
    """Visits of others at the institutions in scope, and departments at their cap there."""
    inspection = _visible(request, pk)
    require_leading(request.user, inspection)
    effective = Q(findings__isnull=False) & ~Q(findings__state=FindingState.PENDING)
    rows = (
        visit_budget.others(inspection)
        .select_related("institution__town")
        .prefetch_related("origins__joint_inspection")
        .annotate(problems=Count("findings", filter=effective, distinct=True))
    )
    context = {
        "inspection": inspection,
        "is_held": visit_budget.is_held(inspection),
        "spent": visit_budget.spent(inspection),
        "listing": list_page(request, rows, sorts=SORTS, default="institution"),
        "taken_over": inspection.taken_over.select_related("institution"),
        "may_change": inspection.state == InspectionState.DRAFT and may_lead(request.user, inspection),
    }
    return render(request, "inspections/visits.html", context)


@needs(*CLERKS)
@require_POST
def visits_take_over(request: HttpRequest, pk: int) -> HttpResponse:
    inspection = _visible(request, pk)
    require_leading(request.user, inspection)
    task = visit_budget.others(inspection).filter(pk__in=_posted_task(request)).first()
    try:
        if task is None:
            raise DomainError("只能互认检查范围内机构近期已提交的检查结果。")
        taken = visit_budget.take_over(inspection, task, actor=request.user)
    except DomainError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, f"已互认“{taken.institution.name}”的检查结果，本次不再上门。")
    return redirect("inspections:visits", pk)


@needs(*CLERKS)
@require_POST
def visits_leave_out(request: HttpRequest, pk: int) -> HttpResponse:
    try:
        left = visit_budget.leave_out_spent(_visible(request, pk), actor=request.user)
    except DomainError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, f"已移出 {left} 家本年检查已达上限的机构。")
    return redirect("inspections:visits", pk)


@needs(*CLERKS)
@require_POST
def visits_reason(request: HttpRequest, pk: int) -> HttpResponse:
    try:
        visit_budget.give_reason(
            _visible(request, pk), reason=typed(request.POST, "reason"), actor=request.user
        )
    except DomainError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, "已记录再查的理由。")
    return redirect("inspections:visits", pk)


def _visible(request: HttpRequest, pk: int) -> JointInspection:
    rows = JointInspection.objects.visible_to(request.user).select_related("lead_department__group")
    return get_object_or_404(rows, pk=pk)


def _posted_task(request: HttpRequest) -> list[UUID]:
    """The visit meant; nothing for what is no key of a visit."""
    try:
        return [UUID(request.POST.get("task", ""))]
    except ValueError:
        return []
