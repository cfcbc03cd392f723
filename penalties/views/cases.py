"""One case: what stands in it, and the one step that comes next."""

from django import forms
from django.contrib import messages
from django.db.models import Prefetch
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_POST

from core.errors import DomainError
from core.forms import show_refusal
from departments.access import signed_in
from inspections.models import ReferralStep
from penalties import services
from penalties.enums import CaseState, LegalReview
from penalties.forms import DecideForm, DraftForm, PaymentForm, ReviewForm, ServeForm
from penalties.models import Payment, PenaltyCase
from penalties.permissions import may_handle, may_review, require_handling, require_reviewing
from penalties.views.referrals import evidence_of, timeline_of


@signed_in
@require_GET
def case(request: HttpRequest, pk: int) -> HttpResponse:
    return _page(request, _visible(request, pk))


@signed_in
@require_POST
def draft(request: HttpRequest, pk: int) -> HttpResponse:
    row = _handled(request, pk)
    return _submit(
        request, row, DraftForm(request.POST, case=row), services.draft, "拟定内容已保存。", "draft"
    )


@signed_in
@require_POST
def request_review(request: HttpRequest, pk: int) -> HttpResponse:
    return _step(request, _handled(request, pk), services.request_review, "已提请法制审核。")


@signed_in
@require_POST
def review(request: HttpRequest, pk: int) -> HttpResponse:
    row = _visible(request, pk)
    require_reviewing(request.user, row)
    return _submit(request, row, ReviewForm(request.POST), services.review, "审核意见已提交。", "review")


@signed_in
@require_POST
def decide(request: HttpRequest, pk: int) -> HttpResponse:
    row = _handled(request, pk)
    return _submit(request, row, DecideForm(request.POST), services.decide, "处罚决定已登记。", "decide")


@signed_in
@require_POST
def serve(request: HttpRequest, pk: int) -> HttpResponse:
    row = _handled(request, pk)
    return _submit(request, row, ServeForm(request.POST), services.serve, "送达已登记。", "serve")


@signed_in
@require_POST
def pay(request: HttpRequest, pk: int) -> HttpResponse:
    return _submit(
        request, _handled(request, pk), PaymentForm(request.POST), services.pay, "缴款已登记。", "pay"
    )


@signed_in
@require_POST
def close(request: HttpRequest, pk: int) -> HttpResponse:
    return _step(request, _handled(request, pk), services.close, "案件已结案。")


def _visible(request: HttpRequest, pk: int) -> PenaltyCase:
    rows = PenaltyCase.objects.visible_to(request.user).select_related(
        "institution__town",
        "department",
        "filed_by",
        "drafted_by",
        "reviewed_by",
        "referral__institution",
        "referral__from_department",
        "referral__finding__row__item",
        "referral__finding__row__penalty",
    )
    steps = ReferralStep.objects.select_related("by").order_by("-at", "-pk")
    payments = Payment.objects.select_related("recorded_by")
    rows = rows.prefetch_related(Prefetch("referral__steps", steps), Prefetch("payments", payments))
    return get_object_or_404(rows, pk=pk)


def _handled(request: HttpRequest, pk: int) -> PenaltyCase:
    row = _visible(request, pk)
    require_handling(request.user, row.department)
    return row


def _step(request: HttpRequest, row: PenaltyCase, service, done: str) -> HttpResponse:
    """A step without anything to fill in."""
    try:
        service(row, actor=request.user)
    except DomainError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, done)
    return redirect("penalties:case", row.pk)


def _submit(
    request: HttpRequest, row: PenaltyCase, form: forms.Form, service, done: str, step: str
) -> HttpResponse:
    """A step with a form; refused, the page comes back with the form as it was filled in."""
    if form.is_valid():
        try:
            service(row, **form.cleaned_data, actor=request.user)
        except DomainError as error:
            show_refusal(form, error)
        else:
            messages.success(request, done)
            return redirect("penalties:case", row.pk)
    return _page(request, row, step=step, form=form, status=422)


def _page(
    request: HttpRequest,
    row: PenaltyCase,
    *,
    step: str = "",
    form: forms.Form | None = None,
    status: int = 200,
) -> HttpResponse:
    step = step or _next_step(request, row)
    context = {
        "case": row,
        "referral": row.referral,
        "finding": row.referral.finding,
        "row": row.referral.finding.row,
        "step": step,
        "form": form or _form(step, row),
        "may_edit": may_handle(request.user, row.department)
        and row.state == CaseState.FILED
        and row.is_drafted
        and step != "draft",
        "steps": _steps(row),
        "payments": row.payments.all(),
        "photos": evidence_of(row.referral),
        "timeline": timeline_of(row.referral),
    }
    return render(request, "penalties/case.html", context, status=status)


def _next_step(request: HttpRequest, row: PenaltyCase) -> str:
    """What this account can do next; "" when it is somebody else's turn or nobody's."""
    if row.state == CaseState.LEGAL_REVIEW:
        return "review" if may_review(request.user, row) else ""
    if not may_handle(request.user, row.department):
        return ""
    match row.state:
        case CaseState.FILED:
            if not row.is_drafted or row.legal_review == LegalReview.REJECTED or "edit" in request.GET:
                return "draft"
            return "request_review" if row.legal_review == LegalReview.REQUIRED else "decide"
        case CaseState.DECIDED:
            return "serve"
        case CaseState.SERVED:
            return "pay" if row.unpaid else "close"
    return ""


def _form(step: str, row: PenaltyCase) -> forms.Form | None:
    match step:
        case "draft":
            return DraftForm(case=row)
        case "review":
            return ReviewForm()
        case "decide":
            return DecideForm()
        case "serve":
            return ServeForm()
        case "pay":
            return PaymentForm(initial={"amount": row.unpaid})
    return None


def _steps(row: PenaltyCase) -> list[dict]:
    """The case's way for `{% steps %}`: what is done, where it stands, what does not apply."""
    reviewed_on = row.reviewed_on if row.legal_review == LegalReview.PASSED else None
    needs_no_review = row.is_drafted and row.legal_review == LegalReview.NOT_REQUIRED
    stages = [
        ("立案", row.filed_on, False),
        ("拟定", row.is_drafted and row.legal_review != LegalReview.REJECTED, False),
        ("法制审核", reviewed_on, needs_no_review),
        ("决定", row.decided_on, False),
        ("送达", row.served_on, False),
        ("缴款", row.is_fining and row.decided_on and not row.unpaid, row.is_drafted and not row.is_fining),
        ("结案", row.closed_on, False),
    ]
    steps: list[dict] = []
    is_current_found = False
    for label, done, is_skipped in stages:
        if is_skipped:
            state = "skipped"
        elif done:
            state = "done"
        else:
            state = "todo" if is_current_found else "current"
            is_current_found = True
        note = "无需" if is_skipped else (str(done) if done and done is not True else "")
        steps.append({"label": label, "state": state, "note": note})
    return steps
