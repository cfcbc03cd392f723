"""公示: what is due, what a stranger will read, publish, withdraw."""

from django.contrib import messages
from django.db.models import F, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from archive import search, services, snapshots
from archive.enums import DisclosureState
from archive.forms import DisclosureFilterForm
from archive.models import Disclosure
from archive.permissions import (
    may_withdraw,
    require_publishing_case,
    require_publishing_task,
    require_withdrawing,
)
from core.errors import DomainError
from core.forms import typed
from core.lists import list_page
from departments.access import signed_in
from departments.models import User
from departments.permissions import CLERKS
from inspections.enums import TaskState
from inspections.models import Task
from penalties.enums import CaseState
from penalties.models import PenaltyCase
from penalties.permissions import may_handle

TABS = [
    ("visits", "待公示检查结果"),
    ("cases", "待公示处罚决定"),
    ("published", "已公示"),
    ("withdrawn", "已撤回"),
]
# What is due first comes first: the day of publication follows from these days.
SORTS = {
    "visits": ({"institution": "institution__name", "on": "submitted_at"}, "on"),
    "cases": ({"institution": "institution__name", "on": "decided_on"}, "on"),
    "published": ({"institution": "institution__name", "on": "published_at", "due": "due_on"}, "-on"),
    "withdrawn": ({"institution": "institution__name", "on": "withdrawn_at"}, "-on"),
}


@signed_in
@require_GET
def disclosure_list(request: HttpRequest) -> HttpResponse:
    keys = [key for key, _ in TABS]
    tab = request.GET.get("tab") if request.GET.get("tab") in keys else keys[0]
    form = DisclosureFilterForm({**request.GET.dict(), "tab": tab})
    if tab == "withdrawn":
        del form.fields["overdue"]
    form.is_valid()
    address = reverse("archive:disclosure_list")
    waiting = {
        "visits": search.unpublished_visits(request.user).count(),
        "cases": search.unpublished_cases(request.user).count(),
    }
    sorts, default = SORTS[tab]
    rows = _narrow(tab, _rows(tab, request.user), form.cleaned_data)
    listing = list_page(request, rows, sorts=sorts, default=default)
    context = {
        "tab": tab,
        "tab_label": dict(TABS)[tab],
        "form": form,
        "tabs": [
            {"label": label, "url": f"{address}?tab={key}", "active": key == tab, "count": waiting.get(key)}
            for key, label in TABS
        ],
        "listing": listing,
        "lines": [_line(tab, row, request.user) for row in listing],
        "is_filtered": any(value for name, value in form.cleaned_data.items() if name != "tab"),
    }
    return render(request, "archive/disclosure_list.html", context)


@signed_in
@require_http_methods(["GET", "POST"])
def publish_task(request: HttpRequest, pk: str) -> HttpResponse:
    tasks = Task.objects.visible_to(request.user).filter(state=TaskState.SUBMITTED)
    task = get_object_or_404(tasks.select_related("institution__town", "disclosure"), pk=pk)
    require_publishing_task(request.user, task)
    if hasattr(task, "disclosure"):
        return redirect("archive:public_detail", task.disclosure.pk)
    if request.method == "POST":
        return _publish(request, services.publish_task, task, "visits")
    context = {
        "content": snapshots.task_content(task),
        "title": f"{task.institution.name}检查结果",
        "due_on": services.task_due_on(task),
    }
    return render(request, "archive/publish.html", context)


@signed_in
@require_http_methods(["GET", "POST"])
def publish_case(request: HttpRequest, pk: int) -> HttpResponse:
    cases = PenaltyCase.objects.visible_to(request.user).filter(state__in=services.DECIDED)
    case = get_object_or_404(
        cases.select_related(
            "institution__town",
            "department",
            "disclosure",
            "filed_by",
            "drafted_by",
            "reviewed_by",
            "referral__finding__row",
        ),
        pk=pk,
    )
    require_publishing_case(request.user, case)
    if hasattr(case, "disclosure"):
        return redirect("archive:public_detail", case.disclosure.pk)
    if request.method == "POST":
        return _publish(request, services.publish_case, case, "cases")
    context = {
        "content": snapshots.case_content(case),
        "title": f"{case.institution.name}行政处罚决定",
        "due_on": services.case_due_on(case),
        "is_unserved": case.state == CaseState.DECIDED,
    }
    return render(request, "archive/publish.html", context)


@signed_in
@require_POST
def withdraw(request: HttpRequest, pk: int) -> HttpResponse:
    # What was published is everybody's to see; only its department withdraws it.
    disclosure = get_object_or_404(Disclosure.objects.select_related("department"), pk=pk)
    require_withdrawing(request.user, disclosure)
    try:
        services.withdraw(disclosure, reason=typed(request.POST, "reason"), actor=request.user)
    except DomainError as error:
        messages.error(request, error.message)
        return redirect(f"{reverse('archive:disclosure_list')}?tab=published")
    messages.success(request, f"已撤回“{disclosure.title}”的公示。")
    return redirect(f"{reverse('archive:disclosure_list')}?tab=withdrawn")


def _publish(request: HttpRequest, service, row: Task | PenaltyCase, tab: str) -> HttpResponse:
    try:
        disclosure = service(row, actor=request.user)
    except DomainError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, f"已公示“{disclosure.title}”。")
    return redirect(f"{reverse('archive:disclosure_list')}?tab={tab}")


def _rows(tab: str, user: User) -> QuerySet:
    match tab:
        case "visits":
            return search.unpublished_visits(user)
        case "cases":
            return search.unpublished_cases(user)
        case "published":
            return search.disclosures(user, DisclosureState.PUBLISHED)
    return search.disclosures(user, DisclosureState.WITHDRAWN)


def _narrow(tab: str, rows: QuerySet, values: dict) -> QuerySet:
    if text := values.get("q"):
        rows = rows.filter(institution__name__icontains=text)
    if town := values.get("town"):
        rows = rows.filter(institution__town=town)
    if values.get("overdue"):
        match tab:
            case "visits":
                rows = search.overdue_visits(rows)
            case "cases":
                rows = search.overdue_cases(rows)
            case _:
                rows = rows.filter(published_at__date__gt=F("due_on"))
    return rows


def _line(tab: str, row: Task | PenaltyCase | Disclosure, user: User) -> dict:
    """What the table needs of a row, whatever it is."""
    match tab:
        case "visits":
            inspections = [origin.joint_inspection for origin in row.origins.all()]
            leads = {inspection.lead_department for inspection in inspections}
            return {
                "row": row,
                "about": "、".join(inspection.name for inspection in inspections),
                "due_on": services.task_due_on(row),
                "publish_url": reverse("archive:publish_task", args=[row.pk])
                if any(user.holds(*CLERKS, department=lead) for lead in leads)
                else "",
            }
        case "cases":
            return {
                "row": row,
                "about": row.number,
                "due_on": services.case_due_on(row),
                "publish_url": reverse("archive:publish_case", args=[row.pk])
                if may_handle(user, row.department)
                else "",
            }
    return {"row": row, "may_withdraw": tab == "published" and may_withdraw(user, row)}
