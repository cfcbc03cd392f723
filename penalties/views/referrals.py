"""The list, one referral, and taking it up, returning it, filing a case on it."""

from django.contrib import messages
from django.db.models import Prefetch
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from core.errors import DomainError
from core.forms import show_refusal, typed
from core.lists import list_page
from departments.access import signed_in
from inspections.enums import ReferralState
from inspections.models import Photo, Referral, ReferralStep, TaskOfficer
from inspections.services import referrals
from penalties import inbox, services
from penalties.forms import FileForm, FilterForm
from penalties.models import PenaltyCase
from penalties.permissions import may_handle, require_handling

SORTS = {
    "institution": "institution__name",
    "sent": "sent_at",
    "due": "due_on",
    "severity": "finding__severity",
    "filed": "case__filed_on",
}
# What waits is sorted by its deadline, what is done by its date.
DEFAULT_SORTS = {"inbox": "due", "open": "sent", "review": "filed"}


@signed_in
@require_GET
def referral_list(request: HttpRequest) -> HttpResponse:
    tabs = inbox.tabs_of(request.user)
    tab = next((tab for tab in tabs if tab.key == request.GET.get("tab")), tabs[0])
    form = FilterForm({**request.GET.dict(), "tab": tab.key})
    if tab.key not in ("sent", "all", "done"):
        del form.fields["state"]
    form.is_valid()
    rows = Referral.objects.visible_to(request.user).filter(tab.condition)
    rows = inbox.search(rows, form.cleaned_data, tab.counterpart).select_related(
        "institution__town", "finding__row", "from_department", "to_department", "case"
    )
    rows = rows.prefetch_related("case__payments")
    counted = inbox.counts(request.user, tabs)
    address = reverse("penalties:list")
    context = {
        "form": form,
        "tab": tab,
        "tabs": [
            {
                "label": each.label,
                "url": f"{address}?tab={each.key}",
                "active": each is tab,
                "count": counted.get(each.key),
            }
            for each in tabs
        ],
        "listing": list_page(request, rows, sorts=SORTS, default=DEFAULT_SORTS.get(tab.key, "-sent")),
        "is_filtered": any(value for key, value in form.cleaned_data.items() if key != "tab"),
    }
    return render(request, "penalties/list.html", context)


@signed_in
@require_GET
def referral(request: HttpRequest, pk: int) -> HttpResponse:
    return _referral_page(request, _visible(request, pk))


@signed_in
@require_POST
def take_up(request: HttpRequest, pk: int) -> HttpResponse:
    row = _visible(request, pk)
    require_handling(request.user, row.to_department)
    try:
        referrals.take_up(row, actor=request.user)
    except DomainError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, f"已接收{row.institution.name}的移送，请立案。")
    return redirect("penalties:referral", pk)


@signed_in
@require_POST
def return_(request: HttpRequest, pk: int) -> HttpResponse:
    row = _visible(request, pk)
    require_handling(request.user, row.to_department)
    try:
        referrals.return_referral(row, reason=typed(request.POST, "reason"), actor=request.user)
    except DomainError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, f"已退回{row.from_department.short_name}。")
    return redirect("penalties:referral", pk)


@signed_in
@require_POST
def file(request: HttpRequest, pk: int) -> HttpResponse:
    row = _visible(request, pk)
    require_handling(request.user, row.to_department)
    form = FileForm(request.POST, referral=row)
    if form.is_valid():
        try:
            case = services.file_case(row, **form.cleaned_data, actor=request.user)
        except DomainError as error:
            show_refusal(form, error)
        else:
            messages.success(request, f"已立案，案号 {case.number}。")
            return redirect("penalties:case", case.pk)
    return _referral_page(request, row, form=form, status=422)


def evidence_of(row: Referral) -> list[dict]:
    """The photos of the item the finding was made on, for `{% files %}`."""
    photos = Photo.objects.filter(task_item=row.finding.task_item_id, removed_at=None)
    return [
        {
            "url": reverse("inspections:photo", args=[photo.pk]),
            "thumbnail_url": reverse("inspections:photo", args=[photo.pk]),
            "name": f"现场照片 {position}",
            "taken_at": photo.uploaded_at,
            "by": photo.taken_by.name,
            "digest": photo.file.digest,
        }
        for position, photo in enumerate(photos.select_related("file", "taken_by"), start=1)
    ]


def _visible(request: HttpRequest, pk: int) -> Referral:
    rows = Referral.objects.visible_to(request.user).select_related(
        "institution__town",
        "finding__row__item",
        "finding__row__penalty",
        "finding__task",
        "from_department",
        "to_department",
        "taken_up_by",
        "delegation__town",
        "delegation__confirmation",
    )
    steps = Prefetch("steps", ReferralStep.objects.select_related("by").order_by("-at", "-pk"))
    return get_object_or_404(rows.prefetch_related(steps), pk=pk)


def _referral_page(
    request: HttpRequest, row: Referral, *, form: FileForm | None = None, status: int = 200
) -> HttpResponse:
    case = PenaltyCase.objects.filter(referral=row).first()
    handles = may_handle(request.user, row.to_department)
    may_file = handles and row.state == ReferralState.TAKEN_UP and case is None
    context = {
        "referral": row,
        "finding": row.finding,
        "row": row.finding.row,
        "case": case,
        "may_answer": handles and row.state == ReferralState.SENT,
        "file_form": (form or FileForm(referral=row)) if may_file else None,
        "return_text": f"退回后由{row.from_department.short_name}重新处理，{row.to_department.short_name}不再办理。",
        "photos": evidence_of(row),
        "officers": TaskOfficer.objects.filter(
            task=row.finding.task_id, department=row.from_department
        ).select_related("officer__user"),
        "timeline": timeline_of(row),
    }
    return render(request, "penalties/referral.html", context, status=status)


def timeline_of(row: Referral) -> list[dict]:
    """The referral's steps, newest first, for `{% timeline %}`."""
    return [
        {"when": step.at, "title": step.label, "body": step.detail, "actor": step.by.name}
        for step in row.steps.all()
    ]
