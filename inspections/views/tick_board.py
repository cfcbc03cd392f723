"""The tick board: a department's own column to tick, everybody else's beside it, all of it live."""

from itertools import groupby
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET

from departments.access import polled, signed_in
from departments.models import User
from departments.permissions import CLERKS
from inspections.enums import ABSTAINING, InspectionState, ParticipationState, RequestState
from inspections.models import ItemRequest, JointInspection, Participation, Tick
from inspections.services import boards, ticking
from inspections.services.participation import is_open, is_open_to


@signed_in
@require_GET
def ticks(request: HttpRequest, pk: int) -> HttpResponse:
    """The whole board; opening it by a clerk of an invited department counts as having seen it."""
    inspection = get_object_or_404(_visible(request), pk=pk)
    context = in_full(board(request.user, inspection))
    for section in context["sections"]:
        participation = section["participation"]
        if section["open"] and participation.state == ParticipationState.INVITED:
            participation = ticking.see(participation, actor=request.user)
            section |= {"participation": participation, "head": boards.head_token(participation)}
    return render(request, "inspections/ticks.html", context)


@polled
@signed_in
@require_GET
def changes(request: HttpRequest, pk: int) -> HttpResponse:
    """What changed since the page was drawn, polled.

    The page says what it shows: `seen` a token an item, `head` a token a department (boards.token,
    boards.head_token). 204 when that is still all there is, otherwise the changed pieces out of band,
    and a reload when the ticking ended or began again.
    """
    inspection = get_object_or_404(_visible(request), pk=pk)
    context = board(request.user, inspection)
    if context["live"] != ("live" in request.GET):
        response = HttpResponse(status=286)
        response["HX-Refresh"] = "true"
        return response
    seen, heads = set(request.GET.getlist("seen")), set(request.GET.getlist("head"))
    asked = {token.split(":")[0]: token.split(":")[2:] for token in seen}
    moved = [section for section in context["sections"] if section["head"] not in heads]
    groups = []
    for group in [*context["sections"], *context["others"]]:
        lines = [line for line in group["lines"] if line["seen"] not in seen]
        if group in moved:
            continue
        if lines or group["head"] not in heads:
            requested = any(asked.get(str(line["tick"].pk)) != [line["asked"]] for line in lines)
            groups.append({**group, "changed": lines, "requested": requested})
    if not groups and not moved:
        return HttpResponse(status=204)
    context = in_full(context)
    return render(
        request, "inspections/partials/_ticks_changes.html", {**context, "moved": moved, "groups": groups}
    )


def _visible(request: HttpRequest) -> QuerySet[JointInspection]:
    return JointInspection.objects.visible_to(request.user).select_related("lead_department__group")


def board(user: User, inspection: JointInspection) -> dict[str, Any]:
    """What the board shows, in a fixed number of queries; a poll that changed nothing needs no more."""
    clerk_of = {department.pk for department in user.departments_as(*CLERKS)}
    participations = {
        row.department_id: row
        for row in inspection.participations.select_related("department__group", "answered_by")
    }
    own = [row for department, row in participations.items() if department in clerk_of]
    asked: dict[int, list[ItemRequest]] = {}
    requests = ItemRequest.objects.filter(tick__joint_inspection=inspection)
    for row in requests.select_related("department").order_by("pk"):
        asked.setdefault(row.tick_id, []).append(row)
    rows = inspection.ticks.select_related("department", "item", "changed_by").order_by(
        "department__order", "department", "item"
    )
    lines = {
        department: [_line(row, asked.get(row.pk, []), own) for row in group]
        for department, group in groupby(rows, key=lambda row: row.department_id)
    }
    open_to = _open_to(inspection, list(participations.values()))
    groups = [
        _group(row, lines.get(department, []), own=row in own, is_open=row.pk in open_to)
        for department, row in participations.items()
    ]
    return {
        "inspection": inspection,
        "open": is_open(inspection),
        "live": bool(open_to),
        "sections": [group for group in groups if group["own"]],
        "others": [group for group in groups if not group["own"]],
        "asking": own[0].department if own and is_open(inspection) else None,
    }


def in_full(context: dict[str, Any]) -> dict[str, Any]:
    """Add what only a drawn board needs: how many institutions each item concerns, and the round to copy from."""
    inspection = context["inspection"]
    counts = boards.applicable_counts(inspection)
    for group in [*context["sections"], *context["others"]]:
        for line in group["lines"]:
            line["applicable"] = counts.get(line["tick"].pk, 0)
    for section in context["sections"]:
        if section["open"]:
            section["last_round"] = ticking.last_round(inspection, section["participation"].department)
    return {**context, "total": inspection.candidates.count()}


def _open_to(inspection: JointInspection, participations: list[Participation]) -> set[int]:
    """Which participations may tick now; after the closing only those that may be late are asked about."""
    if is_open(inspection):
        return {row.pk for row in participations}
    if inspection.state != InspectionState.TICKING_CLOSED:
        return set()
    late = [row for row in participations if row.late_until]
    return {row.pk for row in late if is_open_to(row, inspection)}


def _line(tick: Tick, asked: list[ItemRequest], own: list[Participation]) -> dict[str, Any]:
    """One item with what was asked of its owner."""
    mine = [row for row in asked if any(row.department_id == p.department_id for p in own)]
    return {
        "tick": tick,
        "dialog": f"ask-{tick.pk}",
        "waiting": [row for row in asked if row.state == RequestState.REQUESTED],
        "request": mine[0] if mine else None,
        "may_ask": not tick.ticked and (not mine or mine[0].state == RequestState.REFUSED),
        "seen": boards.token(tick, asked),
        "asked": boards.asked_token(asked),
    }


def _group(
    participation: Participation, lines: list[dict[str, Any]], *, own: bool, is_open: bool
) -> dict[str, Any]:
    """One department's column."""
    return {
        "participation": participation,
        "lines": lines,
        "own": own,
        "open": is_open,
        "head": boards.head_token(participation),
        "ticked": sum(line["tick"].ticked for line in lines),
        "requests": [(line["tick"], row) for line in lines for row in line["waiting"]],
        "abstains": participation.state in ABSTAINING,
        "answered": participation.state == ParticipationState.ANSWERED,
    }
