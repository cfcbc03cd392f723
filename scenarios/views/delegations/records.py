"""Recording 赋权, and changing what was recorded."""

from collections.abc import Callable
from dataclasses import dataclass

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse

from core.errors import DomainError
from core.forms import show_refusal
from departments.access import needs
from departments.enums import Role
from scenarios.forms.delegations import (
    ConfirmForm,
    CorrectForm,
    DelegateForm,
    EndForm,
    ProlongForm,
    WithdrawForm,
)
from scenarios.models import Delegation
from scenarios.permissions import DELEGATING_ROLES, NOT_THEIRS, may_delegate
from scenarios.services.delegations import (
    alike,
    change_together,
    confirm_delegation,
    correct_delegation,
    delegate_to_towns,
    end_delegation,
    prolong_delegation,
    withdraw_delegation,
)

DELEGATORS = (Role.SYSTEM_ADMIN, *DELEGATING_ROLES)


@dataclass(frozen=True)
class Change:
    """One way to change a delegation: its form, its verb, and what the page says of it."""

    form: type[Form]
    verb: Callable[..., Delegation]
    title: str
    lead: str
    done: str
    is_dangerous: bool = False


CHANGES = {
    "end": Change(
        EndForm,
        end_delegation,
        "终止赋权",
        "次日起发现的问题不再移送该镇街；此前已移送的和在办的案件不受影响。",
        "已登记终止",
        is_dangerous=True,
    ),
    "prolong": Change(
        ProlongForm,
        prolong_delegation,
        "延长赋权",
        "原期限届满后继续由该镇街承接，中间不间断。",
        "已登记延长",
    ),
    "correct": Change(
        CorrectForm,
        correct_delegation,
        "更正登记",
        "登记时写错了的才更正；原记录保留在历史中。此后移送的问题按更正后的期限判断，已移送的不变。",
        "已登记更正",
    ),
    "withdraw": Change(
        WithdrawForm,
        withdraw_delegation,
        "撤销登记",
        "不应登记的才撤销，撤销后这段期限视为从未赋权；原记录保留在历史中，已移送的不变。",
        "已撤销登记",
        is_dangerous=True,
    ),
    "confirm": Change(
        ConfirmForm,
        confirm_delegation,
        "归档承接确认书",
        "镇街签署的承接确认书随这项赋权保存，所有账号都能下载。",
        "已归档承接确认书",
    ),
}


@needs(*DELEGATORS)
def delegate(request: HttpRequest) -> HttpResponse:
    """Record a delegation; `?list=`, `?town=` and `?item=` fill the form from where one came."""
    _require_some(request)
    form = DelegateForm(request.POST or None, request.FILES or None, initial=_proposed(request))
    if request.method != "POST":
        return render(request, "scenarios/delegate.html", {"form": form})
    if form.is_valid():
        chosen = form.cleaned_data
        try:
            made = delegate_to_towns(
                chosen["towns"],
                form.penalty_items,
                chosen["delegation_list"],
                valid_from=chosen["valid_from"],
                valid_until=chosen["valid_until"],
                confirmation=chosen["confirmation"],
                confirmation_number=chosen["confirmation_number"],
                actor=request.user,
            )
        except DomainError as error:
            show_refusal(form, error)
        else:
            messages.success(request, f"已登记 {len(chosen['towns'])} 个镇街共 {len(made)} 项赋权。")
            return redirect("scenarios:delegation_list")
    return render(request, "scenarios/delegate.html", {"form": form}, status=422)


@needs(*DELEGATORS)
def change_delegation(request: HttpRequest, pk: int, act: str) -> HttpResponse:
    """End, prolong, correct or withdraw a delegation, or file its paper."""
    _require_some(request)
    change = CHANGES.get(act)
    if change is None:
        raise Http404
    delegations = Delegation.objects.visible_to(request.user).select_related("town", "penalty_item")
    delegation = get_object_or_404(delegations, pk=pk)
    history = reverse("scenarios:delegation_history", args=[delegation.town.code, delegation.penalty_item_id])
    posted = request.method == "POST"
    form = change.form(
        request.POST if posted else None,
        request.FILES if posted else None,
        delegation=delegation,
        alike=alike(delegation).count(),
    )
    if posted and form.is_valid():
        fields = dict(form.cleaned_data)
        try:
            if fields.pop("together", False):
                changed = change_together(change.verb, delegation, actor=request.user, **fields)
            else:
                changed = [change.verb(delegation, actor=request.user, **fields)]
        except DomainError as error:
            show_refusal(form, error)
        else:
            messages.success(request, f"{delegation.town.name}：{change.done}，共 {len(changed)} 项。")
            return redirect(history)
    context = {"form": form, "change": change, "delegation": delegation, "history_url": history}
    return render(request, "scenarios/delegation_change.html", context, status=422 if posted else 200)


def _proposed(request: HttpRequest) -> dict:
    """What a link to the form has chosen already."""
    names = {"list": "delegation_list", "town": "towns", "item": "items"}
    many = ("town", "item")
    return {
        field: request.GET.getlist(name) if name in many else request.GET[name]
        for name, field in names.items()
        if request.GET.get(name)
    }


def _require_some(request: HttpRequest) -> None:
    """A 负责人 of a department that leads nothing has nothing to hand to towns."""
    if not may_delegate(request.user):
        raise PermissionDenied(NOT_THEIRS)
