"""What a clerk does on the tick board: tick, answer, ask others, and what the lead allows afterwards."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_POST

from core.errors import DomainError
from core.forms import typed
from departments.access import needs
from departments.permissions import CLERKS
from inspections.forms.ticking import LateForm, TickForm, seen_revs
from inspections.models import ItemRequest, JointInspection, Participation, Tick
from inspections.permissions import require_leading, require_ticking
from inspections.services import boards, ticking
from inspections.services.participation import is_open_to
from inspections.views.tick_board import board, in_full


@needs(*CLERKS)
@require_POST
def tick(request: HttpRequest, pk: int) -> HttpResponse:
    """Tick or untick one item; a colleague's newer value is shown, and the clerk chooses."""
    row = _visible_tick(request, pk)
    require_ticking(request.user, row.joint_inspection, row.department)
    form = TickForm(request.POST)
    if not form.is_valid():
        return _refuse(request, row, "备注最多 500 字，未保存。")
    given = form.cleaned_data
    try:
        row = ticking.tick(
            row, ticked=given["ticked"], note=given["note"], rev=given["rev"], actor=request.user
        )
    except ticking.StaleTickError as error:
        return _conflict(request, error, given)
    except DomainError as error:
        return _refuse(request, row, error.message)
    if not request.htmx:
        messages.success(request, f"已保存“{row.item.name}”。")
        return redirect("inspections:ticks", row.joint_inspection_id)
    if "whole" in request.POST:
        return _whole(request, row)
    return render(request, "inspections/partials/_tick_saved.html", _saved(row))


@needs(*CLERKS)
@require_GET
def tick_row(request: HttpRequest, pk: int) -> HttpResponse:
    """One item as it stands, when the clerk keeps what the colleague wrote."""
    return _whole(request, _visible_tick(request, pk))


@needs(*CLERKS)
@require_POST
def tick_all(request: HttpRequest, pk: int) -> HttpResponse:
    """Tick or untick all the department's items as this page showed them."""
    ticked = request.POST.get("ticked") == "1"
    verb = "已勾选" if ticked else "已取消"
    return _many(request, pk, ticking.tick_all, verb, ticked=ticked)


@needs(*CLERKS)
@require_POST
def copy_last(request: HttpRequest, pk: int) -> HttpResponse:
    """Tick what the department ticked in its last round of the same scenario."""
    return _many(request, pk, ticking.copy_last, "已按上一次勾选")


@needs(*CLERKS)
@require_POST
def answer(request: HttpRequest, pk: int) -> HttpResponse:
    return _step(request, _visible_participation(request, pk), ticking.answer, "已提交勾选，截止前仍可修改。")


@needs(*CLERKS)
@require_POST
def decline(request: HttpRequest, pk: int) -> HttpResponse:
    reason = typed(request.POST, "reason")
    return _step(
        request, _visible_participation(request, pk), ticking.decline, "已答复不参加。", reason=reason
    )


@needs(*CLERKS)
@require_POST
def own_system(request: HttpRequest, pk: int) -> HttpResponse:
    system = request.POST.get("system", "")
    said = "已答复使用自建系统，检查后请将结果报牵头部门备案。"
    return _step(request, _visible_participation(request, pk), ticking.use_own_system, said, system=system)


@needs(*CLERKS)
@require_POST
def rejoin(request: HttpRequest, pk: int) -> HttpResponse:
    return _step(
        request, _visible_participation(request, pk), ticking.rejoin, "已改为参加，请勾选后重新提交。"
    )


