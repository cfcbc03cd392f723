"""监管清单: what is checked, how and on what basis, for anybody to read; versions in force, never drafts."""

from dataclasses import dataclass
from datetime import date
from itertools import groupby

from django.db.models import Count, Prefetch, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from core.lists import list_page
from departments.access import public
from departments.models import Department
from scenarios.enums import VersionState
from scenarios.forms.library import PublicFilterForm
from scenarios.models import MatrixRow, PublishedItem, ScenarioVersion

SORTS = {"name": "name", "department": "department__order", "scenario": "version__scenario__name"}


@dataclass(frozen=True)
class DepartmentItems:
    """What one department checks."""

    department: Department
    items: list[PublishedItem]

    @property
    def procedure(self) -> str:
        """The procedure all its items share, to be read once; empty when they differ."""
        procedures = {item.procedure for item in self.items}
        return procedures.pop() if len(procedures) == 1 else ""


@public
@require_GET
def public_list(request: HttpRequest) -> HttpResponse:
    form = PublicFilterForm(request.GET)
    day = _day(form)
    versions = (
        ScenarioVersion.objects.in_force(day)
        .select_related("scenario__lead_department")
        .annotate(item_count=Count("items"))
        .order_by("scenario__name")
    )
    found = _found(form, PublishedItem.objects.filter(version__in=ScenarioVersion.objects.in_force(day)))
    context = {
        "form": form,
        "day": day,
        "versions": list(versions),
        "listing": list_page(
            request,
            found.select_related("department", "version__scenario"),
            sorts=SORTS,
            default="department",
        ),
    }
    return render(request, "scenarios/public_list.html", context)


@public
@require_GET
def public_scenario(request: HttpRequest, pk: int) -> HttpResponse:
    """One scenario's whole list as it was in force on a day, by department."""
    form = PublicFilterForm(request.GET)
    day = _day(form)
    published = ScenarioVersion.objects.filter(scenario=pk).exclude(state=VersionState.DRAFT)
    history = list(published.select_related("scenario__lead_department").order_by("-number"))
    if not history:
        raise Http404
    in_force = ScenarioVersion.objects.filter(scenario=pk).in_force(day).first()
    found = _found(form, PublishedItem.objects.filter(version=in_force))
    context = {
        "form": form,
        "day": day,
        "scenario": history[0].scenario,
        "version": in_force,
        "history": history,
        "groups": _by_department(found),
    }
    return render(request, "scenarios/public_scenario.html", context)


def _day(form: PublicFilterForm) -> date:
    return (form.is_valid() and form.cleaned_data["on"]) or timezone.localdate()


def _found(form: PublicFilterForm, items: QuerySet[PublishedItem]) -> QuerySet[PublishedItem]:
    """The items meant; none when a value is not known."""
    if not form.is_valid():
        return items.none()
    for word in form.cleaned_data["q"].split():
        led_to = PublishedItem.objects.filter(rows__penalty__name__icontains=word)
        items = items.filter(
            Q(name__icontains=word)
            | Q(law__icontains=word)
            | Q(basis__icontains=word)
            | Q(content__icontains=word)
            | Q(pk__in=led_to.values("pk"))
        )
    if form.cleaned_data["department"]:
        items = items.filter(department=form.cleaned_data["department"])
    return items


def _by_department(items: QuerySet[PublishedItem]) -> list[DepartmentItems]:
    """Each department's items with the penalties they may lead to; two queries."""
    rows = MatrixRow.objects.select_related("penalty", "penalty_department").order_by("position")
    ordered = (
        items.select_related("department")
        .prefetch_related(Prefetch("rows", rows.exclude(penalty=None), to_attr="penalised"))
        .order_by("department__order", "department", "pk")
    )
    return [
        DepartmentItems(department, list(group))
        for department, group in groupby(ordered, key=lambda item: item.department)
    ]
