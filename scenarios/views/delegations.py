"""赋权清单: which town holds what, and since when."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from core.errors import DomainError
from core.lists import list_page
from departments.access import needs
from departments.enums import Role
from scenarios.forms.matrices import DelegateForm, DelegationFilterForm, EndDelegationForm
from scenarios.models import Delegation
from scenarios.permissions import DELEGATING_ROLES, may_delegate
from scenarios.services.delegations import coverage, delegate_to_towns, end_delegation
from scenarios.views.matrices import READERS, section_tabs

DELEGATORS = (Role.SYSTEM_ADMIN, *DELEGATING_ROLES)
SORTS = {
    "item": "penalty_item__name",
    "list": "delegation_list",
    "from": "valid_from",
    "until": "valid_until",
}


@needs(*READERS)
def delegation_list(request: HttpRequest) -> HttpResponse:
    """Towns × lists today; with `?town=` that town's delegations, past ones included."""
    form = DelegationFilterForm(request.GET)
    today = timezone.localdate()
    town = form.cleaned_data["town"] if form.is_valid() else None
    grid = coverage(today)
    context = {
        "form": form,
        "town": town,
        "today": today,
        "grid": [row for row in grid if town in (None, row["town"])],
        "lists": [cell["list"] for cell in grid[0]["lists"]] if grid else [],
        "tabs": section_tabs("delegation_list"),
        "may_delegate": may_delegate(request.user),
    }
    if town:
        held = Delegation.objects.filter(town=town).select_related("penalty_item")
        context["listing"] = list_page(request, held, sorts=SORTS, default="list")
    return render(request, "scenarios/delegation_list.html", context)


@needs(*DELEGATORS)
def delegate(request: HttpRequest) -> HttpResponse:
    _require_some(request)
    form = DelegateForm(request.POST or None)
    if request.method == "POST":
        if form.is_valid():
            chosen = form.cleaned_data
            try:
                made = delegate_to_towns(
                    chosen["towns"],
                    form.penalty_items,
                    chosen["delegation_list"],
                    valid_from=chosen["valid_from"],
                    valid_until=chosen["valid_until"],
                    actor=request.user,
                )
            except DomainError as error:
                for name, message in error.fields.items():
                    form.add_error(name, message)
                form.add_error(None, error.message)
            else:
                towns = len(chosen["towns"])
                messages.success(request, f"已登记 {towns} 个镇街共 {len(made)} 项赋权。")
                return redirect("scenarios:delegation_list")
        return render(request, "scenarios/delegate.html", {"form": form}, status=422)
    return render(request, "scenarios/delegate.html", {"form": form})


@needs(*DELEGATORS)
@require_POST
def end(request: HttpRequest, pk: int) -> HttpResponse:
    _require_some(request)
    delegation = get_object_or_404(Delegation.objects.select_related("town"), pk=pk)
    form = EndDelegationForm(request.POST)
    if not form.is_valid():
        messages.error(request, form.errors["valid_until"][0])
    else:
        try:
            end_delegation(delegation, valid_until=form.cleaned_data["valid_until"], actor=request.user)
        except DomainError as error:
            messages.error(request, error.message)
        else:
            messages.success(
                request, f"{delegation.town.name}的这项赋权到 {form.cleaned_data['valid_until']} 为止。"
            )
    return redirect(f"{reverse('scenarios:delegation_list')}?town={delegation.town.code}")


def _require_some(request: HttpRequest) -> None:
    """A 负责人 of a department that leads nothing has nothing to hand to towns."""
    if not may_delegate(request.user):
        raise PermissionDenied("赋权由系统管理员或牵头部门的负责人、部门管理员登记。")