@needs(*CLERKS)
@require_POST
def request_item(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask the owner of an item to tick it, for the department named in the form."""
    row = _visible_tick(request, pk)
    department = (
        next(
            (
                department
                for department in request.user.departments_as(*CLERKS)
                if str(department.pk) == request.POST.get("department")
            ),
            None,
        )
        or request.user.departments_as(*CLERKS)[0]
    )
    said = f"已提请{row.department.short_name}勾选。"
    reason = typed(request.POST, "reason")
    return _step(request, row, ticking.request_item, said, department=department, reason=reason)


@needs(*CLERKS)
@require_POST
def refuse_request(request: HttpRequest, pk: int) -> HttpResponse:
    asked = ItemRequest.objects.filter(tick__joint_inspection__in=_visible(request).values("pk"))
    asked = get_object_or_404(
        asked.select_related("tick__joint_inspection", "tick__department__group"), pk=pk
    )
    try:
        ticking.refuse_request(asked, answer=typed(request.POST, "answer"), actor=request.user)
    except DomainError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, "已答复提请。")
    return redirect("inspections:ticks", asked.tick.joint_inspection_id)


@needs(*CLERKS)
@require_POST
def allow_late(request: HttpRequest, pk: int) -> HttpResponse:
    """The lead lets one department tick after the closing."""
    inspection = get_object_or_404(_visible(request), pk=pk)
    require_leading(request.user, inspection)
    form = LateForm(request.POST, inspection=inspection)
    if not form.is_valid():
        messages.error(request, "".join(error for errors in form.errors.values() for error in errors))
        return redirect("inspections:detail", pk)
    given = form.cleaned_data
    participation = given["participation"]
    try:
        ticking.allow_late(participation, until=given["until"], reason=given["reason"], actor=request.user)
    except DomainError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, f"已准许{participation.department.short_name}补勾，并已告知。")
    return redirect("inspections:detail", pk)


def _visible(request: HttpRequest) -> QuerySet[JointInspection]:
    return JointInspection.objects.visible_to(request.user).select_related("lead_department__group")


def _visible_tick(request: HttpRequest, pk: int) -> Tick:
    rows = Tick.objects.filter(joint_inspection__in=_visible(request).values("pk"))
    rows = rows.select_related("joint_inspection", "department__group", "item", "changed_by")
    return get_object_or_404(rows, pk=pk)


def _visible_participation(request: HttpRequest, pk: int) -> Participation:
    rows = Participation.objects.filter(joint_inspection__in=_visible(request).values("pk"))
    return get_object_or_404(
        rows.select_related("joint_inspection__lead_department", "department__group"), pk=pk
    )


def _step(
    request: HttpRequest, row: Participation | Tick, verb: Callable, said: str, **given: Any
) -> HttpResponse:
    try:
        verb(row, actor=request.user, **given)
    except DomainError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, said)
    return redirect("inspections:ticks", row.joint_inspection_id)


def _many(request: HttpRequest, pk: int, verb: Callable, done: str, **given: Any) -> HttpResponse:
    """Change many items as this page showed them, and show the department's column again."""
    participation = _visible_participation(request, pk)
    revs = seen_revs(request.POST.getlist("seen"))
    try:
        changed, left = verb(participation, revs=revs, actor=request.user, **given)
    except DomainError as error:
        said, tone = error.message, "danger"
    else:
        said, tone = f"{done} {changed} 项。", "success"
        if left:
            said, tone = f"{said}另有 {left} 项刚被同事修改，未改动，请核对。", "warning"
    context = in_full(board(request.user, participation.joint_inspection))
    section = next(s for s in context["sections"] if s["participation"].pk == participation.pk)
    return render(
        request,
        "inspections/partials/_ticks_own.html",
        {**context, "section": section, "said": said, "tone": tone},
    )


def _saved(row: Tick) -> dict[str, Any]:
    own = Tick.objects.filter(joint_inspection=row.joint_inspection_id, department=row.department_id)
    return {
        "tick": row,
        "seen": boards.token(row, row.requests.all()),
        "ticked": own.filter(ticked=True).count(),
        "total_items": own.count(),
    }


def _whole(request: HttpRequest, row: Tick) -> HttpResponse:
    inspection = row.joint_inspection
    saved = _saved(row)
    applicable = boards.applicable_counts(inspection).get(row.pk, 0)
    participation = inspection.participations.get(department=row.department_id)
    context = {
        "line": {"tick": row, "applicable": applicable, "seen": saved["seen"]},
        "open": is_open_to(participation, inspection),
        "total": inspection.candidates.count(),
        "swap_count": True,
        **saved,
    }
    return render(request, "inspections/partials/_tick_item.html", context)


def _conflict(request: HttpRequest, error: ticking.StaleTickError, given: dict[str, Any]) -> HttpResponse:
    if not request.htmx:
        messages.error(request, error.message)
        return redirect("inspections:ticks", error.current.joint_inspection_id)
    current = error.current
    seen = boards.token(current, current.requests.all())
    context = {"tick": current, "seen": seen, "message": error.message, "mine": given}
    response = render(request, "inspections/partials/_tick_conflict.html", context, status=409)
    response["HX-Retarget"] = f"#tick-{error.current.pk}"
    response["HX-Reswap"] = "outerHTML"
    return response


def _refuse(request: HttpRequest, row: Tick, message: str) -> HttpResponse:
    if not request.htmx:
        messages.error(request, message)
        return redirect("inspections:ticks", row.joint_inspection_id)
    context = {"tick": row, "message": message}
    return render(request, "inspections/partials/_tick_saved.html", {**_saved(row), **context}, status=409)
