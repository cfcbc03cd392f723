"""Penalty items of the library: edited by whoever implements them and whoever's check leads to them."""

from django.contrib import messages
from django.db.models import Count, IntegerField, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from core.errors import DomainError
from core.files import workbook_response
from core.forms import show_refusal
from core.lists import list_page
from departments.access import needs
from departments.models import Department
from scenarios.enums import VersionState
from scenarios.forms.library import NewPenaltyForm, PenaltyFilterForm, PenaltyForm
from scenarios.models import MatrixRow, PenaltyItem
from scenarios.permissions import may_edit_penalty, penalty_keepers, require_penalty_editing
from scenarios.services import items
from scenarios.services.library import penalty_items_workbook
from scenarios.views.library import first_of, registering_departments, turn
from scenarios.views.matrices import EDITORS, READERS, section_tabs

SORTS = {"name": "name", "checks": "check_count", "state": "basis_state", "order": "pk"}


@needs(*READERS)
def penalty_list(request: HttpRequest) -> HttpResponse:
    form = PenaltyFilterForm(request.GET)
    context = {
        "form": form,
        "listing": list_page(
            request, _with_checks(form.filter(PenaltyItem.objects.all())), sorts=SORTS, default="order"
        ),
        "tabs": section_tabs("penalty_list"),
        "may_register": bool(registering_departments(request.user)),
    }
    return render(request, "scenarios/penalty_list.html", context)


@needs(*READERS)
@require_GET
def penalty_export(request: HttpRequest) -> HttpResponse:
    """The list with its present filter, as a workbook."""
    found = PenaltyFilterForm(request.GET).filter(PenaltyItem.objects.all())
    data = penalty_items_workbook(found.order_by("pk"))
    return workbook_response(data, f"处罚事项-{timezone.localdate():%Y%m%d}.xlsx")


@needs(*READERS)
def penalty(request: HttpRequest, pk: int) -> HttpResponse:
    shown = get_object_or_404(PenaltyItem.objects.select_related("department"), pk=pk)
    rows = (
        MatrixRow.objects.filter(penalty_item=shown, version__state=VersionState.PUBLISHED)
        .select_related("version__scenario", "penalty_department", "check_item", "check_department")
        .order_by("version", "position")
    )
    context = {
        "item": shown,
        "rows": list(rows),
        "keepers": list(Department.objects.filter(pk__in=penalty_keepers(shown))),
        "history": items.history(shown),
        "may_edit": may_edit_penalty(request.user, shown),
    }
    return render(request, "scenarios/penalty.html", context)


@needs(*EDITORS)
def penalty_create(request: HttpRequest) -> HttpResponse:
    departments = registering_departments(request.user)
    if request.method != "POST":
        form = NewPenaltyForm(departments=departments, initial=first_of(departments))
        return render(request, "scenarios/penalty_create.html", {"form": form})
    form = NewPenaltyForm(request.POST, departments=departments)
    if form.is_valid():
        try:
            made = items.register_penalty_item(actor=request.user, **form.cleaned_data)
        except DomainError as error:
            show_refusal(form, error)
        else:
            messages.success(request, f"已登记“{made.name}”，可编入以后的清单。")
            return redirect("scenarios:penalty", made.pk)
    return render(request, "scenarios/penalty_create.html", {"form": form}, status=422)


@needs(*EDITORS)
def penalty_edit(request: HttpRequest, pk: int) -> HttpResponse:
    shown = get_object_or_404(PenaltyItem, pk=pk)
    require_penalty_editing(request.user, shown)
    if request.method != "POST":
        form = PenaltyForm(initial={name: getattr(shown, name) for name in items.PENALTY_TEXTS})
        return render(request, "scenarios/penalty_edit.html", {"form": form, "item": shown})
    form = PenaltyForm(request.POST)
    if form.is_valid():
        try:
            items.edit_penalty_item(shown, actor=request.user, **form.cleaned_data)
        except DomainError as error:
            show_refusal(form, error)
        else:
            messages.success(request, "已保存，从下一个发布的版本起生效。")
            return redirect("scenarios:penalty", pk)
    return render(request, "scenarios/penalty_edit.html", {"form": form, "item": shown}, status=422)


@needs(*EDITORS)
@require_POST
def penalty_retire(request: HttpRequest, pk: int) -> HttpResponse:
    return turn(request, get_object_or_404(PenaltyItem, pk=pk), "scenarios:penalty", retiring=True)


@needs(*EDITORS)
@require_POST
def penalty_restore(request: HttpRequest, pk: int) -> HttpResponse:
    return turn(request, get_object_or_404(PenaltyItem, pk=pk), "scenarios:penalty", retiring=False)


def _with_checks(found: QuerySet[PenaltyItem]) -> QuerySet[PenaltyItem]:
    # A subquery instead of a join: it is worked out for the items of the page only.
    led_from = (
        MatrixRow.objects.in_force().filter(penalty_item=OuterRef("pk")).order_by().values("penalty_item")
    )
    counted = led_from.annotate(n=Count("check_item", distinct=True)).values("n")
    return found.annotate(check_count=Coalesce(Subquery(counted, output_field=IntegerField()), 0))
