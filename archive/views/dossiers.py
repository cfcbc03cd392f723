"""结果归集: search over results, and one institution's dossier (一户一档)."""

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlencode

from django.core.paginator import Paginator
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET

from archive import search as results
from archive.forms import SearchForm
from archive.history import happenings, verify_chains
from archive.models import Disclosure
from core.lists import PER_PAGE, list_page
from departments.access import signed_in
from departments.models import User
from inspections.enums import FindingState, OwnResultState, TaskState
from inspections.models import Finding, JointInspection, OwnResult, Task, TaskOrigin
from institutions.models import Institution
from ledger.models import Entry
from penalties.models import PenaltyCase

OPEN_FINDINGS = (FindingState.RECTIFYING, FindingState.REFERRED, FindingState.RETURNED)


@dataclass(frozen=True)
class Tab:
    key: str
    label: str
    unit: str
    rows: Callable[[User, dict], QuerySet]
    sorts: dict[str, str]
    default: str


TABS = [
    Tab(
        "visits",
        "检查",
        "次",
        results.visits,
        {"institution": "institution__name", "town": "institution__town__code", "on": "submitted_at"},
        "-on",
    ),
    Tab(
        "findings",
        "问题",
        "条",
        results.findings,
        {
            "institution": "institution__name",
            "town": "institution__town__code",
            "on": "found_on",
            "severity": "severity",
            "department": "department__order",
        },
        "-on",
    ),
    Tab(
        "cases",
        "处罚",
        "件",
        results.cases,
        {
            "institution": "institution__name",
            "town": "institution__town__code",
            "on": "filed_on",
            "department": "department__order",
        },
        "-on",
    ),
    Tab(
        "own",
        "备案",
        "条",
        results.own_results,
        {
            "institution": "institution__name",
            "town": "institution__town__code",
            "on": "checked_on",
            "department": "department__order",
        },
        "-on",
    ),
]


@signed_in
@require_GET
def search(request: HttpRequest) -> HttpResponse:
    tab = next((tab for tab in TABS if tab.key == request.GET.get("tab")), TABS[0])
    form = SearchForm({**request.GET.dict(), "tab": tab.key})
    form.is_valid()
    key = form.cleaned_data.get("institution")
    institution = Institution.objects.visible_to(request.user).filter(key=key).first() if key else None
    rows = tab.rows(request.user, form.cleaned_data)
    kept = {name: value for name, value in request.GET.items() if name not in ("tab", "sort", "page")}
    address = reverse("archive:search")
    context = {
        "form": form,
        "tab": tab,
        "tab_template": f"archive/partials/_{tab.key}.html",
        "institution": institution,
        "tabs": [
            {
                "label": each.label,
                "url": f"{address}?{urlencode(kept | {'tab': each.key})}",
                "active": each is tab,
            }
            for each in TABS
        ],
        "listing": list_page(request, rows, sorts=tab.sorts, default=tab.default),
        "is_filtered": any(value for name, value in form.cleaned_data.items() if name != "tab"),
    }
    return render(request, "archive/search.html", context)


@signed_in
@require_GET
def dossier(request: HttpRequest, key: str) -> HttpResponse:
    """One institution's whole way, with that of the temporary registrations merged into it."""
    visible = Institution.objects.visible_to(request.user).select_related("town")
    institution = visible.filter(key=key).first()
    if institution is None:
        return redirect("archive:dossier", get_object_or_404(visible, absorbed__key=key).key)
    family = list(Institution.objects.history_of(institution))
    here = reverse("archive:dossier", args=[key])
    shows_inspections = request.GET.get("tab") == "inspections"
    chains, inspections, chosen = {member.subject: member for member in family}, None, None
    if shows_inspections:
        inspections, chosen = _inspections(request, family)
        chains = {chosen.subject: institution} if chosen else {}
    entries = Entry.objects.filter(chain__subject__in=chains).select_related("chain").order_by("-at", "-pk")
    page = Paginator(entries, PER_PAGE).get_page(request.GET.get("page"))
    own = {"tab": "inspections", "inspection": chosen.pk} if chosen else {}
    before = {subject: f"临时登记 {one.code}" for subject, one in chains.items() if one.merged_into_id}
    context = {
        "institution": institution,
        "family": family,
        "stats": _stats(institution, family),
        "sections": [
            {"label": "机构全过程", "url": here, "active": not shows_inspections},
            {"label": "所参加的联合检查", "url": f"{here}?tab=inspections", "active": shows_inspections},
        ],
        "shows_inspections": shows_inspections,
        "inspections": inspections,
        "chosen": chosen,
        "page": page,
        "events": happenings(page, request.user, told_of=before),
        "verification": verify_chains(chains) if chains and "verify" in request.GET else None,
        "verify_url": f"{here}?{urlencode(own | {'verify': 1})}#verify" if chains else "",
    }
    return render(request, "archive/dossier.html", context)


def _inspections(
    request: HttpRequest, family: list[Institution]
) -> tuple[list[JointInspection], JointInspection | None]:
    """The joint inspections this institution was part of and the account sees; the chosen one, else the newest."""
    rows = list(
        JointInspection.objects.visible_to(request.user)
        .filter(Exists(TaskOrigin.objects.filter(joint_inspection=OuterRef("pk"), institution__in=family)))
        .select_related("lead_department")
        .order_by("-created_at", "-pk")
    )
    wanted = request.GET.get("inspection")
    return rows, next((row for row in rows if str(row.pk) == wanted), rows[0] if rows else None)


def _stats(institution: Institution, family: list[Institution]) -> list[dict]:
    """Counts over the whole institution, whoever looks; each with the search behind it."""
    found = Finding.objects.filter(institution__in=family)
    counted = [
        ("检查", Task.objects.filter(institution__in=family, state=TaskState.SUBMITTED), "次", "visits"),
        ("未办结问题", found.filter(state__in=OPEN_FINDINGS), "条", "findings"),
        ("处罚案件", PenaltyCase.objects.filter(institution__in=family), "件", "cases"),
        (
            "自建系统备案",
            OwnResult.objects.filter(institution__in=family, state=OwnResultState.CONFIRMED),
            "条",
            "own",
        ),
        ("已公示", Disclosure.objects.published().filter(institution__in=family), "条", ""),
    ]
    address = reverse("archive:search")
    published = f"{reverse('archive:public_list')}?{urlencode({'q': institution.name})}"
    return [
        {
            "label": label,
            "value": rows.count(),
            "unit": unit,
            "url": f"{address}?{urlencode({'tab': tab, 'institution': institution.key})}"
            if tab
            else published,
        }
        for label, rows, unit, tab in counted
    ]
