"""Drawing on the joint inspection's page, the secrets departments give to it, and what anybody may check."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.contrib import messages
from django.http import FileResponse, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.http import content_disposition_header
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from core.errors import DomainError
from core.forms import show_refusal, typed
from core.lists import list_page
from departments.access import needs, public, signed_in
from departments.enums import Role
from departments.models import Department
from departments.permissions import CLERKS
from inspections.draws import publication as pure
from inspections.draws.seeds import new_secret
from inspections.enums import DrawState
from inspections.forms.draws import CommitForm, RevealForm
from inspections.models import Draw, JointInspection
from inspections.permissions import may_lead
from inspections.services import contributions, publication, strata
from inspections.services import draw as services

VERIFIER = Path(pure.__file__).with_name("verifier.html")
LIST_SORTS = {"drawn": "frozen_at", "name": "joint_inspection__name"}
DRAWN_SORTS = {"position": "position", "name": "institution__name", "town": "institution__town__code"}


@needs(*CLERKS)
@require_POST
def draw(request: HttpRequest, pk: int) -> HttpResponse:
    """Draw institutions at random, in one go."""
    inspection = get_object_or_404(JointInspection.objects.visible_to(request.user), pk=pk)
    try:
        made = services.draw(inspection, actor=request.user)
    except DomainError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, f"已从 {made.roster_size} 家机构中抽取 {made.size} 家。")
    return redirect("inspections:detail", pk)


@needs(*CLERKS)
@require_POST
def open_secrets(request: HttpRequest, pk: int) -> HttpResponse:
    """Freeze the roster and ask the departments for secrets."""
    inspection = get_object_or_404(JointInspection.objects.visible_to(request.user), pk=pk)
    try:
        frozen = contributions.open_contributions(inspection, actor=request.user)
    except DomainError as error:
        messages.error(request, error.message)
        return redirect("inspections:detail", pk)
    messages.success(request, f"名单已固定（{frozen.roster_size} 家），各部门已收到通知。")
    return redirect("inspections:draw_secrets", frozen.pk)


@needs(Role.HEAD)
@require_POST
def replace(request: HttpRequest, pk: int) -> HttpResponse:
    """The 负责人 lets it be drawn again."""
    standing = _seen_by_department(request, pk)
    try:
        services.replace(standing, reason=typed(request.POST, "reason"), actor=request.user)
    except DomainError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, "已批准重新抽取，原结果保留备查。")
    return redirect("inspections:detail", standing.joint_inspection_id)


@needs(*CLERKS)
@require_POST
def close(request: HttpRequest, pk: int) -> HttpResponse:
    """No more commitments."""
    frozen = _seen_by_department(request, pk)
    try:
        made = contributions.close_commitments(frozen, actor=request.user)
    except DomainError as error:
        messages.error(request, error.message)
    else:
        said = (
            "没有部门提交承诺，已按门户的秘密数抽取。"
            if made.is_drawn
            else "已停止征集，请各部门公开秘密数。"
        )
        messages.success(request, said)
    return redirect("inspections:draw_secrets", pk)


@signed_in
@require_GET
def secrets(request: HttpRequest, pk: int) -> HttpResponse:
    """How far the secrets are, and what this account's departments may give."""
    return _secrets_page(request, _seen_by_department(request, pk))


@needs(*CLERKS)
@require_POST
@never_cache
def commit(request: HttpRequest, pk: int) -> HttpResponse:
    """A commitment made in the browser; or, when none is given, a secret made here and shown this once."""
    frozen = _seen_by_department(request, pk)
    department = _own_department(request, frozen)
    secret = "" if request.POST.get("commitment") else new_secret()
    given = request.POST.get("commitment") or contributions.commitment_of(frozen, department, secret)
    form = CommitForm(request.POST)
    try:
        contributions.commit(frozen, department, commitment=given, actor=request.user)
    except DomainError as error:
        form.is_valid()
        show_refusal(form, error)
        return _secrets_page(request, frozen, refused={department.pk: form}, status=422)
    if secret:
        return _secrets_page(request, frozen, shown_once={department.pk: secret})
    messages.success(request, "已提交承诺，请妥善保存秘密数，征集截止后凭它公开。")
    return redirect("inspections:draw_secrets", pk)


@needs(*CLERKS)
@require_POST
def reveal(request: HttpRequest, pk: int) -> HttpResponse:
    """The secret itself; the last one makes the draw."""
    frozen = _seen_by_department(request, pk)
    department = _own_department(request, frozen)
    form = RevealForm(request.POST)
    if form.is_valid():
        try:
            made = contributions.reveal(
                frozen, department, secret=form.cleaned_data["secret"], actor=request.user
            )
        except DomainError as error:
            show_refusal(form, error)
        else:
            drawn = f"各部门均已公开，抽取了 {made.size} 家机构。"
            messages.success(request, drawn if made.is_drawn else "已公开秘密数，等待其他部门。")
            return redirect("inspections:draw_secrets", pk)
    return _secrets_page(request, frozen, refused={department.pk: form}, status=422)


