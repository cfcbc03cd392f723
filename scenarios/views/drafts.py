"""A department makes its own scenario, and drafts of versions by hand."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from core.errors import DomainError
from core.forms import show_refusal
from core.lists import list_page
from departments.access import needs
from scenarios.enums import VersionState
from scenarios.forms.drafts import (
    AddItemsForm,
    CopyRowsForm,
    LineForm,
    NewScenarioForm,
    PickItemsForm,
    PickRowsForm,
)
from scenarios.models import CheckItem, Scenario, ScenarioVersion
from scenarios.permissions import require_editing
from scenarios.services import drafting
from scenarios.views.library import registering_departments
from scenarios.views.matrices import EDITORS, get_version

ITEM_SORTS = {"name": "name", "department": "department__order"}
ROW_SORTS = {"order": "version", "check": "check_text", "department": "check_department__order"}
PER_PAGE = 50


@needs(*EDITORS)
def scenario_create(request: HttpRequest) -> HttpResponse:
    departments = registering_departments(request.user)
    form = NewScenarioForm(
        request.POST or None,
        departments=departments,
        initial={"lead_department": departments[0].code} if departments else None,
    )
    if request.method != "POST":
        return render(request, "scenarios/scenario_create.html", {"form": form})
    if form.is_valid():
        try:
            draft = drafting.create_scenario(actor=request.user, **form.cleaned_data)
        except DomainError as error:
            show_refusal(form, error)
        else:
            messages.success(request, f"已新建“{draft.scenario.name}”，请编入事项。")
            return redirect("scenarios:draft_edit", draft.pk)
    return render(request, "scenarios/scenario_create.html", {"form": form}, status=422)


@needs(*EDITORS)
@require_POST
def draft_begin(request: HttpRequest, pk: int) -> HttpResponse:
    """A new draft: a copy of the version in force, else of the newest retired one, else empty."""
    scenario = get_object_or_404(Scenario.objects.visible_to(request.user), pk=pk)
    published = scenario.versions.exclude(state=VersionState.DRAFT).order_by("-number")
    source = published.filter(state=VersionState.PUBLISHED).first() or published.first()
    draft = drafting.begin_draft(scenario, actor=request.user, source=source)
    done = f"已按{source.short_name}起草{draft.short_name}。" if source else f"已新建{draft.short_name}草稿。"
    messages.success(request, done)
    return redirect("scenarios:draft_edit", draft.pk)


@needs(*EDITORS)
def draft_edit(request: HttpRequest, pk: int) -> HttpResponse:
    draft = _draft(request, pk)
    lines = drafting.lines_of(draft)
    context = {
        "version": draft,
        "scenario": draft.scenario,
        "lines": lines,
        "deviating": sum(bool(line.deviations) for line in lines),
        "unpunished": sum(line.row.penalty_item is None for line in lines),
    }
    return render(request, "scenarios/draft_edit.html", context)


@needs(*EDITORS)
def draft_items(request: HttpRequest, pk: int) -> HttpResponse:
    """Pick check items of the library, one's own and others'."""
    draft = _draft(request, pk)
    form = AddItemsForm(request.POST or None)
    status = 200
    if request.method == "POST":
        if form.is_valid():
            chosen = form.cleaned_data
            try:
                added = drafting.add_lines(draft, list(chosen.pop("items")), actor=request.user, **chosen)
            except DomainError as error:
                show_refusal(form, error)
            else:
                messages.success(request, f"已编入 {added} 项，请逐行选定处罚事项和实施主体。")
                return redirect("scenarios:draft_edit", pk)
        status = 422
    filters = PickItemsForm(request.GET)
    found = filters.filter(CheckItem.objects.all()).select_related("department")
    context = {
        "version": draft,
        "scenario": draft.scenario,
        "filters": filters,
        "form": form,
        "listing": list_page(request, found, sorts=ITEM_SORTS, default="department", per_page=PER_PAGE),
        "listed": set(draft.rows.values_list("check_item", flat=True)),
        "chosen": set(request.POST.getlist("items")),
    }
    return render(request, "scenarios/draft_items.html", context, status=status)


@needs(*EDITORS)
def draft_rows(request: HttpRequest, pk: int) -> HttpResponse:
    """Pick lines of versions in force, of any scenario, with penalty and body."""
    draft = _draft(request, pk)
    form = CopyRowsForm(request.POST or None)
    status = 200
    if request.method == "POST":
        if form.is_valid():
            rows = [row.pk for row in form.cleaned_data["rows"]]
            try:
                done = drafting.copy_lines(draft, rows, actor=request.user)
            except DomainError as error:
                show_refusal(form, error)
            else:
                messages.success(request, _copied_in_words(done))
                return redirect("scenarios:draft_edit", pk)
        status = 422
    filters = PickRowsForm(request.GET)
    found = filters.filter().select_related("version__scenario", "check_department", "penalty_department")
    context = {
        "version": draft,
        "scenario": draft.scenario,
        "filters": filters,
        "form": form,
        "listing": list_page(request, found, sorts=ROW_SORTS, default="order", per_page=PER_PAGE),
        "chosen": set(request.POST.getlist("rows")),
    }
    return render(request, "scenarios/draft_rows.html", context, status=status)


@needs(*EDITORS)
def line_edit(request: HttpRequest, pk: int, row: int) -> HttpResponse:
    draft = _draft(request, pk)
    lines = drafting.lines_of(draft)
    line = next((line for line in lines if row in {each.pk for each in line.rows}), None)
    if line is None:
        raise Http404
    form = LineForm(request.POST or None, line=line)
    context = {"version": draft, "scenario": draft.scenario, "line": line, "form": form}
    if request.method != "POST":
        return render(request, "scenarios/line_edit.html", context)
    if form.is_valid():
        try:
            drafting.change_line(draft, row, actor=request.user, **form.change)
        except DomainError as error:
            show_refusal(form, error)
        else:
            messages.success(request, "已保存这一行。")
            return redirect(_at_line(pk, row))
    return render(request, "scenarios/line_edit.html", context, status=422)


@needs(*EDITORS)
@require_POST
def line_move(request: HttpRequest, pk: int, row: int) -> HttpResponse:
    draft = _draft(request, pk)
    by = -1 if request.POST.get("to") == "up" else 1
    try:
        drafting.move_line(draft, row, by=by, actor=request.user)
    except DomainError as error:
        messages.error(request, error.message)
    return redirect(_at_line(pk, row))


@needs(*EDITORS)
@require_POST
def line_remove(request: HttpRequest, pk: int, row: int) -> HttpResponse:
    draft = _draft(request, pk)
    try:
        drafting.remove_line(draft, row, actor=request.user)
    except DomainError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, "已移除这一行，事项库中的事项不变。")
    return redirect("scenarios:draft_edit", pk)


def _draft(request: HttpRequest, pk: int) -> ScenarioVersion:
    """A draft the account edits: 404 when it does not see it, 403 when it only sees it, 409 for no draft."""
    version = get_version(request, pk)
    require_editing(request.user, version.scenario)
    if not version.is_draft:
        raise DomainError(f"{version}{version.get_state_display()}，内容不能更改；可按它起草新版本。")
    return version


def _at_line(pk: int, row: int) -> str:
    return f"{reverse('scenarios:draft_edit', args=[pk])}#line-{row}"


def _copied_in_words(done: drafting.Copied) -> str:
    parts = [f"已编入 {done.added} 行。"]
    if done.present:
        parts.append(f"{done.present} 行已在清单中，没有重复编入。")
    if done.retired:
        parts.append(f"{done.retired} 行含有已停用的事项，没有编入。")
    return "".join(parts)
