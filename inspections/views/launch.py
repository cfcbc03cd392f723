"""Launching a joint inspection: the one form, and every step the lead takes afterwards."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST
from django_htmx.http import trigger_client_event

from core.errors import DomainError
from core.forms import typed
from departments.access import needs
from departments.enums import Role
from departments.permissions import CLERKS
from inspections.draws.rules import SamplingRule
from inspections.enums import KIND_RULES, InspectionState, ScopeSource
from inspections.forms.launch import ExtendForm, LaunchForm, published_versions
from inspections.forms.sampling import SamplingForm
from inspections.models import JointInspection, PlanRound
from inspections.permissions import require_leading
from inspections.services import emergencies, strata, ticking
from inspections.services import launch as services
from inspections.services.launch import EVERYBODY
from inspections.services.printed_rules import printed_rules
from institutions.enums import OperatingState
from institutions.forms import InstitutionScopeForm
from institutions.models import Institution
from scenarios.models import ScenarioVersion

PREFIX = "scope"
SHOWN = 30


@needs(*CLERKS)
def launch(request: HttpRequest) -> HttpResponse:
    """A new joint inspection: drafted, or drafted and sent for approval in one go; `?round=` for one of a plan."""
    planned = _round(request)
    form = LaunchForm(request.POST or None, user=request.user, plan_round=planned)

    def save(plan: dict[str, Any]) -> JointInspection:
        lead = form.cleaned_data["lead_department"]
        return services.launch(lead_department=lead, plan_round=planned, **plan)

    return _form_page(request, form, save)


@needs(*CLERKS)
def edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Change a draft."""
    inspection = _visible(request, pk)
    require_leading(request.user, inspection)
    if inspection.state != InspectionState.DRAFT:
        messages.error(request, f"联合检查{inspection.get_state_display()}，方案不能再修改。")
        return redirect("inspections:detail", pk)
    form = LaunchForm(request.POST or None, user=request.user, inspection=inspection)

    def save(plan: dict[str, Any]) -> JointInspection:
        return services.change(inspection, **plan)

    return _form_page(request, form, save, inspection)


@needs(*CLERKS)
@require_POST
def scope_count(request: HttpRequest) -> HttpResponse:
    """How many institutions the form means at this moment, for HTMX."""
    scope = InstitutionScopeForm(request.POST, prefix=PREFIX)
    rule = SamplingForm(request.POST).rule
    context = _counted(request, scope, request.POST.get("scope_mode", ""), _picked(request), rule)
    return render(request, "inspections/partials/_scope_count.html", context)


@needs(*CLERKS)
@require_POST
def sampling_strata(request: HttpRequest) -> HttpResponse:
    """A field for the rate of each stratum, for HTMX."""
    context = {"sampling": SamplingForm(request.POST)}
    return render(request, "inspections/partials/_sampling_strata.html", context)


@needs(*CLERKS)
@require_POST
def sampling_printed(request: HttpRequest) -> HttpResponse:
    """What the chosen versions print of sampling, for HTMX."""
    context = {"printed": printed_rules(_versions_posted(request))}
    return render(request, "inspections/partials/_sampling_printed.html", context)


@needs(*CLERKS)
@require_POST
def sampling_adopt(request: HttpRequest) -> HttpResponse:
    """The fields of the rule, filled in by the printed text the clerk takes, for HTMX."""
    printed = printed_rules(_versions_posted(request))
    wanted = request.POST.get("adopt", "")
    rate = next((rule.rate for rule in printed if rule.text == wanted), None)
    sampling = SamplingForm.adopting(request.POST, rate) if rate else SamplingForm(request.POST)
    context = {"sampling": sampling, "printed": printed}
    response = render(request, "inspections/partials/_sampling_fields.html", context)
    return trigger_client_event(response, "sampling-adopted", after="settle")


@needs(*CLERKS)
@require_POST
def scope_search(request: HttpRequest) -> HttpResponse:
    """Institutions to pick by hand: those picked already, then those the search finds, for HTMX."""
    context = _choices(request, _picked(request), request.POST.get("hand_q", ""))
    return render(request, "inspections/partials/_scope_hand.html", context)


