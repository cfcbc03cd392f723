"""The item library: every department's check items, edited by its own people."""

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
from departments.enums import Role
from departments.models import Department, User
from scenarios.enums import VersionState
from scenarios.forms.library import ItemFilterForm, ItemForm, NewItemForm
from scenarios.models import CheckItem, MatrixRow, PenaltyItem
from scenarios.permissions import EDITING_ROLES, may_edit_item, require_item_editing
from scenarios.services import items
from scenarios.services.library import check_items_workbook
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
    found = _with_penalties(form.filter(CheckItem.objects.all()).select_related("department"))
    context = {
        "form": form,
        "listing": list_page(request, found, sorts=SORTS, default="department"),
        "tabs": section_tabs("item_list"),
        "may_register": bool(registering_departments(request.user)),
    }
    return render(request, "scenarios/item_list.html", context)


@needs(*READERS)
@require_GET
def item_export(request: HttpRequest) -> HttpResponse:
    """The list with its present filter, as a workbook."""
    form = ItemFilterForm(request.GET)
    found = form.filter(CheckItem.objects.all()).select_related("department")
    data = check_items_workbook(found.order_by("department__order", "pk"))
    return workbook_response(data, f"检查事项-{timezone.localdate():%Y%m%d}.xlsx")


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
        "penalties": list(PenaltyItem.objects.filter(rows__in=rows).distinct()),
        "history": items.history(shown),
        "may_edit": may_edit_item(request.user, shown),
    }
    return render(request, "scenarios/item.html", context)


@needs(*EDITORS)
def item_create(request: HttpRequest) -> HttpResponse:
    departments = registering_departments(request.user)
    if request.method != "POST":
        form = NewItemForm(departments=departments, initial=first_of(departments))
        return render(request, "scenarios/item_create.html", {"form": form})
    form = NewItemForm(request.POST, departments=departments)
    if form.is_valid():
        try:
            made = items.register_check_item(actor=request.user, **form.cleaned_data)
        except DomainError as error:
            show_refusal(form, error)
        else:
            messages.success(request, f"已登记“{made.name}”，可编入以后的清单。")
            return redirect("scenarios:item", made.pk)
    return render(request, "scenarios/item_create.html", {"form": form}, status=422)


@needs(*EDITORS)
def item_edit(request: HttpRequest, pk: int) -> HttpResponse:
    shown = get_object_or_404(CheckItem.objects.select_related("department"), pk=pk)
    require_item_editing(request.user, shown)
    if request.method != "POST":
        form = ItemForm(initial={name: getattr(shown, name) for name in items.CHECK_TEXTS})
        return render(request, "scenarios/item_edit.html", {"form": form, "item": shown})
    form = ItemForm(request.POST)
    if form.is_valid():
        try:
            items.edit_check_item(shown, actor=request.user, **form.cleaned_data)
        except DomainError as error:
            show_refusal(form, error)
        else:
            messages.success(request, "已保存，从下一个发布的版本起生效。")
            return redirect("scenarios:item", pk)
    return render(request, "scenarios/item_edit.html", {"form": form, "item": shown}, status=422)


@needs(*EDITORS)
@require_POST
def item_retire(request: HttpRequest, pk: int) -> HttpResponse:
    return turn(request, get_object_or_404(CheckItem, pk=pk), "scenarios:item", retiring=True)


@needs(*EDITORS)
@require_POST
def item_restore(request: HttpRequest, pk: int) -> HttpResponse:
    return turn(request, get_object_or_404(CheckItem, pk=pk), "scenarios:item", retiring=False)


def turn(request: HttpRequest, item: CheckItem | PenaltyItem, page: str, *, retiring: bool) -> HttpResponse:
    """Retire or restore an item of either kind, and say so on its page."""
    try:
        (items.retire if retiring else items.restore)(item, actor=request.user)
    except DomainError as error:
        messages.error(request, error.message)
    else:
        done = "已停用，新的清单不再选用；已发布的版本不变。" if retiring else "已恢复，新的清单可以选用。"
        messages.success(request, f"“{item.name}”{done}")
    return redirect(page, item.pk)


def registering_departments(user: User) -> list[Department]:
    """Departments to whose library the account adds items."""
    if user.holds(Role.SYSTEM_ADMIN):
        return list(Department.objects.all())
    return user.departments_as(*EDITING_ROLES)


def first_of(departments: list[Department]) -> dict:
    """The department a new form begins with."""
    return {"department": departments[0].code} if departments else {}


def _with_penalties(found: QuerySet[CheckItem]) -> QuerySet[CheckItem]:
    # A subquery instead of a join: it is worked out for the items of the page only.
    led_to = MatrixRow.objects.in_force().filter(check_item=OuterRef("pk")).order_by().values("check_item")
    counted = led_to.annotate(n=Count("penalty_item", distinct=True)).values("n")
    return found.annotate(penalty_count=Coalesce(Subquery(counted, output_field=IntegerField()), 0))
