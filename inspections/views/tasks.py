"""检查任务: the list, the one form, its signatures and submission, the pictures that belong to it."""

from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.db.models import Exists, OuterRef
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from core.errors import DomainError
from core.files import file_response
from core.forms import show_refusal
from core.lists import list_page
from departments.access import needs, signed_in
from departments.enums import GLOBAL_ROLES, Role
from departments.models import User
from departments.permissions import CLERKS
from inspections.enums import Disposition, FindingState, Severity, SignerKind
from inspections.forms.tasks import SignatureForm, TaskFilterForm, signers
from inspections.models import Finding, JointInspection, Photo, Signature, Task, TaskItem
from inspections.services import filing, signatures, submitting, visits
from inspections.services.sheets import Sheet, read_line, read_sheet

SORTS = {
    "due": "window_until",
    "institution": "institution__name",
    "town": "institution__town__code",
    "state": "state",
}
# Those who look after more than the visits they are sent to.
OFFICES = (*CLERKS, Role.DEPARTMENT_ADMIN, Role.LEGAL_REVIEWER, *GLOBAL_ROLES)
VERDICTS = [
    ("COMPLIANT", "符合", "success"),
    ("NON_COMPLIANT", "不符合", "danger"),
    ("NOT_APPLICABLE", "不适用", "neutral"),
]
SEVERITIES = [(Severity.GENERAL, "一般", "warning"), (Severity.MAJOR, "重大", "danger")]
DISPOSITIONS = [
    (Disposition.CORRECTED, "当场改正", "success"),
    (Disposition.RECTIFICATION, "限期整改", "warning"),
    (Disposition.REFERRAL, "移送处罚", "danger"),
]
OPTIONS = {
    "verdicts": VERDICTS,
    "severities": SEVERITIES,
    "dispositions": DISPOSITIONS,
    "rectification_days": settings.RECTIFICATION_DAYS,
}


@signed_in
@require_GET
def task_list(request: HttpRequest) -> HttpResponse:
    """An officer's own visits; for an office every visit it sees."""
    form = TaskFilterForm(request.GET)
    mine = not request.user.holds(*OFFICES)
    rows = Task.objects.visible_to(request.user)
    if mine:
        rows = rows.assigned_to(request.user)
    rows = form.filter(rows).select_related("institution__town").prefetch_related("origins__joint_inspection")
    listing = list_page(request, rows, sorts=SORTS, default="due")
    visits.add_progress(listing.page.object_list)
    context = {
        "form": form,
        "listing": listing,
        "mine": mine,
        "inspection": _chosen_inspection(form, request.user),
    }
    return render(request, "inspections/task_list.html", context)