@needs(*CLERKS)
@require_POST
def submit_for_approval(request: HttpRequest, pk: int) -> HttpResponse:
    return _step(request, pk, services.submit_for_approval, "已提请负责人审批。")


@needs(Role.HEAD)
@require_POST
def approve(request: HttpRequest, pk: int) -> HttpResponse:
    return _step(request, pk, services.approve, "已批准，各参与部门已收到勾选通知。")


@needs(*CLERKS)
@require_POST
def send_in_emergency(request: HttpRequest, pk: int) -> HttpResponse:
    said = "已通知各参与部门，请本部门负责人按期补办审批。"
    return _step(request, pk, emergencies.send_in_emergency, said, reason=typed(request.POST, "reason"))


@needs(Role.HEAD)
@require_POST
def approve_afterwards(request: HttpRequest, pk: int) -> HttpResponse:
    return _step(request, pk, emergencies.approve_afterwards, "已补办审批。")


@needs(Role.HEAD)
@require_POST
def send_back(request: HttpRequest, pk: int) -> HttpResponse:
    return _step(request, pk, services.send_back, "已退回修改。", reason=typed(request.POST, "reason"))


@needs(*CLERKS)
@require_POST
def cancel(request: HttpRequest, pk: int) -> HttpResponse:
    return _step(request, pk, services.cancel, "已取消联合检查。", reason=typed(request.POST, "reason"))


@needs(*CLERKS)
@require_POST
def close_ticking(request: HttpRequest, pk: int) -> HttpResponse:
    return _step(request, pk, ticking.close_ticking, "勾选已截止。")


@needs(*CLERKS)
@require_POST
def extend_ticking(request: HttpRequest, pk: int) -> HttpResponse:
    form = ExtendForm(request.POST)
    if not form.is_valid():
        require_leading(request.user, _visible(request, pk))
        messages.error(request, "请填写新的截止时间，如 2026-03-06 17:00。")
        return redirect("inspections:detail", pk)
    return _step(request, pk, ticking.extend_ticking, "勾选期限已延长。", until=form.cleaned_data["until"])


@needs(*CLERKS)
@require_POST
def complete(request: HttpRequest, pk: int) -> HttpResponse:
    return _step(request, pk, services.complete, "联合检查已办结。")


def _round(request: HttpRequest) -> PlanRound | None:
    """The round of a plan the address names, when the account's department leads it."""
    pk = request.GET.get("round", "")
    leads = request.user.departments_as(*CLERKS)
    rounds = PlanRound.objects.filter(plan__lead_department__in=leads).select_related("plan")
    return get_object_or_404(rounds, pk=pk) if pk.isdecimal() else None


def _visible(request: HttpRequest, pk: int) -> JointInspection:
    rows = JointInspection.objects.visible_to(request.user).select_related("lead_department__group")
    return get_object_or_404(rows, pk=pk)


def _step(request: HttpRequest, pk: int, verb: Callable, said: str, **given: Any) -> HttpResponse:
    inspection = _visible(request, pk)
    try:
        verb(inspection, actor=request.user, **given)
    except DomainError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, said)
    return redirect("inspections:detail", pk)


def _form_page(
    request: HttpRequest,
    form: LaunchForm,
    save: Callable[[dict[str, Any]], JointInspection],
    inspection: JointInspection | None = None,
) -> HttpResponse:
    posted = request.method == "POST"
    scope = InstitutionScopeForm(request.POST if posted else _stored(inspection), prefix=PREFIX)
    rule = inspection.sampling if inspection else EVERYBODY
    sampling = SamplingForm(request.POST) if posted else SamplingForm(rule=rule)
    if posted and all([form.is_valid(), scope.is_valid(), sampling.is_valid()]):
        try:
            saved = save({**_plan(request, form, scope), "sampling": sampling.rule})
        except DomainError as error:
            _show(error, form)
        else:
            return _saved(request, saved)
    mode = request.POST.get("scope_mode", "") if posted else form["scope_mode"].initial
    picked = _picked(request) if posted else _hand_picked(inspection)
    context = {
        "form": form,
        "scope": scope,
        "sampling": sampling,
        "inspection": inspection,
        "kind_rules": [(kind.label, rule) for kind, rule in KIND_RULES.items()],
        "printed": printed_rules(_versions_posted(request) if posted else form["versions"].initial),
        **_counted(request, scope, mode, picked, sampling.rule if posted else rule),
        **_choices(request, picked, request.POST.get("hand_q", "")),
    }
    return render(request, "inspections/launch.html", context, status=422 if posted else 200)


