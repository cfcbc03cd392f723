"""Two versions of one scenario, side by side."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from departments.access import needs
from scenarios.forms.matrices import CompareForm
from scenarios.models import ScenarioVersion
from scenarios.services.comparing import compare, content_of_version, route_changes
from scenarios.services.versions import baseline
from scenarios.views.matrices import READERS, get_version


@needs(*READERS)
@require_GET
def version_compare(request: HttpRequest, pk: int) -> HttpResponse:
    """What changed to this version from another one: the one it follows, unless `?base=` names one."""
    shown = get_version(request, pk)
    others = shown.scenario.versions.visible_to(request.user).exclude(pk=shown.pk).order_by("-number")
    form = CompareForm(others, request.GET if "base" in request.GET else None)
    base: ScenarioVersion | None = None
    if form.is_bound:
        base = form.cleaned_data["base"] if form.is_valid() else None
    else:
        base = baseline(shown) or others.first()
        form.initial = {"base": base}
    context = {"version": shown, "scenario": shown.scenario, "base": base, "form": form, "others": others}
    if base:
        before, after = content_of_version(base), content_of_version(shown)
        context |= {"comparison": compare(before, after), "routes": route_changes(before, after)}
    return render(request, "scenarios/compare.html", context)
