"""并入: find the registration with a code, look at both side by side, confirm once."""

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render

from core.errors import DomainError
from departments.access import needs
from institutions import services
from institutions.forms import SurvivorForm
from institutions.models import Institution
from institutions.permissions import require_keeper
from institutions.services.columns import columns
from institutions.services.entries import REGISTERED, said_by
from institutions.services.merging import filled_by, survivors_for
from institutions.views.register import KEEPERS, institution_or_404

OFFERED = 20


@needs(*KEEPERS)
def institution_merge(request: HttpRequest, key: UUID) -> HttpResponse:
    """Which registration, then both of them; POST merges into the one named by `into`."""
    temporary = institution_or_404(request, key)
    require_keeper(request.user)
    if temporary.uscc:
        raise DomainError(f"“{temporary.name}”已有统一社会信用代码，只能并入没有信用代码的临时登记。")
    form = SurvivorForm({**request.GET.dict(), **request.POST.dict()})
    if not form.is_valid():
        raise Http404
    words, given = form.cleaned_data["q"], form.cleaned_data["into"]
    coded = Institution.objects.visible_to(request.user).exclude(uscc=None).select_related("town")
    survivor = get_object_or_404(coded, uscc=given) if given else None
    if request.method == "POST" and survivor:
        services.merge(temporary, survivor, actor=request.user)
        messages.success(request, f"“{temporary.name}”的临时登记已并入“{survivor.name}”，其历史见一户一档。")
        return redirect("institutions:detail", survivor.key)
    context = {
        "institution": temporary,
        "survivor": survivor,
        "words": words,
        "offered": survivors_for(temporary, actor=request.user, words=words)[:OFFERED],
        "compared": _compared(temporary, survivor) if survivor else [],
        "question": f"“{temporary.name}”将并入“{survivor.name}”（{survivor.uscc}），不能撤销。"
        if survivor
        else "",
        "into": {"into": survivor.uscc} if survivor else {},
        "recusals": temporary.recusals.count() if survivor else 0,
    }
    status = 422 if request.method == "POST" else 200
    return render(request, "institutions/merge.html", context, status=status)


def _compared(temporary: Institution, survivor: Institution) -> list[dict]:
    """Each field with what both say and what will stand."""
    mine, theirs, filled = said_by(temporary), said_by(survivor), filled_by(survivor, temporary)
    return [
        {
            "heading": column.heading,
            "temporary": column.told(mine[column.name]),
            "survivor": column.told(theirs[column.name]),
            "is_filled": column.name in filled,
            "differs": mine[column.name] != theirs[column.name],
        }
        for column in columns()
        if column.name in REGISTERED and (mine[column.name] or theirs[column.name])
    ]
