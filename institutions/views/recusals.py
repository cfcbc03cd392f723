"""回避: who must not inspect whom."""

from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from core.lists import list_page
from departments.access import signed_in
from departments.models import Officer
from institutions import services
from institutions.forms import RecusalForm
from institutions.models import Recusal
from institutions.permissions import recusable_by
from institutions.views.register import detail_page, institution_or_404, removable

RECUSAL_SORTS = {"since": "since", "officer": "officer__user__name", "institution": "institution__name"}


@signed_in
def recusal_list(request: HttpRequest) -> HttpResponse:
    """回避登记: who must not inspect whom, as far as it concerns the user's departments; `?officer=` one person's."""
    rows = Recusal.objects.visible_to(request.user).select_related(
        "officer__user", "officer__department", "institution__town"
    )
    given = request.GET.get("officer", "")
    officers = Officer.objects.visible_to(request.user).select_related("user")
    officer = officers.filter(pk=given).first() if given.isdecimal() and len(given) < 19 else None
    if officer:
        rows = rows.filter(officer=officer)
    listing = list_page(request, rows, sorts=RECUSAL_SORTS, default="-since")
    context = {"listing": listing, "recusals": removable(request, listing), "officer": officer}
    return render(request, "institutions/recusals.html", context)


@require_POST
@signed_in
def recusal_add(request: HttpRequest, key: UUID) -> HttpResponse:
    institution = institution_or_404(request, key)
    if not recusable_by(request.user).exists():
        raise PermissionDenied("回避由执法人员本人或其所在部门的部门管理员登记。")
    form = RecusalForm(request.POST, user=request.user, institution=institution)
    if not form.is_valid():
        return detail_page(request, institution, recusal_form=form, status=422)
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
