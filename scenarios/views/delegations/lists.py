"""赋权清单: the grid of towns × items, what became of one cell, the paper it rests on."""

from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone

from core.files import file_response, workbook_response
from core.lists import list_page
from departments.access import needs
from departments.models import Town
from scenarios.enums import DelegationAct
from scenarios.forms.delegations import DelegationFilterForm
from scenarios.models import Delegation, PenaltyItem
from scenarios.permissions import may_delegate
from scenarios.services.delegations import bodies_of, ending_delegations, grid
from scenarios.services.delegations.exporting import export
from scenarios.views.matrices import READERS, section_tabs

SORTS = {
    "item": "penalty_item__name",
    "list": "delegation_list",
    "from": "valid_from",
    "until": "valid_until",
}
TONES = {DelegationAct.WITHDRAWN: "danger", DelegationAct.ENDED: "warning"}


@needs(*READERS)
def delegation_list(request: HttpRequest) -> HttpResponse:
    """Towns × items on a day (`?on=`); with `?town=` that town's periods as well, past ones included."""
    form = DelegationFilterForm(request.GET)
    context = {
        "form": form,
        "tabs": section_tabs("delegation_list"),
        "may_delegate": may_delegate(request.user),
        "export_url": reverse("scenarios:delegation_export"),
        "total": None,
    }
    if form.is_valid():
        town, today = form.cleaned_data["town"], timezone.localdate()
        ending = ending_delegations(today).values_list("town", "valid_until")
        shown = grid(form.day, listing=form.cleaned_data["listing"], town=town)
        context |= {
            "grid": shown,
            "total": sum(line.held for line in shown.lines),
            "town": town,
            "ending": len(ending),
            "ending_towns": len({town for town, _ in ending}),
            "ending_on": min((until for _, until in ending), default=None),
        }
        if town:
            held = Delegation.objects.visible_to(request.user).current().filter(town=town)
            held = held.select_related("penalty_item", "confirmation")
            context["listing"] = list_page(request, held, sorts=SORTS, default="list")
    return render(request, "scenarios/delegation_list.html", context)


@needs(*READERS)
def delegation_export(request: HttpRequest) -> HttpResponse:
    """What the grid shows as a workbook: the list of periods, which the import reads back, and the grid."""
    form = DelegationFilterForm(request.GET)
    if not form.is_valid():
        return redirect(f"{reverse('scenarios:delegation_list')}?{request.GET.urlencode()}")
    shown = grid(form.day, listing=form.cleaned_data["listing"], town=form.cleaned_data["town"])
    return workbook_response(export(shown), f"赋权清单 {form.day}.xlsx")


@needs(*READERS)
def delegation_history(request: HttpRequest, town: str, item: int) -> HttpResponse:
    """Every entry of one town and penalty item: who recorded what, when, on which paper."""
    town = get_object_or_404(Town, code=town)
    item = get_object_or_404(PenaltyItem, pk=item)
    entries = list(
        Delegation.objects.visible_to(request.user)
        .filter(town=town, penalty_item=item)
        .select_related("confirmation", "recorded_by", "replaced_by")
        .order_by("-recorded_at", "-pk")
    )
    today = timezone.localdate()
    periods = sorted((entry for entry in entries if entry.is_current), key=lambda entry: entry.valid_from)
    context = {
        "town": town,
        "item": item,
        "today": today,
        "periods": periods,
        "holds": any(period.holds_on(today) for period in periods),
        "bodies": bodies_of(item, today),
        "events": [_event(entry) for entry in entries],
        "may_delegate": may_delegate(request.user),
    }
    return render(request, "scenarios/delegation_history.html", context)


@needs(*READERS)
def confirmation(request: HttpRequest, pk: int) -> FileResponse:
    """The 承接确认书 an entry rests on, for everybody who sees the entry."""
    delegations = Delegation.objects.visible_to(request.user).select_related("confirmation")
    delegation = get_object_or_404(delegations, pk=pk)
    if delegation.confirmation is None:
        raise Http404
    return file_response(delegation.confirmation, download=True)


def _event(entry: Delegation) -> dict:
    """One entry as the timeline shows it."""
    number = f"承接确认书 {entry.confirmation_number}" if entry.confirmation_number else ""
    later = getattr(entry, "replaced_by", None)
    said = [entry.get_delegation_list_display() + "赋权清单", number, entry.reason]
    if later:
        said.append(f"已由 {timezone.localtime(later.recorded_at):%Y-%m-%d} 的{later.get_act_display()}取代")
    event = {
        "when": entry.recorded_at,
        "title": f"{entry.get_act_display()}：{entry.period}",
        "body": "；".join(part for part in said if part),
        "actor": entry.recorded_by.name,
        "tone": TONES.get(entry.act, "success" if entry.is_current else "neutral"),
    }
    if entry.confirmation:
        event |= {
            "url": reverse("scenarios:confirmation", args=[entry.pk]),
            "link_label": "下载承接确认书",
            "digest": entry.confirmation.digest,
        }
    return event
