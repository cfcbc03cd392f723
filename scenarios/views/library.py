"""The item library: every department's check items, edited by its own people."""

from django.contrib import messages
from django.db.models import Count, IntegerField, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render

from core.errors import DomainError
from core.lists import list_page
from departments.access import needs
from scenarios.enums import VersionState
from scenarios.forms.library import ItemFilterForm, ItemForm
from scenarios.models import CheckItem, MatrixRow, PenaltyItem
from scenarios.permissions import may_edit_item, require_item_editing
from scenarios.services.library import ITEM_FIELDS, edit_check_item
from scenarios.views.matrices import EDITORS, READERS, section_tabs

SORTS = {
    "name": "name",
    "department": "department__order",
    "penalties": "penalty_count",
    "state": "basis_state",
}


@needs(*READERS)
def item_list(request: HttpRequest) -> HttpResponse:
    form = ItemFilterForm(request.GET)
    items = _with_penalties(form.filter(CheckItem.objects.all()).select_related("department"))
    context = {
        "form": form,
        "listing": list_page(request, items, sorts=SORTS, default="department"),
        "tabs": section_tabs("item_list"),
    }
    return render(request, "scenarios/item_list.html", context)


@needs(*READERS)
def item(request: HttpRequest, pk: int) -> HttpResponse:
    shown = get_object_or_404(CheckItem.objects.select_related("department"), pk=pk)
    rows = (
        MatrixRow.objects.filter(check_item=shown, version__state=VersionState.PUBLISHED)
        .select_related("version__scenario")
        .order_by("version", "position")
    )
    context = {
        "item": shown,
        "rows": list(rows),
        "penalties": list(PenaltyItem.objects.filter(rows__check_item=shown).distinct()),
        "may_edit": may_edit_item(request.user, shown),
    }
    return render(request, "scenarios/item.html", context)


@needs(*EDITORS)
def item_edit(request: HttpRequest, pk: int) -> HttpResponse:
    shown = get_object_or_404(CheckItem.objects.select_related("department"), pk=pk)
    require_item_editing(request.user, shown)
    if request.method != "POST":
        form = ItemForm(initial={name: getattr(shown, name) for name in ITEM_FIELDS})
        return render(request, "scenarios/item_edit.html", {"form": form, "item": shown})
    form = ItemForm(request.POST)
    if form.is_valid():
        try:
            edit_check_item(shown, actor=request.user, **form.cleaned_data)
        except DomainError as error:
            for name, message in error.fields.items():
                form.add_error(name, message)
            if not error.fields:
                form.add_error(None, error.message)
        else:
            messages.success(request, "已保存，从下一个发布的版本起生效。")
            return redirect("scenarios:item", pk)
    return render(request, "scenarios/item_edit.html", {"form": form, "item": shown}, status=422)


def _with_penalties(items: QuerySet[CheckItem]) -> QuerySet[CheckItem]:
    # A subquery instead of a join: it is worked out for the items of the page only.
    led_to = MatrixRow.objects.filter(check_item=OuterRef("pk")).order_by().values("check_item")
    counted = led_to.annotate(n=Count("penalty_item", distinct=True)).values("n")
    return items.annotate(penalty_count=Coalesce(Subquery(counted, output_field=IntegerField()), 0))
