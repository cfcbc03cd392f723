"""审计留痕: entries, logins and failed logins, page by page, and as a file for 审计管理员."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Any

from axes.models import AccessFailureLog, AccessLog
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_GET, require_POST

from archive import services, trail
from archive.forms import LoginFilterForm, PeriodForm, TrailFilterForm
from archive.permissions import TRAIL_READERS
from departments.access import needs
from departments.enums import Role
from departments.models import User
from ledger.models import Entry


@dataclass(frozen=True)
class Room:
    """One kind of record: its rows, the column of their moment, its filter, and how it is written out."""

    key: str
    label: str
    rows: Callable[[], QuerySet]
    moment: str
    form: type[PeriodForm]
    readers: tuple[Role, ...]
    headings: tuple[str, ...]
    cells: Callable[[Iterable[Any]], Iterator[list[str]]]


ROOMS = {
    room.key: room
    for room in (
        Room(
            "entries",
            "办理留痕",
            lambda: Entry.objects.prefetch_related("chain"),  # a join would let the planner forget the order
            "at",
            TrailFilterForm,
            TRAIL_READERS,
            trail.EXPORTED,
            trail.entry_cells,
        ),
        Room(
            "logins",
            "登录",
            AccessLog.objects.all,
            "attempt_time",
            LoginFilterForm,
            (Role.AUDITOR,),
            trail.EXPORTED_LOGINS,
            trail.login_cells,
        ),
        Room(
            "failures",
            "登录失败与锁定",
            AccessFailureLog.objects.all,
            "attempt_time",
            LoginFilterForm,
            (Role.AUDITOR,),
            trail.EXPORTED_FAILURES,
            trail.failure_cells,
        ),
    )
}


@require_GET
@needs(*TRAIL_READERS)
def show(request: HttpRequest, room: str = "entries") -> HttpResponse:
    """A page of one kind of record, newest first."""
    here = _room(room, request.user)
    form = here.form(request.GET)
    cut = trail.cut(
        form.filter(here.rows()),
        moment=here.moment,
        before=request.GET.get("before", ""),
        after=request.GET.get("after", ""),
    )
    context = {
        "room": here,
        "form": form,
        "cut": cut,
        "rows": trail.lines(cut.rows) if here.key == "entries" else cut.rows,
        "tabs": _tabs(request.user, here),
        "chosen": form.said(),
        "may_export": request.user.holds(Role.AUDITOR),
        "reads_accounts": request.user.holds(Role.AUDITOR),
    }
    return render(request, f"archive/trail_{here.key}.html", context)


@require_POST
@needs(Role.AUDITOR)
def export(request: HttpRequest, room: str) -> HttpResponse | StreamingHttpResponse:
    """Everything the filter finds, as CSV, piece by piece; what was taken stands in the trail first."""
    here = _room(room, request.user)
    form = here.form(request.POST)
    rows, now = form.filter(here.rows()), timezone.now()
    count = rows.filter(**{f"{here.moment}__lte": now}).count()
    services.record_export(here.key, actor=request.user, entries=count, chosen=form.said())
    pieces = trail.all_of(rows, moment=here.moment, until=now)
    cells = chain.from_iterable(map(here.cells, pieces))
    response = StreamingHttpResponse(
        trail.csv_lines(here.headings, cells), content_type="text/csv; charset=utf-8"
    )
    name = f"{here.label}{timezone.localtime(now):%Y%m%d%H%M}.csv"
    response["Content-Disposition"] = content_disposition_header(True, name)
    response["Cache-Control"] = "no-store"
    return response


def _room(key: str, user: User) -> Room:
    room = ROOMS.get(key)
    if room is None or not user.holds(*room.readers):
        raise Http404
    return room


def _tabs(user: User, here: Room) -> list[dict]:
    return [
        {
            "label": room.label,
            "url": reverse("archive:trail", args=[] if room.key == "entries" else [room.key]),
            "active": room is here,
        }
        for room in ROOMS.values()
        if user.holds(*room.readers)
    ]
