"""Scenarios, their versions, and the matrix as the attachment prints it."""

from django.contrib import messages
from django.db.models import Count, Prefetch
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from core.errors import DomainError
from core.files import file_response
from core.forms import show_refusal
from core.lists import list_page
from departments.access import needs
from departments.enums import Role
from scenarios.enums import VersionState
from scenarios.forms.matrices import DayForm, PublishForm, RetireForm
from scenarios.models import Scenario, ScenarioVersion
from scenarios.permissions import EDITING_ROLES, may_edit, require_editing
from scenarios.services import versions
from scenarios.services.comparing import compare, content_of_version, route_changes
from scenarios.services.library import counts, doubtful_bases
from scenarios.services.printing import print_version

READERS = tuple(Role)
EDITORS = (Role.SYSTEM_ADMIN, *EDITING_ROLES)
SORTS = {"name": "name", "lead": "lead_department__order", "created": "created_at"}


def section_tabs(active: str) -> list[dict]:
    """The rooms of 事项矩阵."""
    rooms = [
        ("list", "一件事"),
        ("item_list", "检查事项"),
        ("penalty_list", "处罚事项"),
        ("delegation_list", "赋权清单"),
        ("gap_list", "缺口"),
    ]
    return [
        {"label": label, "url": reverse(f"scenarios:{name}"), "active": name == active}
        for name, label in rooms
    ]


def scenario_tabs(scenario: Scenario, active: str) -> list[dict]:
    """The rooms of one scenario."""
    rooms = [("detail", "版本"), ("participants", "参与部门")]
    return [
        {"label": label, "url": reverse(f"scenarios:{name}", args=[scenario.pk]), "active": name == active}
        for name, label in rooms
    ]


@needs(*READERS)
def scenario_list(request: HttpRequest) -> HttpResponse:
    in_force = ScenarioVersion.objects.filter(state=VersionState.PUBLISHED).annotate(
        row_count=Count("rows__line", distinct=True), item_count=Count("rows__check_item", distinct=True)
    )
    scenarios = (
        Scenario.objects.visible_to(request.user)
        .select_related("lead_department")
        .prefetch_related(
            Prefetch("versions", in_force, to_attr="in_force"),
            Prefetch(
                "versions",
                ScenarioVersion.objects.visible_to(request.user).filter(state=VersionState.DRAFT),
                to_attr="drafts",
            ),
        )
    )
    context = {
        "listing": list_page(request, scenarios, sorts=SORTS, default="name"),
        "tabs": section_tabs("list"),
        "may_upload": request.user.holds(*EDITORS),
    }
    return render(request, "scenarios/list.html", context)


@needs(*READERS)
def scenario_detail(request: HttpRequest, pk: int) -> HttpResponse:
    scenarios = Scenario.objects.visible_to(request.user).select_related("lead_department")
    scenario = get_object_or_404(scenarios, pk=pk)
    shown = (
        scenario.versions.visible_to(request.user)
        .annotate(row_count=Count("rows__line", distinct=True))
        .select_related("created_by", "published_by", "source_file")
        .order_by("-number")
    )
    form = DayForm(request.GET)
    day = form.cleaned_data["on"] if form.is_valid() else None
    context = {
        "scenario": scenario,
        "versions": list(shown),
        "form": form,
        "day": day,
        "in_force": scenario.versions.in_force(day).first() if day else None,
        "may_edit": may_edit(request.user, scenario),
        "tabs": scenario_tabs(scenario, "detail"),
    }
    return render(request, "scenarios/detail.html", context)


@needs(*READERS)
def version(request: HttpRequest, pk: int) -> HttpResponse:
    shown = get_version(request, pk)
    may = may_edit(request.user, shown.scenario)
    before = versions.baseline(shown) if shown.is_draft else None
    contents = [content_of_version(each) for each in (before, shown)] if before else []
    context = {
        "version": shown,
        "scenario": shown.scenario,
        "before": before,
        "replaces": bool(before) and before.state == VersionState.PUBLISHED,
        "comparison": compare(*contents) if contents else None,
        "routes": route_changes(*contents) if contents else [],
        "matrix": print_version(shown, item_url=lambda item: reverse("scenarios:item", args=[item])),
        "counts": counts(shown),
        "doubtful": doubtful_bases(shown),
        "may_edit": may,
        "may_retire": may and shown.state == VersionState.PUBLISHED,
        "publish_form": PublishForm() if may and shown.is_draft else None,
    }
    return render(request, "scenarios/version.html", context)


@needs(*EDITORS)
@require_POST
def publish(request: HttpRequest, pk: int) -> HttpResponse:
    draft = get_version(request, pk)
    form = PublishForm(request.POST)
    if not form.is_valid():
        messages.error(request, form.errors["effective_from"][0])
        return redirect("scenarios:version", pk)
    try:
        versions.publish(draft, actor=request.user, effective_from=form.cleaned_data["effective_from"])
    except DomainError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, f"已发布“{draft}”，内容不再更改。")
    return redirect("scenarios:version", pk)


@needs(*EDITORS)
def retire(request: HttpRequest, pk: int) -> HttpResponse:
    """Take the version in force out of force without a successor: says what follows, asks for a reason."""
    shown = get_version(request, pk)
    require_editing(request.user, shown.scenario)
    form = RetireForm(request.POST or None, initial={"last_day": timezone.localdate()})
    context = {"version": shown, "scenario": shown.scenario, "form": form}
    if request.method != "POST":
        return render(request, "scenarios/retire.html", context)
    if form.is_valid():
        try:
            retired = versions.retire(shown, actor=request.user, **form.cleaned_data)
        except DomainError as error:
            show_refusal(form, error)
        else:
            messages.success(request, f"已停用“{retired}”，施行至 {retired.effective_until:%Y-%m-%d}。")
            return redirect("scenarios:version", pk)
    return render(request, "scenarios/retire.html", context, status=422)


@needs(*EDITORS)
@require_POST
def discard(request: HttpRequest, pk: int) -> HttpResponse:
    draft = get_version(request, pk)
    try:
        versions.discard(draft, actor=request.user)
    except DomainError as error:
        messages.error(request, error.message)
        return redirect("scenarios:version", pk)
    messages.success(request, f"已废弃草稿“{draft}”。")
    if Scenario.objects.visible_to(request.user).filter(pk=draft.scenario_id).exists():
        return redirect("scenarios:detail", draft.scenario_id)
    return redirect("scenarios:list")


@needs(*READERS)
def source(request: HttpRequest, pk: int) -> FileResponse:
    """The workbook a version was made of, for those who keep its scenario."""
    shown = get_version(request, pk)
    if shown.source_file is None or not may_edit(request.user, shown.scenario):
        raise Http404
    return file_response(shown.source_file, download=True)


def get_version(request: HttpRequest, pk: int) -> ScenarioVersion:
    """The version, for whoever sees it; otherwise 404."""
    shown = ScenarioVersion.objects.visible_to(request.user)
    return get_object_or_404(
        shown.select_related("scenario__lead_department", "source_file", "created_by", "published_by"), pk=pk
    )
