"""From a workbook to a draft: upload, answer what is unclear, save."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from core.errors import DomainError
from departments.access import needs
from departments.models import Department
from scenarios.forms.matrices import LEAVE_OUT, NO_PENALTY, ReviewForm, UploadForm
from scenarios.models import MatrixUpload
from scenarios.services import uploads
from scenarios.services.importing import Preview, import_workbook, imported_as, preview
from scenarios.services.printing import print_preview
from scenarios.services.problems import UnresolvedError
from scenarios.views.matrices import EDITORS


@needs(*EDITORS)
def upload(request: HttpRequest) -> HttpResponse:
    form = UploadForm(request.POST or None, request.FILES or None)
    if request.method == "POST":
        if form.is_valid():
            try:
                kept = uploads.keep(form.cleaned_data["file"], actor=request.user)
            except DomainError as error:
                form.add_error("file", error.message)
            else:
                return redirect("scenarios:review", kept.pk)
        return render(request, "scenarios/upload.html", {"form": form}, status=422)
    return render(request, "scenarios/upload.html", {"form": form})


@needs(*EDITORS)
def review(request: HttpRequest, pk) -> HttpResponse:
    """The upload as it will be saved, with a question for whatever is unclear."""
    kept = _upload(request, pk)
    data = uploads.read(kept)
    plan = preview(data, name=kept.file.name)
    posted = request.POST if request.method == "POST" else None
    form = ReviewForm(plan.problems, Department.objects.all(), posted)
    if posted is None:
        return _show(request, kept, plan, form)
    if not form.is_valid():
        return _show(request, kept, plan, form, status=422)
    try:
        version = import_workbook(
            data,
            name=kept.file.name,
            actor=request.user,
            answers=form.answers,
            leave_out=form.keys_of(LEAVE_OUT),
            no_penalty=form.keys_of(NO_PENALTY),
            again="again" in posted,
            stored=kept.file,
        )
    except UnresolvedError as error:
        for problem in error.problems:
            form.add_error(
                form.name_of(problem) if form.name_of(problem) in form.fields else None, problem.reason
            )
        return _show(request, kept, plan, form, status=422)
    except DomainError as error:
        form.add_error(None, error.message)
        return _show(request, kept, plan, form, status=422)
    kept.delete()
    messages.success(request, f"已保存为草稿“{version}”，核对后发布。")
    return redirect("scenarios:version", version.pk)


@needs(*EDITORS)
@require_POST
def forget(request: HttpRequest, pk) -> HttpResponse:
    uploads.forget(_upload(request, pk))
    messages.success(request, "已放弃导入，没有保存任何内容。")
    return redirect("scenarios:list")


def _upload(request: HttpRequest, pk) -> MatrixUpload:
    return get_object_or_404(MatrixUpload.objects.visible_to(request.user).select_related("file"), pk=pk)


def _show(
    request: HttpRequest, kept: MatrixUpload, plan: Preview, form: ReviewForm, *, status: int = 200
) -> HttpResponse:
    context = {
        "upload": kept,
        "plan": plan,
        "form": form,
        "matrix": print_preview(plan),
        "duplicate": imported_as(kept.file.digest),
    }
    return render(request, "scenarios/review.html", context, status=status)