@signed_in
@require_GET
@ensure_csrf_cookie
def task_detail(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The one form: writable for the items of an assigned officer's department, to be read by the rest."""
    task = _visit(request, pk)
    sheet = read_sheet(task, request.user)
    # Numbers follow the form, so that two phones mean the same item; the reader's own part comes first.
    parts = sorted(sheet.parts, key=lambda part: not part.is_writable)
    context = {
        "task": task,
        "sheet": sheet,
        "parts": parts,
        "clerk_of": [department.pk for department in request.user.departments_as(*CLERKS)],
        **OPTIONS,
    }
    return render(request, "inspections/task_detail.html", context)


@signed_in
@require_GET
def task_item(request: HttpRequest, pk: UUID, item: int) -> HttpResponse:
    """One item of the form, to be put in the place of an older copy of itself."""
    task = _visit(request, pk)
    line = read_line(task, get_object_or_404(TaskItem, pk=item, task=task), request.user)
    return render(request, "inspections/partials/_task_item.html", {"task": task, "line": line, **OPTIONS})


@signed_in
@require_http_methods(["GET", "POST"])
def task_sign(request: HttpRequest, pk: UUID) -> HttpResponse:
    """What was answered, who has signed, and the pad for whoever signs next."""
    task = _visit(request, pk)
    sheet = read_sheet(task, request.user)
    if request.method == "POST":
        visits.require_assigned(task, request.user)
    form = SignatureForm(request.POST or None)
    if request.method == "POST" and form.is_valid() and _sign(request, sheet, form):
        return redirect("inspections:task_sign", pk)
    people = signers(sheet)
    context = {
        "task": task,
        "sheet": sheet,
        "form": form,
        "people": people,
        "signer": _next_signer(people, request.POST.get("signer") or request.GET.get("signer")),
        "obstacles": submitting.obstacles(task) if task.is_open else [],
        "seen": signatures.answers_digest(task),
        "asks_filing": filing.asks_filing(task),
        "may_take": task.is_open and visits.may_take_signatures(sheet.assignment),
    }
    return render(request, "inspections/task_sign.html", context, status=422 if form.errors else 200)


@needs(Role.OFFICER)
@require_POST
def task_submit(request: HttpRequest, pk: UUID) -> HttpResponse:
    task = _visit(request, pk)
    try:
        submitting.submit(task, actor=request.user)
    except DomainError as error:
        messages.error(request, error.message)
        return redirect("inspections:task_sign", pk)
    found = task.findings.count()
    what = f"，{found} 个问题已按处置方式办理" if found else ""
    messages.success(request, f"“{task.institution.name}”的检查表单已提交{what}。")
    return redirect("inspections:task_detail", pk)


@needs(Role.OFFICER)
@require_POST
def task_filing(request: HttpRequest, pk: UUID) -> HttpResponse:
    """备案信息核实: yes or no."""
    said = {"yes": True, "no": False}.get(request.POST.get("agrees", ""))
    try:
        filing.verify_filing(_visit(request, pk), agrees=said, actor=request.user)
    except DomainError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, f"已记录：备案信息与现场{'一致' if said else '不一致'}。")
    return redirect("inspections:task_sign", pk)


@signed_in
@require_GET
def photo(request: HttpRequest, pk: UUID) -> FileResponse:
    """A photo, for whoever sees the visit or a problem found under its item."""
    kept = get_object_or_404(Photo.objects.select_related("file", "task_item"), pk=pk, removed_at=None)
    sees_visit = Task.objects.visible_to(request.user).filter(pk=kept.task_item.task_id).exists()
    findings = Finding.objects.visible_to(request.user).filter(task_item=kept.task_item)
    if not sees_visit and not findings.exclude(state=FindingState.PENDING).exists():
        raise Http404
    return file_response(kept.file)


@signed_in
@require_GET
def signature(request: HttpRequest, pk: int) -> FileResponse:
    """A signature, for whoever sees the visit."""
    visible = Task.objects.visible_to(request.user).filter(pk=OuterRef("task"))
    return file_response(
        get_object_or_404(Signature.objects.filter(Exists(visible)).select_related("image"), pk=pk).image
    )


def _visit(request: HttpRequest, pk: UUID) -> Task:
    visible = Task.objects.visible_to(request.user).select_related("institution__town", "submitted_by")
    return get_object_or_404(visible.prefetch_related("origins__joint_inspection"), pk=pk)


def _chosen_inspection(form: TaskFilterForm, user: User) -> JointInspection | None:
    pk = form.cleaned_data.get("inspection") if form.is_valid() else None
    return JointInspection.objects.visible_to(user).filter(pk=pk).first() if pk else None


def _sign(request: HttpRequest, sheet: Sheet, form: SignatureForm) -> bool:
    key = form.cleaned_data["signer"]
    officer = next(
        (sent.officer for part in sheet.parts for sent in part.officers if str(sent.officer_id) == key), None
    )
    try:
        taken = signatures.sign(
            sheet.task,
            image=form.cleaned_data["image"],
            kind=SignerKind.INSTITUTION if key == "institution" else SignerKind.OFFICER,
            signer_name=form.cleaned_data["signer_name"],
            officer=officer,
            seen=form.cleaned_data["seen"],
            actor=request.user,
        )
    except DomainError as error:
        show_refusal(form, error)
        return False
    messages.success(request, f"{taken.signer_name}已签名。")
    return True


def _next_signer(people: list[dict], key: str | None) -> dict | None:
    """Whoever was asked for, else the first who has not signed."""
    asked = next((person for person in people if person["key"] == key), None)
    return asked or next(
        (person for person in people if not person["signature"] and person["is_certified"]), None
    )
