"""年度覆盖: which institutions were checked on site this year, and which were not yet."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from core.lists import list_page
from departments.access import signed_in
from inspections.forms.coverage import CoverageForm
from inspections.services import coverage as services
from institutions.models import Institution

SORTS = {"name": "name", "town": "town__code", "beds": "beds"}


@signed_in
@require_GET
def coverage(request: HttpRequest) -> HttpResponse:
    """The institutions this account sees; `?year=` an earlier year, `?checked=` those that were."""
    form = CoverageForm(request.GET)
    year = form.chosen_year
    seen = Institution.objects.visible_to(request.user)
    rows = form.filter(services.with_checked(seen, year)).select_related("town")
    towns = services.by_town(seen, year)
    context = {
        "form": form,
        "year": year,
        "coverage": services.coverage(seen, year),
        "saved": services.visits_saved(services.visits_of(year)),
        "towns": [
            {
                "label": row["town__name"],
                "value": row["total"] - row["done"],
                "url": form.of_town(row["town__code"]),
            }
            for row in towns
            if row["total"] > row["done"]
        ],
        "listing": list_page(request, rows, sorts=SORTS, default="town"),
        "is_this_year": year == timezone.localdate().year,
    }
    return render(request, "inspections/coverage.html", context)
