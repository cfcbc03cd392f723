"""年度联合抽查计划: the list, making one, its rounds and what was launched for them."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from core.errors import DomainError
from core.forms import show_refusal
from core.lists import list_page
from departments.access import needs, signed_in
from departments.permissions import CLERKS, require_role
from inspections.forms.plans import PlanForm, RoundForm
from inspections.models import Plan, PlanRound
from inspections.services import plans as services


@signed_in
@require_GET
def plan_list(request: HttpRequest) -> HttpResponse:
    """Every department's plans, the newest year first."""
    rows = Plan.objects.visible_to(request.user).select_related("lead_department")
    sorts = {"year": "year", "lead": "lead_department__order", "name": "name"}
    context = {
        "listing": list_page(request, rows, sorts=sorts, default="-year"),
        "may_plan": request.user.holds(*CLERKS),
    }
    return render(request, "inspections/plan_list.html", context)


@needs(*CLERKS)
@require_http_methods(["GET", "POST"])
def plan_create(request: HttpRequest) -> HttpResponse:
    form = PlanForm(request.POST or None, user=request.user)
    if form.is_valid():
        try:
            plan = services.make_plan(actor=request.user, **form.cleaned_data)
        except DomainError as error:
            show_refusal(form, error)
        else:
            messages.success(request, f"已建立“{plan.name}”，请添加轮次。")
            return redirect("inspections:plan", plan.pk)
    status = 422 if request.method == "POST" else 200
    return render(request, "inspections/plan_form.html", {"form": form}, status=status)


@signed_in
@require_http_methods(["GET", "POST"])
def plan(request: HttpRequest, pk: int) -> HttpResponse:
    """One plan with its rounds; its lead adds a round by POST."""
    shown = _visible(request, pk)
    form = RoundForm(request.POST or None)
    if request.method == "POST":
        require_role(request.user, CLERKS, shown.lead_department)
        if form.is_valid():
            try:
                services.add_round(shown, actor=request.user, **form.cleaned_data)
            except DomainError as error:
                show_refusal(form, error)
            else:
                messages.success(request, "已添加轮次。")
                return redirect("inspections:plan", pk)
    launched = services.launched_for(shown, request.user)
    rounds = services.with_progress(shown.rounds.all())
    for one in rounds:
        one.inspections = launched.get(one.pk, [])
    context = {
        "plan": shown,
        "rounds": rounds,
        "form": form,
        "may_change": request.user.holds(*CLERKS, department=shown.lead_department),
    }
    status = 422 if request.method == "POST" else 200
    return render(request, "inspections/plan.html", context, status=status)


@needs(*CLERKS)
@require_POST
def round_remove(request: HttpRequest, pk: int) -> HttpResponse:
    rows = PlanRound.objects.filter(plan__in=Plan.objects.visible_to(request.user))
    planned = get_object_or_404(rows, pk=pk)
    try:
        services.remove_round(planned, actor=request.user)
    except DomainError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, f"已删除“{planned.name}”。")
    return redirect("inspections:plan", planned.plan_id)


def _visible(request: HttpRequest, pk: int) -> Plan:
    return get_object_or_404(Plan.objects.visible_to(request.user).select_related("lead_department"), pk=pk)
