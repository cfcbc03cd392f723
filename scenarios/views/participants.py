"""参与部门: who takes part in a scenario, invitations, and whom to call."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from core.errors import DomainError
from core.forms import show_refusal, typed
from departments.access import needs
from departments.models import Department
from scenarios.enums import ParticipantState
from scenarios.forms.participants import ContactForm, InviteForm
from scenarios.models import Scenario, ScenarioParticipant
from scenarios.permissions import may_answer, may_edit, may_see_contacts, require_answering, require_editing
from scenarios.services import participants
from scenarios.services.participants import Standing
from scenarios.views.matrices import EDITORS, READERS, scenario_tabs


@needs(*READERS)
def participant_list(request: HttpRequest, pk: int) -> HttpResponse:
    return _list(request, _scenario(request, pk))


@needs(*EDITORS)
@require_POST
def invite(request: HttpRequest, pk: int) -> HttpResponse:
    scenario = _scenario(request, pk)
    require_editing(request.user, scenario)
    form = InviteForm(request.POST, candidates=Department.objects.all())
    if form.is_valid():
        department = form.cleaned_data["department"]
        try:
            participants.invite(scenario, department, actor=request.user)
        except DomainError as error:
            show_refusal(form, error)
        else:
            messages.success(request, f"已邀请{department.short_name}，答复后会通知牵头部门。")
            return redirect("scenarios:participants", pk)
    return _list(request, scenario, form, status=422)


@needs(*EDITORS)
def contact(request: HttpRequest, pk: int, code: str) -> HttpResponse:
    """The department's own contact; for an invited one, saving it accepts the invitation."""
    scenario = _scenario(request, pk)
    standing = _standing(scenario, code)
    department = standing.department
    require_answering(request.user, department)
    asked = standing.state == ParticipantState.INVITED
    if request.method != "POST":
        form = ContactForm(department=department, initial=_present(standing))
        return _contact(request, scenario, standing, form)
    form = ContactForm(request.POST, department=department)
    if form.is_valid():
        try:
            if asked:
                participants.accept(standing.participant, actor=request.user, **form.cleaned_data)
            else:
                participants.name_contact(scenario, department, actor=request.user, **form.cleaned_data)
        except DomainError as error:
            show_refusal(form, error)
        else:
            done = "已接受邀请，牵头部门会收到通知。" if asked else "已保存联系人。"
            messages.success(request, done)
            return redirect("scenarios:participants", pk)
    return _contact(request, scenario, standing, form, status=422)


@needs(*EDITORS)
@require_POST
def decline(request: HttpRequest, pk: int, code: str) -> HttpResponse:
    participant = _participant(request, pk, code)
    try:
        participants.decline(participant, reason=typed(request.POST, "reason"), actor=request.user)
    except DomainError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, "已谢绝邀请，牵头部门会收到通知。")
    return redirect("scenarios:participants", pk)


@needs(*EDITORS)
@require_POST
def withdraw(request: HttpRequest, pk: int, code: str) -> HttpResponse:
    participant = _participant(request, pk, code)
    try:
        participants.withdraw(participant, actor=request.user)
    except DomainError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, f"已取消对{participant.department.short_name}的邀请。")
    return redirect("scenarios:participants", pk)


def _scenario(request: HttpRequest, pk: int) -> Scenario:
    seen = Scenario.objects.visible_to(request.user).select_related("lead_department")
    return get_object_or_404(seen, pk=pk)


def _participant(request: HttpRequest, pk: int, code: str) -> ScenarioParticipant:
    invited = ScenarioParticipant.objects.filter(scenario=_scenario(request, pk))
    return get_object_or_404(invited.select_related("scenario", "department"), department__code=code)


def _standing(scenario: Scenario, code: str) -> Standing:
    """How the department stands with the scenario; 404 for one that has nothing to do with it."""
    for standing in participants.standings(scenario):
        if standing.department.code == code and standing.state != ParticipantState.DECLINED:
            return standing
    raise Http404


def _present(standing: Standing) -> dict:
    present = standing.participant
    return {
        "section": standing.section,
        "contact_name": standing.contact_name,
        "contact_phone": standing.contact_phone,
        "officers": present.officers.all() if present else [],
    }


def _list(
    request: HttpRequest, scenario: Scenario, form: InviteForm | None = None, *, status: int = 200
) -> HttpResponse:
    rows = participants.standings(scenario)
    may = may_edit(request.user, scenario)
    involved = [row.department for row in rows if row.state != ParticipantState.DECLINED]
    if may and form is None:
        taken = [row.department.pk for row in rows if row.takes_part or row.state == ParticipantState.INVITED]
        form = InviteForm(candidates=Department.objects.exclude(pk__in=[*taken, scenario.lead_department_id]))
    context = {
        "scenario": scenario,
        "tabs": scenario_tabs(scenario, "participants"),
        "rows": [
            {
                "standing": row,
                "may_answer": may_answer(request.user, row.department),
                "may_withdraw": may and row.state in (ParticipantState.INVITED, ParticipantState.ACCEPTED),
            }
            for row in rows
        ],
        "lacking": [row.department for row in rows if row.takes_part and not row.contact_name],
        "sees_contacts": may_see_contacts(request.user, [scenario.lead_department, *involved]),
        "form": form if may else None,
    }
    return render(request, "scenarios/participants.html", context, status=status)


def _contact(
    request: HttpRequest, scenario: Scenario, standing: Standing, form: ContactForm, *, status: int = 200
) -> HttpResponse:
    context = {
        "scenario": scenario,
        "standing": standing,
        "form": form,
        "asked": standing.state == ParticipantState.INVITED,
        "may_decline": standing.state in (ParticipantState.INVITED, ParticipantState.ACCEPTED),
    }
    return render(request, "scenarios/contact.html", context, status=status)
