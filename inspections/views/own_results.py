"""自建系统结果备案: the list, filing and correcting one, and what the lead says to it."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from core.errors import DomainError
from core.files import file_response
from core.forms import show_refusal, typed
from core.lists import list_page
from departments.access import needs, signed_in
from departments.permissions import CLERKS, require_role
from inspections.enums import OwnResultState
from inspections.forms.own_results import OwnResultFilterForm, OwnResultForm
from inspections.models import OwnResult
from inspections.services import own_results as services

SORTS = {"filed": "filed_at", "checked": "checked_on", "institution": "institution__name"}
RELATED = ("institution", "department", "lead_department", "filed_by", "decided_by", "attachment")


@signed_in
@require_GET
def own_result_list(request: HttpRequest) -> HttpResponse:
    """Every result this account sees."""
    form = OwnResultFilterForm(request.GET)
    rows = form.filter(OwnResult.objects.visible_to(request.user))
    rows = rows.select_related("institution", "department", "lead_department")
    context = {
        "form": form,
        "listing": list_page(request, rows, sorts=SORTS, default="-filed"),
        "may_file": request.user.holds(*CLERKS),
    }
    return render(request, "inspections/own_result_list.html", context)


@needs(*CLERKS)
@require_http_methods(["GET", "POST"])
def own_result_create(request: HttpRequest) -> HttpResponse:
    """File a result with the lead."""
    form = OwnResultForm(request.POST or None, request.FILES or None, user=request.user)
    return _form_page(request, form, lambda values: services.file_result(actor=request.user, **values))


@needs(*CLERKS)
@require_http_methods(["GET", "POST"])
def own_result_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Correct a returned result and file it again."""
    result = _visible(request, pk)
    require_role(request.user, CLERKS, result.department)
    if result.state != OwnResultState.RETURNED:
        messages.error(request, f"该结果{result.get_state_display()}，不能更正。")
        return redirect("inspections:own_result", pk)
    form = OwnResultForm(request.POST or None, request.FILES or None, user=request.user, result=result)

    def save(values: dict[str, Any]) -> OwnResult:
        kept = {name: value for name, value in values.items() if name != "department"}
        return services.correct_result(result, actor=request.user, **kept)

    return _form_page(request, form, save, result)


@signed_in
@require_GET
def own_result(request: HttpRequest, pk: int) -> HttpResponse:
    """One result, with what this account may do about it."""
    result = _visible(request, pk)
    decides = request.user.holds(*CLERKS, department=result.lead_department)
    files = request.user.holds(*CLERKS, department=result.department)
    context = {
        "result": result,
        "items": result.items.all(),
        "may_decide": decides and result.state == OwnResultState.AWAITING,
        "may_correct": files and result.state == OwnResultState.RETURNED,
    }
    return render(request, "inspections/own_result.html", context)


@signed_in
@require_GET
def own_result_attachment(request: HttpRequest, pk: int) -> FileResponse:
    """The attachment, for whoever sees the result."""
    result = _visible(request, pk)
    if result.attachment is None:
        raise Http404
    return file_response(result.attachment)


@needs(*CLERKS)
@require_POST
def own_result_confirm(request: HttpRequest, pk: int) -> HttpResponse:
    return _step(request, pk, services.confirm_result, "已备案，计入年度覆盖和一户一档。")


@needs(*CLERKS)
@require_POST
def own_result_return(request: HttpRequest, pk: int) -> HttpResponse:
    reason = typed(request.POST, "reason")
    return _step(request, pk, services.return_result, "已退回报备部门更正。", reason=reason)


def _visible(request: HttpRequest, pk: int) -> OwnResult:
    return get_object_or_404(OwnResult.objects.visible_to(request.user).select_related(*RELATED), pk=pk)


def _step(request: HttpRequest, pk: int, verb: Callable, said: str, **given: Any) -> HttpResponse:
    try:
        verb(_visible(request, pk), actor=request.user, **given)
    except DomainError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, said)
    return redirect("inspections:own_result", pk)


def _form_page(
    request: HttpRequest,
    form: OwnResultForm,
    save: Callable[[dict[str, Any]], OwnResult],
    result: OwnResult | None = None,
) -> HttpResponse:
    if form.is_valid():
        try:
            filed = save(form.values())
        except DomainError as error:
            show_refusal(form, error)
        else:
            messages.success(request, f"已报{filed.lead_department.short_name}备案，确认后计入年度覆盖。")
            return redirect("inspections:own_result", filed.pk)
    status = 422 if request.method == "POST" else 200
    return render(
        request, "inspections/own_result_form.html", {"form": form, "result": result}, status=status
    )
