"""What anybody may read without an account."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET

from archive.enums import DisclosureState
from archive.forms import PublicFilterForm
from archive.models import Disclosure
from core.days import within_days
from core.digests import digest_json
from core.lists import list_page
from departments.access import public

SORTS = {"on": "published_at", "institution": "institution__name", "due": "due_on"}


@public
@require_GET
def public_list(request: HttpRequest) -> HttpResponse:
    form = PublicFilterForm(request.GET)
    form.is_valid()
    values = form.cleaned_data
    rows = Disclosure.objects.select_related("institution__town", "department")
    if text := values.get("q"):
        rows = rows.filter(title__icontains=text)
    if town := values.get("town"):
        rows = rows.filter(institution__town=town)
    rows = within_days(rows, "published_at", values.get("since"), values.get("until"))
    context = {
        "form": form,
        "listing": list_page(request, rows, sorts=SORTS, default="-on"),
        "is_filtered": any(values.values()),
    }
    return render(request, "archive/public_list.html", context)


@public
@require_GET
def public_detail(request: HttpRequest, pk: int) -> HttpResponse:
    disclosure = get_object_or_404(Disclosure.objects.select_related("department", "institution"), pk=pk)
    is_published = disclosure.state == DisclosureState.PUBLISHED
    context = {
        "disclosure": disclosure,
        # Withdrawn content is not even given to the template.
        "content": disclosure.content if is_published else None,
        "content_digest": digest_json(disclosure.content) if is_published else "",
    }
    return render(request, "archive/public_detail.html", context)
