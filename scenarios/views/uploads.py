"""From a printed matrix to a draft: upload or paste, say what the columns mean, answer what is unclear, save."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_POST

from core.errors import DomainError
from core.forms import show_refusal
from core.spreadsheets import Workbook
from departments.access import needs
from departments.enums import Role
from departments.models import Department
from scenarios.forms.imports import ColumnsForm, HeaderForm, ReviewForm, UploadForm
from scenarios.models import MatrixUpload
from scenarios.services import uploads
from scenarios.services.comparing import compare, content_of_import, content_of_version, route_changes
from scenarios.services.importing import THEME_KEY, Preview, imported_as, require_importing
from scenarios.services.importing.headings import Header, read_header
from scenarios.services.importing.problems import UnresolvedError
from scenarios.services.printing import print_preview
from scenarios.services.versions import version_in_force
from scenarios.views.matrices import EDITORS

SAMPLES = 3


@needs(*EDITORS)
def upload(request: HttpRequest) -> HttpResponse:
    form = UploadForm(request.POST or None, request.FILES or None)
    if request.method == "POST":
        if form.is_valid():
            given = form.cleaned_data
            try:
                if given["file"]:
                    kept = uploads.keep(given["file"], actor=request.user)
                else:
                    kept = uploads.keep_pasted(given["text"], html=given["html"], actor=request.user)
                unclear = uploads.wants_columns(kept, uploads.opened(kept))
            except DomainError as error:
                form.add_error("file" if given["file"] else "text", error.message)
            else:
                return redirect("scenarios:columns" if unclear else "scenarios:review", kept.pk)
        return render(request, "scenarios/upload.html", {"form": form}, status=422)
    return render(request, "scenarios/upload.html", {"form": form})


@needs(*EDITORS)
def columns(request: HttpRequest, pk: UUID) -> HttpResponse:
    """What each column means; `?sheet=&top=&bottom=` reads the header elsewhere."""
    kept = _upload(request, pk)
    workbook = uploads.opened(kept)
    sheet, header = uploads.header_of(kept, workbook)
    place = HeaderForm(request.GET or None, workbook=workbook)
    if place.is_bound and place.is_valid():
        sheet = place.cleaned_data["sheet"]
        found = next(each for each in workbook.sheets if each.name == sheet)
        header = read_header(found, place.cleaned_data["top"], place.cleaned_data["bottom"])
    if not place.is_bound:
        now = {"sheet": sheet, "top": header.top, "bottom": header.bottom}
        place = HeaderForm(initial=now, workbook=workbook)
    form = ColumnsForm(header, request.POST or None)
    if request.method == "POST" and form.is_valid():
        uploads.set_columns(kept, form.columns(sheet))
        return redirect("scenarios:review", kept.pk)
    context = {
        "upload": kept,
        "place": place,
        "form": form,
        "columns": _samples(workbook, sheet, header, form),
    }
    return render(request, "scenarios/columns.html", context, status=422 if form.errors else 200)


@needs(*EDITORS)
def review(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The upload as it will be saved, with a question for whatever is unclear."""
    kept = _upload(request, pk)
    workbook = uploads.opened(kept)
    try:
        plan = _plan(request, kept, workbook)
    except DomainError as error:
        # Read by these columns it is no matrix; they can be said anew.
        messages.error(request, error.message)
        return redirect("scenarios:columns", kept.pk)
    form = _form(kept, plan, request.POST if request.method == "POST" else None)
    if request.method != "POST":
        return _show(request, kept, plan, form)
    form.full_clean()
    theme = {THEME_KEY: form.cleaned_data["theme"]} if form.cleaned_data.get("theme") else {}
    uploads.answer(kept, form.answers | theme)
    if form.errors and form.hinders(_plan(request, kept, workbook).problems):
        return _show(request, kept, plan, form, status=422)
    try:
        version = uploads.save_as_draft(kept, workbook, actor=request.user, again="again" in request.POST)
    except UnresolvedError as error:
        messages.info(request, f"已记下您的回答，还有 {len(error.problems)} 处需要确定。")
        return redirect("scenarios:review", kept.pk)
    except DomainError as error:
        show_refusal(form, error)
        return _show(request, kept, plan, form, status=422)
    messages.success(request, f"已保存为草稿“{version}”，核对后发布。")
    return redirect("scenarios:version", version.pk)


@needs(*EDITORS)
@require_GET
def changes(request: HttpRequest, pk: UUID) -> HttpResponse:
    """What the upload would change in the version in force of the scenario it names."""
    kept = _upload(request, pk)
    plan = _plan(request, kept, uploads.opened(kept))
    base = version_in_force(plan.theme)
    context = {"upload": kept, "plan": plan, "base": base}
    if base and not plan.problems:
        before, after = content_of_version(base), content_of_import(plan)
        context |= {"comparison": compare(before, after), "routes": route_changes(before, after)}
    return render(request, "scenarios/changes.html", context)


@needs(*EDITORS)
@require_POST
def forget(request: HttpRequest, pk: UUID) -> HttpResponse:
    uploads.forget(_upload(request, pk))
    messages.success(request, "已放弃导入，没有保存任何内容。")
    return redirect("scenarios:list")


def _upload(request: HttpRequest, pk: UUID) -> MatrixUpload:
    return get_object_or_404(MatrixUpload.objects.visible_to(request.user).select_related("file"), pk=pk)


def _plan(request: HttpRequest, kept: MatrixUpload, workbook: Workbook) -> Preview:
    plan = uploads.plan(kept, workbook, may_create=request.user.holds(Role.SYSTEM_ADMIN))
    if plan.lead:
        require_importing(request.user, plan.lead)
    return plan


def _form(kept: MatrixUpload, plan: Preview, posted) -> ReviewForm:
    return ReviewForm(plan.asked, Department.objects.all(), kept.answers, plan.theme, posted)


def _samples(workbook: Workbook, sheet: str, header: Header, form: ColumnsForm) -> list[dict]:
    """Each column with its first texts, so that a person sees what it says."""
    found = next(each for each in workbook.sheets if each.name == sheet)
    columns = []
    for heading in header.headings:
        below = (found.value(row, heading.place) for row in range(header.bottom + 1, found.last_row + 1))
        texts = dict.fromkeys(text for text in below if text)
        columns.append(
            {
                "field": form[f"column-{heading.place}"],
                "heading": heading.text,
                "samples": list(texts)[:SAMPLES],
            }
        )
    return columns


def _show(
    request: HttpRequest, kept: MatrixUpload, plan: Preview, form: ReviewForm, *, status: int = 200
) -> HttpResponse:
    open_keys = {problem.key for problem in plan.problems}
    context = {
        "upload": kept,
        "plan": plan,
        "form": form,
        "open": form.fields_of(problem for problem in plan.asked if problem.key in open_keys),
        "answered": form.fields_of(problem for problem in plan.asked if problem.key not in open_keys),
        "matrix": print_preview(plan),
        "duplicate": imported_as(kept.file.digest),
        "in_force": version_in_force(plan.theme),
    }
    return render(request, "scenarios/review.html", context, status=status)
