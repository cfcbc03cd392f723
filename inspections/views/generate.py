"""Where the draw stands and the generating of forms, on the joint inspection's page."""

from typing import Any

from django.contrib import messages
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_POST

from core.errors import DomainError
from departments.access import needs, polled, signed_in
from departments.enums import Role
from departments.models import User
from departments.permissions import CLERKS
from inspections.enums import DrawState, InspectionState, TaskState
from inspections.models import JointInspection
from inspections.permissions import may_lead
from inspections.services import merge, strata
from inspections.services.draw import eligible

SHOWN_IN = (
    InspectionState.TICKING_CLOSED,
    InspectionState.GENERATING,
    InspectionState.UNDER_WAY,
    InspectionState.COMPLETED,
)


def generation_context(inspection: JointInspection, user: User) -> dict[str, Any]:
    """What `inspections/partials/_generate.html` shows; {} before ticking closed."""
    if inspection.state not in SHOWN_IN:
        return {}
    job = merge.newest_job(inspection)
    if inspection.state == InspectionState.GENERATING and job is not None and not job.is_active:
        # It ended between the two queries; without this the page would say so for ever.
        inspection.refresh_from_db(fields=["state"])
    draws = list(inspection.draws.all())
    draw = next((made for made in draws if made.state == DrawState.DRAWN), None)
    collecting = next((made for made in draws if made.is_open), None)
    closed = inspection.state == InspectionState.TICKING_CLOSED
    awaits_draw = closed and draw is None and collecting is None
    rows = draw.strata if draw else []
    if awaits_draw:
        rows = strata.expected(eligible(inspection), inspection.sampling, institution="institution__")
    return {
        "generation": {
            "draw": draw,
            "collecting": collecting,
            "past": [made for made in draws if made not in (draw, collecting)],
            "roster_size": sum(row["members"] for row in rows),
            "sample_size": sum(row["drawn"] for row in rows),
            "strata": strata.named(rows, inspection.sampling) if inspection.sampling.by else [],
            "drawn": draw.drawn.select_related("institution__town")[:10] if draw else [],
            "job": job,
            "tasks": inspection.origins.aggregate(
                total=Count("pk"), submitted=Count("pk", filter=Q(task__state=TaskState.SUBMITTED))
            ),
            "may_lead": may_lead(user, inspection),
            "may_approve": user.holds(Role.HEAD, department=inspection.lead_department),
            "awaits_draw": awaits_draw,
            "awaits_start": closed and draw is not None,
            "ticked_count": inspection.ticks.filter(ticked=True).count(),
        }
    }


@needs(*CLERKS)
@require_POST
def start(request: HttpRequest, pk: int) -> HttpResponse:
    """Start generating in the background; the page then shows the progress."""
    inspection = get_object_or_404(JointInspection.objects.visible_to(request.user), pk=pk)
    try:
        merge.start_generating(inspection, actor=request.user)
    except DomainError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, "已开始生成检查任务。")
    return redirect("inspections:detail", pk)


@needs(*CLERKS)
@require_POST
def retry(request: HttpRequest, pk: int) -> HttpResponse:
    """Go on with a job that gave up."""
    inspection = get_object_or_404(JointInspection.objects.visible_to(request.user), pk=pk)
    merge.retry_generating(inspection, actor=request.user)
    messages.success(request, "已重新开始，从中断处继续。")
    return redirect("inspections:detail", pk)


@polled
@signed_in
@require_GET
def progress(request: HttpRequest, pk: int) -> HttpResponse:
    """The progress bar, polled; the last answer (286) reloads the page."""
    inspection = get_object_or_404(JointInspection.objects.visible_to(request.user), pk=pk)
    job = merge.newest_job(inspection)
    going_on = job is not None and job.is_active
    response = render(
        request,
        "inspections/partials/_generating.html",
        {"inspection": inspection, "job": job},
        status=200 if going_on else 286,
    )
    if not going_on:
        response["HX-Refresh"] = "true"
    return response
