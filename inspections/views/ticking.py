"""The tick board: a department's own items to tick, everybody else's to read and to ask for."""

from collections.abc import Callable
from itertools import groupby
from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_POST

from core.errors import DomainError
from departments.access import needs, polled, signed_in
from departments.permissions import CLERKS
from inspections.enums import ParticipationState, RequestState
from inspections.forms.ticking import TickForm, seen_revs
from inspections.models import ItemRequest, JointInspection, Participation, Tick
from inspections.permissions import require_ticking
from inspections.services import boards, ticking
from inspections.services.participation import is_open


@signed_in
@require_GET
def ticks(request: HttpRequest, pk: int) -> HttpResponse:
    """The whole board; opening it by a clerk of an invited department counts as having seen it."""
    inspection = get_object_or_404(_visible(request), pk=pk)
    context = _count_applicable(_board(request, inspection))
    if context["open"]:
        for section in context["sections"]:
            participation = section["participation"]
            if participation.state == ParticipationState.INVITED:
                section["participation"] = ticking.see(participation, actor=request.user)
    return render(request, "inspections/ticks.html", context)


@polled
@signed_in
@require_GET
def others(request: HttpRequest, pk: int) -> HttpResponse:
    """Other departments' columns, polled: 204 when nothing changed, a reload when ticking ended."""
    inspection = get_object_or_404(_visible(request), pk=pk)
    context = _board(request, inspection)
    if not context["open"]:
        response = HttpResponse(status=286)
        response["HX-Refresh"] = "true"
        return response
    if context["stamp"] == request.GET.get("seen"):
        return HttpResponse(status=204)
    return render(request, "inspections/partials/_ticks_others.html", _count_applicable(context))


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
    participation = _visible_participation(request, pk)
    ticked = request.POST.get("ticked") == "1"
    revs = seen_revs(request.POST.getlist("seen"))
    try:
        changed, left = ticking.tick_all(participation, ticked=ticked, revs=revs, actor=request.user)
    except DomainError as error:
        said, tone = error.message, "danger"
    else:
        said, tone = f"已{'勾选' if ticked else '取消'} {changed} 项。", "success"
        if left:
            said, tone = f"{said}另有 {left} 项刚被同事修改，未改动，请核对。", "warning"
    inspection = participation.joint_inspection
    context = _count_applicable(_board(request, inspection))
    section = next(s for s in context["sections"] if s["participation"].pk == participation.pk)
    return render(
        request,
        "inspections/partials/_ticks_own.html",
        {**context, "section": section, "said": said, "tone": tone},
    )


@needs(*CLERKS)
@require_POST
def answer(request: HttpRequest, pk: int) -> HttpResponse:
    return _step(request, _visible_participation(request, pk), ticking.answer, "已提交勾选，截止前仍可修改。")


@needs(*CLERKS)
@require_POST
def decline(request: HttpRequest, pk: int) -> HttpResponse:
    reason = request.POST.get("reason", "")
    return _step(
        request, _visible_participation(request, pk), ticking.decline, "已答复不参加。", reason=reason
    )


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
    reason = request.POST.get("reason", "")
    return _step(request, row, ticking.request_item, said, department=department, reason=reason)


@needs(*CLERKS)
@require_POST
def refuse_request(request: HttpRequest, pk: int) -> HttpResponse:
    asked = ItemRequest.objects.filter(tick__joint_inspection__in=_visible(request).values("pk"))
    asked = get_object_or_404(
        asked.select_related("tick__joint_inspection", "tick__department__group"), pk=pk
    )
    try:
        ticking.refuse_request(asked, answer=request.POST.get("answer", ""), actor=request.user)
    except DomainError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, "已答复提请。")
    return redirect("inspections:ticks", asked.tick.joint_inspection_id)


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


