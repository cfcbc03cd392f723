"""What a version of a matrix means for joint inspections, routes and 赋权."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_GET

from departments.access import signed_in
from inspections.services.impact import impact_of
from scenarios.models import ScenarioVersion


@signed_in
@require_GET
def version_impact(request: HttpRequest, pk: int) -> HttpResponse:
    """Shown before a draft is published, and afterwards for whoever asks what ran on the version before."""
    versions = ScenarioVersion.objects.visible_to(request.user).select_related("scenario__lead_department")
    version = get_object_or_404(versions, pk=pk)
    context = {
        "version": version,
        "scenario": version.scenario,
        "impact": impact_of(version, user=request.user, day=timezone.localdate()),
    }
    return render(request, "inspections/version_impact.html", context)
