"""Pages of the register: list, one institution, entering and changing it, recusals."""

from collections.abc import Iterable
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from core.errors import DomainError
from core.forms import show_refusal
from core.lists import list_page
from departments.access import needs, signed_in
from departments.enums import Role
from departments.permissions import CLERKS
from institutions import services
from institutions.enums import TRANSITIONS, OperatingState
from institutions.forms import InstitutionFilterForm, InstitutionForm, RecusalForm, StateForm
from institutions.models import Institution, Recusal
from institutions.permissions import keeps_register, may_recuse, recusable_by, require_keeper

# Which department keeps the register is settled by `require_keeper`.
KEEPERS = (*CLERKS, Role.DEPARTMENT_ADMIN, Role.SYSTEM_ADMIN)
SORTS = {"name": "name", "town": "town__code", "kind": "kind", "beds": "beds", "filed_on": "filed_on"}
RECUSAL_SORTS = {"since": "since", "officer": "officer__user__name", "institution": "institution__name"}


@signed_in
def institution_list(request: HttpRequest) -> HttpResponse:
    form = InstitutionFilterForm(request.GET)
    rows = form.filter(Institution.objects.visible_to(request.user)).select_related("town")
    context = {
        "form": form,
        "listing": list_page(request, rows, sorts=SORTS, default="name"),
        "may_register": keeps_register(request.user),
    }
    return render(request, "institutions/list.html", context)


@signed_in
def institution_detail(request: HttpRequest, key: UUID) -> HttpResponse:
    return _detail(request, _institution(request, key))


@needs(*KEEPERS)
def institution_create(request: HttpRequest) -> HttpResponse:
    require_keeper(request.user)
    form = InstitutionForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            institution = services.register(actor=request.user, **form.cleaned_data)
        except DomainError as error:
            show_refusal(form, error)
        else:
            messages.success(request, f"已登记“{institution.name}”。")
            return redirect("institutions:detail", institution.key)
    return render(request, "institutions/form.html", {"form": form}, status=422 if form.errors else 200)


@needs(*KEEPERS)
def institution_edit(request: HttpRequest, key: UUID) -> HttpResponse:
    institution = _institution(request, key)
    require_keeper(request.user)
    name = institution.name
    form = InstitutionForm(request.POST or None, instance=institution)
    if request.method == "POST" and form.is_valid():
        try:
            institution = services.change(institution, actor=request.user, **form.cleaned_data)
        except DomainError as error:
            show_refusal(form, error)
        else:
            messages.success(request, f"已保存“{institution.name}”的登记信息。")
            return redirect("institutions:detail", institution.key)
    context = {"form": form, "institution": institution, "name": name}
    return render(request, "institutions/form.html", context, status=422 if form.errors else 200)


@needs(*KEEPERS)
def institution_set_state(request: HttpRequest, key: UUID) -> HttpResponse:
    """A page of its own: the step needs a day and a reason, and says what follows from it."""
    institution = _institution(request, key)
    require_keeper(request.user)
    form = StateForm(request.POST or None, institution=institution)
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data
        try:
            institution = services.set_operating_state(
                institution, values["state"], actor=request.user, reason=values["reason"], on=values["on"]
            )
        except DomainError as error:
            show_refusal(form, error)
        else:
            state = institution.get_operating_state_display()
            messages.success(request, f"“{institution.name}”的运营状态已变更为{state}。")
            return redirect("institutions:detail", institution.key)
    context = {"form": form, "institution": institution}
    return render(request, "institutions/set_state.html", context, status=422 if form.errors else 200)


@signed_in
def recusal_list(request: HttpRequest) -> HttpResponse:
    """回避登记: who must not inspect whom, as far as it concerns the user's departments."""
    rows = Recusal.objects.visible_to(request.user).select_related(
        "officer__user", "officer__department", "institution__town"
    )
    listing = list_page(request, rows, sorts=RECUSAL_SORTS, default="-since")
    context = {"listing": listing, "recusals": _removable(request, listing)}
    return render(request, "institutions/recusals.html", context)


@require_POST
@signed_in
def recusal_add(request: HttpRequest, key: UUID) -> HttpResponse:
    institution = _institution(request, key)
    if not recusable_by(request.user).exists():
        raise PermissionDenied("回避由执法人员本人或其所在部门的部门管理员登记。")
    form = RecusalForm(request.POST, user=request.user, institution=institution)
    if not form.is_valid():
        return _detail(request, institution, recusal_form=form, status=422)
    recusal = services.recuse(
        form.cleaned_data["officer"], institution, actor=request.user, reason=form.cleaned_data["reason"]
    )
    messages.success(request, f"已登记：{recusal.officer}回避“{institution.name}”。")
    return redirect("institutions:detail", institution.key)


@require_POST
@signed_in
def recusal_end(request: HttpRequest, pk: int) -> HttpResponse:
    visible = Recusal.objects.visible_to(request.user).select_related("officer__user", "institution")
    recusal = get_object_or_404(visible, pk=pk)
    services.end_recusal(recusal, actor=request.user)
    messages.success(request, f"已撤销{recusal.officer}对“{recusal.institution.name}”的回避。")
    if request.POST.get("back") == "institution":
        return redirect("institutions:detail", recusal.institution.key)
    return redirect("institutions:recusals")


def _institution(request: HttpRequest, key: UUID) -> Institution:
    return get_object_or_404(Institution.objects.visible_to(request.user).select_related("town"), key=key)


def _detail(
    request: HttpRequest,
    institution: Institution,
    *,
    recusal_form: RecusalForm | None = None,
    status: int = 200,
) -> HttpResponse:
    user = request.user
    recusals = Recusal.objects.visible_to(user).filter(institution=institution)
    changes = institution.state_changes.select_related("changed_by")
    if recusal_form is None and recusable_by(user).exclude(recusals__institution=institution).exists():
        recusal_form = RecusalForm(user=user, institution=institution)
    context = {
        "institution": institution,
        "may_change": keeps_register(user),
        "states": TRANSITIONS[OperatingState(institution.operating_state)],
        "state_changes": [
            {
                "when": change.on,
                "title": f"{change.get_from_state_display()} → {change.get_to_state_display()}",
                "actor": change.changed_by.name,
                "body": change.reason,
            }
            for change in changes
        ],
        "recusals": _removable(request, recusals.select_related("officer__user", "officer__department")),
        "recusal_form": recusal_form,
        "back": {"back": "institution"},
    }
    return render(request, "institutions/detail.html", context, status=status)


def _removable(request: HttpRequest, recusals: Iterable[Recusal]) -> list[dict]:
    return [
        {"recusal": recusal, "may_end": may_recuse(request.user, recusal.officer)} for recusal in recusals
    ]