def _plan(request: HttpRequest, form: LaunchForm, scope: InstitutionScopeForm) -> dict[str, Any]:
    plan = {**form.plan(), "by_hand": _picked(request), "actor": request.user}
    if form.cleaned_data["scope_mode"] == ScopeSource.FILTER:
        plan["scope_filter"] = scope.as_json()
        plan["by_filter"] = scope.filter(Institution.objects.all())
    return plan


def _saved(request: HttpRequest, inspection: JointInspection) -> HttpResponse:
    if request.POST.get("then") != "submit":
        messages.success(request, f"已保存“{inspection.name}”，尚未提请审批。")
        return redirect("inspections:detail", inspection.pk)
    return _step(request, inspection.pk, services.submit_for_approval, "已保存并提请负责人审批。")


def _show(error: DomainError, form: LaunchForm) -> None:
    for name, message in error.fields.items():
        form.add_error(name if name in form.fields else None, message)
    if not error.fields:
        form.add_error(None, error.message)


def _stored(inspection: JointInspection | None) -> dict[str, Any]:
    """The stored filter as the prefixed form reads it; {} means every institution."""
    stored = inspection.scope_filter if inspection else {}
    return {f"{PREFIX}-{name}": value for name, value in stored.items()}


def _picked(request: HttpRequest) -> list[int]:
    return [int(value) for value in request.POST.getlist("by_hand") if value.isdecimal()]


def _versions_posted(request: HttpRequest) -> QuerySet[ScenarioVersion]:
    chosen = [int(value) for value in request.POST.getlist("versions") if value.isdecimal()]
    return published_versions().filter(pk__in=chosen)


def _hand_picked(inspection: JointInspection | None) -> list[int]:
    if inspection is None:
        return []
    by_hand = inspection.candidates.filter(source=ScopeSource.HAND)
    return list(by_hand.values_list("institution", flat=True))


def _counted(
    request: HttpRequest,
    scope: InstitutionScopeForm,
    mode: str,
    picked: list[int],
    rule: SamplingRule | None,
) -> dict[str, Any]:
    """The numbers `launch` would arrive at, with what it leaves out and why."""
    seen = Institution.objects.visible_to(request.user)
    filtered = scope.filter(seen) if mode == ScopeSource.FILTER else seen.none()
    by_hand = seen.filter(pk__in=picked).exclude(operating_state=OperatingState.CLOSED)
    in_scope = seen.filter(Q(pk__in=filtered.in_operation().values("pk")) | Q(pk__in=by_hand.values("pk")))
    rows = strata.named(strata.expected(in_scope, rule), rule) if rule else None
    return {
        "total": in_scope.count() if rows is None else sum(row["members"] for row in rows),
        "sample": None if rows is None else sum(row["drawn"] for row in rows),
        "rule": rule,
        "strata": rows,
        "by_hand_count": by_hand.count(),
        "suspended": _left_out(filtered, OperatingState.SUSPENDED, picked),
        "closed": _left_out(filtered, OperatingState.CLOSED, []),
        "hand_suspended": by_hand.filter(operating_state=OperatingState.SUSPENDED).count(),
    }


def _left_out(filtered: QuerySet, state: OperatingState, picked: list[int]) -> int:
    return filtered.filter(operating_state=state).exclude(pk__in=picked).count()


def _choices(request: HttpRequest, picked: list[int], words: str) -> dict[str, Any]:
    seen = Institution.objects.visible_to(request.user).exclude(operating_state=OperatingState.CLOSED)
    seen = seen.select_related("town").order_by("name", "pk")
    found = seen.exclude(pk__in=picked)
    for word in words.split():
        found = found.filter(Q(name__icontains=word) | Q(uscc__icontains=word) | Q(address__icontains=word))
    shown = list(found[: SHOWN + 1])
    return {
        "chosen": seen.filter(pk__in=picked),
        "found": shown[:SHOWN],
        "more": len(shown) > SHOWN,
        "hand_q": words,
    }
