"""What matrices lack, and the way to the page where each gap is mended."""

from collections import Counter
from collections.abc import Iterable
from urllib.parse import urlencode

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET

from core.lists import PER_PAGE
from departments.access import needs
from scenarios.enums import GapKind, VersionState
from scenarios.forms.matrices import GapFilterForm
from scenarios.models import ScenarioVersion
from scenarios.services.gaps import Gap, Page, find_gaps
from scenarios.views.matrices import READERS, get_version, section_tabs

# kind of page → where whoever may mend goes, and whoever may only look
PAGES = {
    "item": ("scenarios:item_edit", "scenarios:item"),
    "penalty": ("scenarios:penalty_edit", "scenarios:penalty"),
    "version": ("scenarios:version", "scenarios:version"),
    "scenario": ("scenarios:detail", "scenarios:detail"),
    "department": ("departments:edit", "departments:detail"),
}


@needs(*READERS)
@require_GET
def gap_list(request: HttpRequest) -> HttpResponse:
    """The gaps of every version in force."""
    versions = ScenarioVersion.objects.visible_to(request.user).filter(state=VersionState.PUBLISHED)
    context = _gaps(request, versions.select_related("scenario__lead_department"))
    return render(request, "scenarios/gap_list.html", context | {"tabs": section_tabs("gap_list")})


@needs(*READERS)
@require_GET
def version_gaps(request: HttpRequest, pk: int) -> HttpResponse:
    """The gaps of one version, published or not."""
    shown = get_version(request, pk)
    context = _gaps(request, [shown]) | {"version": shown, "scenario": shown.scenario}
    return render(request, "scenarios/version_gaps.html", context)


def _gaps(request: HttpRequest, versions: Iterable[ScenarioVersion]) -> dict:
    gaps = find_gaps(versions, user=request.user, day=timezone.localdate())
    form = GapFilterForm(request.GET)
    kind, mine = (form.cleaned_data["kind"], form.cleaned_data["mine"]) if form.is_valid() else ("", False)
    counted = Counter(gap.kind for gap in gaps if gap.mine or not mine)
    shown = [gap for gap in gaps if (gap.mine or not mine) and kind in ("", gap.kind)]
    page = Paginator(shown, PER_PAGE).get_page(request.GET.get("page"))
    return {
        "form": form,
        "total": len(gaps),
        "counts": [
            {
                "label": each.label,
                "value": counted[each],
                "url": f"{request.path}?{urlencode({'kind': each} | ({'mine': 'on'} if mine else {}))}",
                "tone": "warning" if counted[each] else "",
            }
            for each in GapKind
        ],
        "page": page,
        "rows": [{"gap": gap, "url": page_of(gap)} for gap in page.object_list],
    }


def page_of(gap: Gap) -> str:
    """The address where this gap is mended, or at least seen."""
    page: Page = gap.page
    if page.kind == "delegation":
        if gap.mine:
            return f"{reverse('scenarios:delegate')}?{urlencode(page.values)}"
        return f"{reverse('scenarios:delegation_list')}?{urlencode({'town': page.key})}"
    if page.kind == "contact":
        scenario = dict(page.values)["scenario"]
        if gap.mine:
            return reverse("scenarios:contact", args=[scenario, page.key])
        return reverse("scenarios:participants", args=[scenario])
    mend, look = PAGES[page.kind]
    return reverse(mend if gap.mine else look, args=[page.key])
