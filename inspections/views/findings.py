"""问题整改: the list, one problem with its evidence and whatever became of it."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db.models import Prefetch
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from core.errors import DomainError
from core.forms import show_refusal
from core.lists import list_page
from departments.access import needs, signed_in
from departments.models import User
from departments.permissions import require_role
from inspections.enums import FindingState, RectificationState
from inspections.forms.findings import ExtendForm, FindingFilterForm, RecheckForm, SendOnForm
from inspections.models import Finding, Rectification, Referral, Task
from inspections.services import findings, rectifications
from inspections.services.referrals import WORKERS

SORTS = {
    "found": "found_on",
    "institution": "institution__name",
    "department": "department__order",
    "state": "state",
    "due": "rectification__due_on",
}


@signed_in
@require_GET
def finding_list(request: HttpRequest) -> HttpResponse:
    form = FindingFilterForm(request.GET)
    rows = (
        form.filter(_effective(request.user))
        .select_related("institution__town", "department", "row", "rectification")
        .prefetch_related(Prefetch("referrals", Referral.objects.select_related("to_department")))
    )
    context = {"form": form, "listing": list_page(request, rows, sorts=SORTS, default="-found")}
    return render(request, "inspections/finding_list.html", context)


@signed_in
@require_GET
def finding_detail(request: HttpRequest, pk: UUID) -> HttpResponse:
    return _detail(request, _finding(request.user, pk))


@needs(*WORKERS)
@require_POST
def rectification_recheck(request: HttpRequest, pk: int) -> HttpResponse:
    rectification = _rectification(request.user, pk)
    require_role(request.user, WORKERS, rectification.department)
    form = RecheckForm(request.POST)
    if form.is_valid():
        try:
            checked = rectifications.recheck(rectification, actor=request.user, **form.cleaned_data)
        except DomainError as error:
            show_refusal(form, error)
        else:
            messages.success(request, f"已登记复查：{checked.get_state_display()}。")
            return redirect("inspections:finding_detail", rectification.finding_id)
    return _detail(request, _finding(request.user, rectification.finding_id), recheck_form=form)


@needs(*WORKERS)
@require_POST
def rectification_extend(request: HttpRequest, pk: int) -> HttpResponse:
    rectification = _rectification(request.user, pk)
    require_role(request.user, WORKERS, rectification.department)
    form = ExtendForm(request.POST)
    if form.is_valid():
        try:
            extended = rectifications.extend(rectification, actor=request.user, **form.cleaned_data)
        except DomainError as error:
            show_refusal(form, error)
        else:
            messages.success(request, f"整改期限已改为 {extended.due_on}。")
            return redirect("inspections:finding_detail", rectification.finding_id)
    return _detail(request, _finding(request.user, rectification.finding_id), extend_form=form)


@needs(*WORKERS)
@require_POST
def finding_send_on(request: HttpRequest, pk: UUID) -> HttpResponse:
    finding = _finding(request.user, pk)
    form = SendOnForm(request.POST)
    if form.is_valid():
        try:
            referral = findings.send_on(finding, actor=request.user, **form.cleaned_data)
        except DomainError as error:
            show_refusal(form, error)
        else:
            messages.success(request, f"已移送{referral.to_department.short_name}。{referral.warning}")
            return redirect("inspections:finding_detail", pk)
    return _detail(request, finding, send_form=form)


def _effective(user: User):
    """Problems of submitted forms; what is still being written is nobody else's reading."""
    return Finding.objects.visible_to(user).exclude(state=FindingState.PENDING)


def _finding(user: User, pk: UUID) -> Finding:
    related = (
        "institution__town", "department", "task", "task_item__item", "recorded_by",
        "row__penalty", "row__penalty_department", "row__check_department", "row__version__scenario",
        "rectification__checked_by",
    )  # fmt: skip
    return get_object_or_404(_effective(user).select_related(*related), pk=pk)


def _rectification(user: User, pk: int) -> Rectification:
    visible = _effective(user).values("pk")
    return get_object_or_404(Rectification.objects.filter(finding__in=visible), pk=pk)


def _detail(request: HttpRequest, finding: Finding, **bound: Form) -> HttpResponse:
    user = request.user
    referrals = list(
        finding.referrals.select_related(
            "to_department", "from_department", "sent_by", "delegation__town", "delegation__confirmation"
        ).prefetch_related("steps__by")
    )
    rectification = getattr(finding, "rectification", None)
    works_here = user.holds(*WORKERS, department=finding.department)
    is_running = works_here and rectification and finding.state == FindingState.RECTIFYING
    is_ordered = is_running and rectification.state == RectificationState.ORDERED
    may_send = works_here and findings.may_send_on(finding)
    context = {
        "finding": finding,
        "rectification": rectification,
        "referrals": referrals,
        "photos": _photos(finding),
        "events": _events(finding, referrals),
        "route": findings.chosen_route(finding, None) if may_send else None,
        "sees_task": Task.objects.visible_to(user).filter(pk=finding.task_id).exists(),
        "recheck_form": bound.get("recheck_form") or (RecheckForm() if is_ordered else None),
        "extend_form": bound.get("extend_form") or (ExtendForm() if is_running else None),
        "send_form": bound.get("send_form") or (SendOnForm() if may_send else None),
    }
    return render(request, "inspections/finding_detail.html", context, status=422 if bound else 200)


def _photos(finding: Finding) -> list[dict[str, Any]]:
    kept = finding.task_item.photos.filter(removed_at=None).select_related("file", "taken_by")
    return [
        {
            "url": reverse("inspections:photo", args=[photo.pk]),
            "thumbnail_url": reverse("inspections:photo", args=[photo.pk]),
            "name": photo.file.name,
            "taken_at": photo.uploaded_at,
            "by": photo.taken_by.name,
            "digest": photo.file.digest,
        }
        for photo in kept
    ]


def _events(finding: Finding, referrals: list[Referral]) -> list[dict[str, Any]]:
    """What happened, newest first."""
    events = [
        {
            "when": step.at,
            "title": f"{_who(referral, step.kind)}{step.label}",
            "actor": step.by.name,
            "body": step.detail,
            "tone": "warning" if step.kind == "referral.returned" else "info",
        }
        for referral in referrals
        for step in referral.steps.all()
    ]
    events.sort(key=lambda event: event["when"], reverse=True)
    rectification = getattr(finding, "rectification", None)
    if rectification and rectification.checked_on:
        is_accepted = rectification.state == RectificationState.ACCEPTED
        events.append(
            {
                "when": rectification.checked_on,
                "title": "整改复查",
                "actor": rectification.checked_by.name,
                "body": rectification.result,
                "tone": "success" if is_accepted else "warning",
            }
        )
    if rectification:
        ordered = {"when": rectification.ordered_on, "title": "责令限期整改", "tone": "info"}
        events.append(ordered)
    found = {
        "when": finding.task.submitted_at,
        "title": "检查表单提交，问题生效",
        "actor": finding.recorded_by.name,
    }
    return [*events, found]


def _who(referral: Referral, kind: str) -> str:
    sender = kind == "referral.sent"
    return "" if sender else referral.to_department.short_name