def _board(request: HttpRequest, inspection: JointInspection) -> dict[str, Any]:
    """What the board shows, in a fixed number of queries; a poll that changed nothing needs no more."""
    clerk_of = {department.pk for department in request.user.departments_as(*CLERKS)}
    participations = {
        row.department_id: row
        for row in inspection.participations.select_related("department__group", "answered_by")
    }
    own = [row for department, row in participations.items() if department in clerk_of]
    asked: dict[int, list[ItemRequest]] = {}
    for row in ItemRequest.objects.filter(tick__joint_inspection=inspection).select_related("department"):
        asked.setdefault(row.tick_id, []).append(row)
    rows = inspection.ticks.select_related("department", "item", "changed_by").order_by(
        "department__order", "department", "item"
    )
    sections, foreign = {row.department_id: [] for row in own}, []
    for department, group in groupby(rows, key=lambda row: row.department_id):
        lines = [_line(row, asked.get(row.pk, []), own) for row in group]
        if department in sections:
            sections[department] = lines
        else:
            foreign.append({"participation": participations[department], "lines": lines})
    return {
        "inspection": inspection,
        "open": is_open(inspection),
        "sections": [_section(row, sections[row.department_id]) for row in own],
        "others": foreign,
        "asking": own[0].department if own and is_open(inspection) else None,
        "stamp": boards.stamp(
            [
                (g["participation"].state, [(line["tick"].rev, line["stamp"]) for line in g["lines"]])
                for g in foreign
            ],
            [[line["stamp"] for line in sections[row.department_id]] for row in own],
        ),
    }


def _count_applicable(context: dict[str, Any]) -> dict[str, Any]:
    """Add how many institutions in scope each item concerns."""
    inspection = context["inspection"]
    counts = boards.applicable_counts(inspection)
    for group in [*context["sections"], *context["others"]]:
        for line in group["lines"]:
            line["applicable"] = counts.get(line["tick"].pk, 0)
    return {**context, "total": inspection.candidates.count()}


def _line(tick: Tick, asked: list[ItemRequest], own: list[Participation]) -> dict[str, Any]:
    """One item with how many institutions it concerns and what was asked of its owner."""
    mine = [row for row in asked if any(row.department_id == p.department_id for p in own)]
    return {
        "tick": tick,
        "dialog": f"ask-{tick.pk}",
        "waiting": [row for row in asked if row.state == RequestState.REQUESTED],
        "request": mine[0] if mine else None,
        "may_ask": not tick.ticked and (not mine or mine[0].state == RequestState.REFUSED),
        "stamp": [(row.pk, row.state) for row in asked],
    }


def _section(participation: Participation, lines: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "participation": participation,
        "lines": lines,
        "ticked": sum(line["tick"].ticked for line in lines),
        "requests": [(line["tick"], row) for line in lines for row in line["waiting"]],
        "declined": participation.state == ParticipationState.DECLINED,
        "answered": participation.state == ParticipationState.ANSWERED,
    }


def _saved(row: Tick) -> dict[str, Any]:
    own = Tick.objects.filter(joint_inspection=row.joint_inspection_id, department=row.department_id)
    return {
        "tick": row,
        "ticked": own.filter(ticked=True).count(),
        "total_items": own.count(),
    }


def _whole(request: HttpRequest, row: Tick) -> HttpResponse:
    inspection = row.joint_inspection
    line = {"tick": row, "applicable": boards.applicable_counts(inspection).get(row.pk, 0)}
    context = {
        "line": line,
        "open": is_open(inspection),
        "total": inspection.candidates.count(),
        "swap_count": True,
        **_saved(row),
    }
    return render(request, "inspections/partials/_tick_item.html", context)


def _conflict(request: HttpRequest, error: ticking.StaleTickError, given: dict[str, Any]) -> HttpResponse:
    if not request.htmx:
        messages.error(request, error.message)
        return redirect("inspections:ticks", error.current.joint_inspection_id)
    context = {"tick": error.current, "message": error.message, "mine": given}
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
