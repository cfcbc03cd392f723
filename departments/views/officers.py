"""The register of 执法人员: list, one officer, certificate and sectors, days away."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from core.errors import DomainError
from core.files import workbook_response
from core.forms import show_refusal
from core.lists import list_page
from core.registers import workbooks
from departments import services
from departments.access import needs, signed_in
from departments.enums import Absence, Role
from departments.forms.officers import (
    AbsenceForm,
    CertificateForm,
    NewOfficerForm,
    OfficerFilterForm,
    ReturnForm,
)
from departments.models import Officer
from departments.permissions import ACCOUNT_KEEPERS, keeps_officer, manages_accounts, require_officer_keeper
from departments.services.roster import OFFICERS, export_columns, exported

EXPORTERS = (*ACCOUNT_KEEPERS, Role.AUDITOR, Role.INSPECTORATE)
SORTS = {
    "name": "user__name",
    "department": "department__order",
    "number": "certificate_number",
    "until": "certified_until",
}


@signed_in
def officers(request: HttpRequest) -> HttpResponse:
    form = OfficerFilterForm(request.GET)
    today = timezone.localdate()
    rows = form.filter(Officer.objects.visible_to(request.user), today)
    listing = list_page(
        request,
        rows.select_related("user", "department").prefetch_related("sectors"),
        sorts=SORTS,
        default="department",
    )
    context = {
        "form": form,
        "listing": listing,
        "officers": [
            {"officer": officer, "validity": officer.validity_on(today), "is_away": officer.is_away_on(today)}
            for officer in listing
        ],
        "today": today,
        "may_enter": manages_accounts(request.user),
        "export_url": reverse("departments:officers_export") if request.user.holds(*EXPORTERS) else "",
    }
    return render(request, "departments/officers.html", context)


@require_GET
@needs(*EXPORTERS)
def officers_export(request: HttpRequest) -> HttpResponse:
    """The officers of the filter as a workbook that the import reads back."""
    today = timezone.localdate()
    rows = OfficerFilterForm(request.GET).filter(Officer.objects.visible_to(request.user), today)
    rows = rows.select_related("user", "department").prefetch_related("sectors")
    data = workbooks.export(OFFICERS.title, export_columns(), exported(rows, today, actor=request.user))
    return workbook_response(data, f"{OFFICERS.title}{today}.xlsx")


@signed_in
def officer(request: HttpRequest, pk: int) -> HttpResponse:
    """One officer; reasons for days away only for who keeps the register of the department, and for overseers."""
    shown = _officer(request, pk)
    today = timezone.localdate()
    may_keep = keeps_officer(request.user, shown)
    changes = []
    if may_keep or request.user.oversees:
        changes = [
            {
                "when": change.changed_at,
                "title": f"{change.get_absence_display() or '恢复在岗'}，自 {change.on}",
                "actor": change.changed_by.name,
                "body": change.reason,
            }
            for change in shown.duty_changes.select_related("changed_by")
        ]
    context = {
        "officer": shown,
        "sectors": shown.sectors.all(),
        "validity": shown.validity_on(today),
        "is_away": shown.is_away_on(today),
        "may_keep": may_keep,
        "changes": changes,
        "today": today,
        "recusals": f"recusals:{shown.pk}",
    }
    return render(request, "departments/officer.html", context)


@never_cache
@needs(*ACCOUNT_KEEPERS)
def officer_create(request: HttpRequest) -> HttpResponse:
    """A person without an account: account and certificate in one step; the password is shown once."""
    form = NewOfficerForm(request.POST or None, actor=request.user)
    if request.method == "POST" and form.is_valid():
        try:
            made, password = services.register_officer(actor=request.user, **form.cleaned_data)
        except DomainError as error:
            show_refusal(form, error)
        else:
            context = {"account": made.user, "password": password, "title": "执法人员已登记"}
            return render(request, "departments/account_password.html", context)
    return render(
        request, "departments/officer_create.html", {"form": form}, status=422 if form.errors else 200
    )


@needs(*ACCOUNT_KEEPERS)
def officer_edit(request: HttpRequest, pk: int) -> HttpResponse:
    changed = _kept(request, pk)
    fields = ("department", "certificate_number", "certified_from", "certified_until")
    initial = {name: getattr(changed, name) for name in fields} | {"sectors": changed.sectors.all()}
    form = CertificateForm(request.POST or None, actor=request.user, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            services.issue_certificate(changed.user, actor=request.user, **form.cleaned_data)
        except DomainError as error:
            show_refusal(form, error)
        else:
            messages.success(request, f"已保存{changed}的执法证登记。")
            return redirect("departments:officer", changed.pk)
    return _form_page(request, "departments/officer_edit.html", changed, form)


@needs(*ACCOUNT_KEEPERS)
def officer_leave(request: HttpRequest, pk: int) -> HttpResponse:
    """A page of its own: the step needs a day and a reason, and says what follows from it."""
    leaving = _kept(request, pk)
    form = AbsenceForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data | {"absence": Absence(form.cleaned_data["absence"])}
        try:
            services.go_off_duty(leaving, actor=request.user, **values)
        except DomainError as error:
            show_refusal(form, error)
        else:
            label, on = values["absence"].label, values["on"]
            messages.success(request, f"已登记{leaving}自 {on} 起{label}，期间不被抽取。")
            return redirect("departments:officer", leaving.pk)
    return _form_page(request, "departments/officer_leave.html", leaving, form)


@needs(*ACCOUNT_KEEPERS)
def officer_return(request: HttpRequest, pk: int) -> HttpResponse:
    returning = _kept(request, pk)
    form = ReturnForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        on = form.cleaned_data["on"]
        try:
            services.back_on_duty(returning, actor=request.user, on=on)
        except DomainError as error:
            show_refusal(form, error)
        else:
            messages.success(request, f"已登记{returning}自 {on} 起恢复在岗。")
            return redirect("departments:officer", returning.pk)
    return _form_page(request, "departments/officer_return.html", returning, form)


def _officer(request: HttpRequest, pk: int) -> Officer:
    visible = Officer.objects.visible_to(request.user).select_related("user", "department")
    return get_object_or_404(visible, pk=pk)


def _kept(request: HttpRequest, pk: int) -> Officer:
    found = _officer(request, pk)
    require_officer_keeper(request.user, found)
    return found


def _form_page(request: HttpRequest, template: str, officer: Officer, form) -> HttpResponse:
    status = 422 if form.errors else 200
    return render(request, template, {"officer": officer, "form": form}, status=status)