@public
@require_GET
def draw_list(request: HttpRequest) -> HttpResponse:
    """Every draw anybody may check."""
    rows = Draw.objects.published().select_related("joint_inspection__lead_department")
    context = {"listing": list_page(request, rows, sorts=LIST_SORTS, default="-drawn")}
    return render(request, "inspections/draw_list.html", context)


@public
@require_GET
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One draw, as anybody may read it."""
    made = _visible(request, pk)
    drawn = made.drawn.select_related("institution__town")
    others = made.joint_inspection.draws.exclude(pk=pk)
    context = {
        "draw": made,
        "rule": strata.in_words(made.sampling_rule),
        "strata": strata.named(made.strata, made.sampling_rule),
        "contributions": publication.contributions(made),
        "loads": publication.loads(made),
        "excluded": len(made.roster.content["excluded"]),
        "listing": list_page(request, drawn, sorts=DRAWN_SORTS, default="position"),
        "others": others.order_by("number"),
    }
    return render(request, "inspections/draw_detail.html", context)


@public
@require_GET
def result(request: HttpRequest, pk: int) -> HttpResponse:
    """The published JSON, to be checked elsewhere."""
    made = _visible(request, pk)
    response = JsonResponse(publication.document(made), json_dumps_params={"ensure_ascii": False})
    name = f"抽取结果-{made.joint_inspection.number}-{made.number}.json"
    response["Content-Disposition"] = content_disposition_header(True, name)
    return response


@public
@require_GET
def verifier(request: HttpRequest) -> FileResponse:
    """The page that checks a published JSON without server or network; a file, not a page of the portal."""
    return FileResponse(VERIFIER.open("rb"), as_attachment=True, filename="抽取结果核验.html")


def _visible(request: HttpRequest, pk: int) -> Draw:
    rows = Draw.objects.visible_to(request.user)
    return get_object_or_404(rows.select_related("joint_inspection__lead_department", "roster"), pk=pk)


def _seen_by_department(request: HttpRequest, pk: int) -> Draw:
    """The draw of a joint inspection this account sees; published ones of others are not theirs to act on."""
    seen = JointInspection.objects.visible_to(request.user)
    rows = Draw.objects.filter(joint_inspection__in=seen.values("pk"))
    return get_object_or_404(rows.select_related("joint_inspection__lead_department__group"), pk=pk)


def _own_department(request: HttpRequest, frozen: Draw) -> Department:
    own = {department.pk: department for department in request.user.departments_as(*CLERKS)}
    wanted = request.POST.get("department", "")
    if wanted.isdecimal() and int(wanted) in own:
        return own[int(wanted)]
    # One clerk, one department is the rule; the service refuses whoever takes no part.
    return next(iter(own.values()))


def _secrets_page(
    request: HttpRequest,
    frozen: Draw,
    *,
    refused: dict[int, Any] | None = None,
    shown_once: dict[int, str] | None = None,
    status: int = 200,
) -> HttpResponse:
    user = request.user
    given = {one.department_id: one for one in frozen.contributions.select_related("department")}
    may_give = list(contributions.contributors(frozen))
    own = {department.pk for department in user.departments_as(*CLERKS)}
    make_form: Callable = CommitForm if frozen.state == DrawState.COMMITTING else RevealForm
    sections = [
        {
            "department": department,
            "given": given.get(department.pk),
            "form": (refused or {}).get(department.pk) or make_form(),
            "secret": (shown_once or {}).get(department.pk, ""),
        }
        for department in may_give
        if department.pk in own
    ]
    context = {
        "draw": frozen,
        "inspection": frozen.joint_inspection,
        "rows": [{"department": department, "given": given.get(department.pk)} for department in may_give],
        "sections": sections,
        "may_close": frozen.state == DrawState.COMMITTING and may_lead(user, frozen.joint_inspection),
        "close_text": f"{len(given)} 个部门已提交承诺。停止后不再接受承诺，"
        + ("请其公开秘密数。" if given else "随即按门户的秘密数抽取。"),
        "steps": _steps(frozen),
    }
    return render(request, "inspections/draw_secrets.html", context, status=status)


def _steps(frozen: Draw) -> list[dict[str, str]]:
    path = ["固定名单", "提交承诺", "公开秘密数", "抽取"]
    here = {DrawState.COMMITTING: 1, DrawState.REVEALING: 2}.get(frozen.state, 4)
    void = frozen.state == DrawState.VOID
    return [
        {
            "label": label,
            "state": "done"
            if place < here and not (void and place == 3)
            else "skipped"
            if void
            else "current"
            if place == here
            else "todo",
        }
        for place, label in enumerate(path)
    ]
