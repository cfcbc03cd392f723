"""The pages of an import, the same for every register: upload → progress → preview → confirm → done.

    path("import/", include(import_patterns(INSTITUTIONS, at="institutions", home="institutions:list",
                                            access=needs(*KEEPERS), polled=polled)))

gives `institutions:import`, `import_template`, `import_run`, `import_progress`, `import_faulty`,
`import_confirm`, `import_discard` and `import_retry`. Ground and apps differ only in what `access`
and `polled` mean, so the caller hands them down.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import update_wrapper
from typing import Any

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_GET, require_POST

from core.enums import ImportState, Verdict
from core.errors import DomainError
from core.files import workbook_response
from core.lists import PER_PAGE
from core.models import ImportRun, StagedRow
from core.registers import runs, workbooks
from core.registers.columns import Column
from core.registers.register import Register
from core.spreadsheets.grids import coordinate

REMARKED = "REMARKED"
SHOWN_FIELDS = 5


class WorkbookForm(forms.Form):
    file = forms.FileField(
        label="工作簿",
        help_text="Excel 工作簿（.xlsx、.xls）或 CSV，表头上方可以有标题行。",
        widget=forms.ClearableFileInput(attrs={"accept": ".xlsx,.xls,.csv"}),
        error_messages={"required": "请选择要导入的工作簿。", "empty": "文件是空的，未保存。"},
    )


@dataclass(frozen=True)
class Place:
    """Where a register's import lives: the namespace of its addresses, and the list it leads back to."""

    register: Register
    at: str
    home: str

    def url(self, name: str, *args: Any) -> str:
        return reverse(f"{self.at}:{name}", args=args)

    def context(self, run: ImportRun | None = None) -> dict[str, Any]:
        own = ("import_run", "import_progress", "import_faulty", "import_confirm", "import_discard")
        urls = {name: self.url(name, run.pk) for name in (*own, "import_retry")} if run else {}
        return {
            "register": self.register,
            "home": reverse(self.home),
            "upload_url": self.url("import"),
            "template_url": self.url("import_template"),
            "run": run,
            **{f"{name.removeprefix('import_')}_url": url for name, url in urls.items()},
        }


