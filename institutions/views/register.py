"""Pages of the register: list, one institution, entering and changing it, recusals."""

from collections.abc import Iterable
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET

from core.errors import DomainError
from core.files import workbook_response
from core.forms import show_refusal
from core.lists import list_page
from core.registers import workbooks
from departments.access import needs, signed_in
from departments.enums import Role
from departments.permissions import CLERKS
from institutions import services
from institutions.enums import TRANSITIONS, OperatingState
from institutions.forms import InstitutionFilterForm, InstitutionForm, RecusalForm, StateForm
from institutions.models import Institution, Recusal
from institutions.permissions import keeps_register, may_recuse, recusable_by, require_keeper
from institutions.services.columns import columns
from institutions.services.importing import INSTITUTIONS
from institutions.services.matching import all_said

# Which department keeps the register is settled by `require_keeper`.
KEEPERS = (*CLERKS, Role.DEPARTMENT_ADMIN, Role.SYSTEM_ADMIN)
SORTS = {"name": "name", "town": "town__code", "kind": "kind", "beds": "beds", "filed_on": "filed_on"}


@signed_in
def institution_list(request: HttpRequest) -> HttpResponse:
    form = InstitutionFilterForm(request.GET)
    rows = form.filter(Institution.objects.visible_to(request.user)).select_related("town")
    context = {
        "form": form,
        "listing": list_page(request, rows, sorts=SORTS, default="name"),
        "may_register": keeps_register(request.user),
        "export_url": reverse("institutions:export"),
    }
    return render(request, "institutions/list.html", context)


@signed_in
def institution_detail(request: HttpRequest, key: UUID) -> HttpResponse:
    visible = Institution.objects.visible_to(request.user).select_related("town")
    institution = visible.filter(key=key).first()
    if institution is None:
        # Old links to a temporary registration lead on to what it was merged into.
        survivor = get_object_or_404(visible, absorbed__key=key)
        return redirect("institutions:detail", survivor.key)
    return detail_page(request, institution)


@signed_in
@require_GET
def institution_export(request: HttpRequest) -> HttpResponse:
    """What the list shows under the present filter, as a workbook the import reads back."""
    rows = InstitutionFilterForm(request.GET).filter(Institution.objects.visible_to(request.user))
    data = workbooks.export(INSTITUTIONS.title, columns(), all_said(rows.order_by("name", "pk")))
    return workbook_response(data, f"机构名录{timezone.localdate():%Y%m%d}.xlsx")


@needs(*KEEPERS)
def institution_create(request: HttpRequest) -> HttpResponse:
    require_keeper(request.user)
    form = InstitutionForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            institution = services.register(actor=request.user, **form.cleaned_data)
        except DomainError as error:
            show_refusal(form, error)
        else:
            messages.success(request, f"已登记“{institution.name}”。")
            _warn_of_doubt(request, institution)
            return redirect("institutions:detail", institution.key)
    return render(request, "institutions/form.html", {"form": form}, status=422 if form.errors else 200)


@needs(*KEEPERS)
def institution_edit(request: HttpRequest, key: UUID) -> HttpResponse:
    institution = institution_or_404(request, key)
    require_keeper(request.user)
    name = institution.name
    form = InstitutionForm(request.POST or None, instance=institution)
    if request.method == "POST" and form.is_valid():
        try:
            institution = services.change(institution, actor=request.user, **form.cleaned_data)
        except DomainError as error:
            show_refusal(form, error)
        else:
            messages.success(request, f"已保存“{institution.name}”的登记信息。")
            _warn_of_doubt(request, institution)
            return redirect("institutions:detail", institution.key)
    context = {"form": form, "institution": institution, "name": name}
    return render(request, "institutions/form.html", context, status=422 if form.errors else 200)


@needs(*KEEPERS)
def institution_set_state(request: HttpRequest, key: UUID) -> HttpResponse:
    """A page of its own: the step needs a day and a reason, and says what follows from it."""
    institution = institution_or_404(request, key)
    require_keeper(request.user)
    form = StateForm(request.POST or None, institution=institution)
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data
        try:
            institution = services.set_operating_state(
                institution, values["state"], actor=request.user, reason=values["reason"], on=values["on"]
            )
        except DomainError as error:
            show_refusal(form, error)
        else:
            state = institution.get_operating_state_display()
            messages.success(request, f"“{institution.name}”的运营状态已变更为{state}。")
            return redirect("institutions:detail", institution.key)
    context = {"form": form, "institution": institution}
    return render(request, "institutions/set_state.html", context, status=422 if form.errors else 200)


def _warn_of_doubt(request: HttpRequest, institution: Institution) -> None:
    doubt = institution.uscc and services.doubt_about(institution.uscc)
    if doubt:
        messages.warning(request, f"统一社会信用代码 {institution.uscc} {doubt}")


def institution_or_404(request: HttpRequest, key: UUID) -> Institution:
    """An institution of the register as it is; what was merged away is no longer there."""
    return get_object_or_404(Institution.objects.visible_to(request.user).select_related("town"), key=key)


def detail_page(
    request: HttpRequest,
    institution: Institution,
    *,
    recusal_form: RecusalForm | None = None,
    status: int = 200,
) -> HttpResponse:
    user = request.user
    recusals = Recusal.objects.visible_to(user).filter(institution=institution)
    changes = institution.state_changes.select_related("changed_by")
    if recusal_form is None and recusable_by(user).exclude(recusals__institution=institution).exists():
        recusal_form = RecusalForm(user=user, institution=institution)
    context = {
        "institution": institution,
        "may_change": keeps_register(user),
        "absorbed": institution.absorbed.order_by("pk"),
        "states": TRANSITIONS[OperatingState(institution.operating_state)],
        "state_changes": [
            {
                "when": change.on,
                "title": f"{change.get_from_state_display()} → {change.get_to_state_display()}",
                "actor": change.changed_by.name,
                "body": change.reason,
            }
            for change in changes
        ],
        "recusals": removable(request, recusals.select_related("officer__user", "officer__department")),
        "recusal_form": recusal_form,
        "back": {"back": "institution"},
    }
    return render(request, "institutions/detail.html", context, status=status)


def removable(request: HttpRequest, recusals: Iterable[Recusal]) -> list[dict]:
    return [
        {"recusal": recusal, "may_end": may_recuse(request.user, recusal.officer)} for recusal in recusals
    ]