def import_patterns(
    register: Register, *, at: str, home: str, access: Callable, polled: Callable
) -> list[URLPattern]:
    """The addresses of a register's import, below the path they are included at."""
    place = Place(register, at, home)

    def page(route: str, view: Callable, name: str) -> URLPattern:
        def bound(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            register.require(request.user)
            return view(request, place, *args, **kwargs)

        return path(route, access(update_wrapper(bound, view)), name=name)

    return [
        page("", upload, "import"),
        page("template/", template, "import_template"),
        page("<uuid:pk>/", show, "import_run"),
        page("<uuid:pk>/progress/", polled(progress), "import_progress"),
        page("<uuid:pk>/faulty/", faulty, "import_faulty"),
        page("<uuid:pk>/confirm/", confirm, "import_confirm"),
        page("<uuid:pk>/discard/", discard, "import_discard"),
        page("<uuid:pk>/retry/", retry, "import_retry"),
    ]


def upload(request: HttpRequest, place: Place) -> HttpResponse:
    posted = request.method == "POST"
    form = WorkbookForm(request.POST, request.FILES) if posted else WorkbookForm()
    if posted and form.is_valid():
        try:
            run = runs.begin(place.register, form.cleaned_data["file"], actor=request.user)
        except DomainError as error:
            form.add_error("file", error.message)
        else:
            return redirect(place.url("import_run", run.pk))
    mine = [
        {"run": run, "url": place.url("import_run", run.pk)}
        for run in runs.of(place.register, request.user.key)[:5]
    ]
    context = {**place.context(), "form": form, "mine": mine}
    return render(request, "core/import_upload.html", context, status=422 if posted else 200)


@require_GET
def template(request: HttpRequest, place: Place) -> HttpResponse:
    book = workbooks.template(place.register, place.register.columns(request.user.key))
    return workbook_response(workbooks.saved(book), f"{place.register.title}导入模板.xlsx")


@require_GET
def show(request: HttpRequest, place: Place, pk: Any) -> HttpResponse:
    """The run as it stands: its progress, what confirming it would do, or what it did."""
    run = _run(request, place, pk)
    job = runs.newest_job(run)
    if run.state in (ImportState.READING, ImportState.WRITING) and job and not job.is_active:
        # It ended between the two queries; without this the page would say so for ever.
        run = _run(request, place, pk)
    context = {**place.context(run), "job": job}
    if run.state == ImportState.READY:
        context |= _preview(request, place, run)
    return render(request, "core/import_run.html", context)


@require_GET
def progress(request: HttpRequest, place: Place, pk: Any) -> HttpResponse:
    """The progress bar, polled; the last answer (286) reloads the page."""
    run = _run(request, place, pk)
    job = runs.newest_job(run)
    going_on = job is not None and job.is_active
    context = {**place.context(run), "job": job}
    response = render(request, "core/partials/_import_job.html", context, status=200 if going_on else 286)
    if not going_on:
        response["HX-Refresh"] = "true"
    return response


@require_GET
def faulty(request: HttpRequest, place: Place, pk: Any) -> HttpResponse:
    run = _run(request, place, pk)
    book = workbooks.faulty_rows(run, place.register)
    return workbook_response(workbooks.saved(book), f"{place.register.title}有误的行.xlsx")


@require_POST
def confirm(request: HttpRequest, place: Place, pk: Any) -> HttpResponse:
    run = _run(request, place, pk)
    try:
        runs.confirm(run, place.register, actor=request.user, leave_out="leave_out" in request.POST)
    except DomainError as error:
        messages.error(request, error.message)
    return redirect(place.url("import_run", run.pk))


@require_POST
def discard(request: HttpRequest, place: Place, pk: Any) -> HttpResponse:
    run = _run(request, place, pk)
    try:
        runs.discard(run)
    except DomainError as error:
        messages.error(request, error.message)
        return redirect(place.url("import_run", run.pk))
    messages.success(request, f"已放弃导入“{run.file.name}”，{place.register.title}没有变动。")
    return redirect(place.url("import"))


@require_POST
def retry(request: HttpRequest, place: Place, pk: Any) -> HttpResponse:
    run = _run(request, place, pk)
    try:
        runs.retry(run)
    except DomainError as error:
        messages.error(request, error.message)
    return redirect(place.url("import_run", run.pk))


def _run(request: HttpRequest, place: Place, pk: Any) -> ImportRun:
    return get_object_or_404(runs.of(place.register, request.user.key), pk=pk)


def _preview(request: HttpRequest, place: Place, run: ImportRun) -> dict[str, Any]:
    """What confirming would do, a page of one verdict at a time; errors first where there are any."""
    columns = {column.name: column for column in place.register.columns(run.actor)}
    remarked = run.rows.exclude(remarks={})
    counts = {
        Verdict.FAULTY.value: run.faulty,
        Verdict.NEW.value: run.new,
        Verdict.CHANGED.value: run.changed,
        Verdict.UNCHANGED.value: run.unchanged,
        REMARKED: remarked.count(),
    }
    given = request.GET.get("show")
    shown = given if given in counts else next((name for name, count in counts.items() if count), REMARKED)
    rows = remarked if shown == REMARKED else run.rows.filter(verdict=shown)
    page = Paginator(rows.order_by("line"), PER_PAGE).get_page(request.GET.get("page"))
    labels = dict(Verdict.choices) | {REMARKED: "请留意"}
    here = place.url("import_run", run.pk)
    return {
        "counts": counts,
        "shown": shown,
        "page": page,
        "rows": [_row(run, row, columns) for row in page],
        "fields": [columns[name].heading for name in _first_fields(run, columns)],
        "sections": [
            {
                "label": labels[name],
                "url": f"{here}?show={name}",
                "active": name == shown,
                "count": count,
            }
            for name, count in counts.items()
            if count
        ],
        "imported_before": runs.imported_before(run),
        "to_write": run.new + run.changed,
    }


def _first_fields(run: ImportRun, columns: dict[str, Column]) -> list[str]:
    """As many fields as a table holds, in the register's own order."""
    return [name for name in columns if name in run.columns][:SHOWN_FIELDS]


def _row(run: ImportRun, row: StagedRow, columns: dict[str, Column]) -> dict[str, Any]:
    def told(name: str, **more: Any) -> dict[str, Any]:
        column = columns.get(name)
        place = coordinate(row.line, run.columns[name]) if name in run.columns else ""
        return {"cell": place, "heading": column.heading if column else name, **more}

    def in_order(told_of: dict[str, Any]) -> list[str]:
        return sorted(told_of, key=lambda name: run.columns.get(name, 0))

    def value(name: str, values: dict[str, Any]) -> Any:
        return columns[name].told(values.get(name)) if name in columns else ""

    return {
        "line": row.line,
        "verdict": row.verdict,
        "label": row.get_verdict_display(),
        "cells": [told(name, shown=value(name, row.values)) for name in _first_fields(run, columns)],
        "errors": [
            told(name, shown=row.errors[name][0] or value(name, row.values), reason=row.errors[name][1])
            for name in in_order(row.errors)
        ],
        "changes": [
            told(name, old=value(name, row.before), new=value(name, row.values))
            for name in in_order(row.before)
        ],
        "remarks": [told(name, reason=row.remarks[name]) for name in in_order(row.remarks)],
    }
