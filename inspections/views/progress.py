"""One page on how a joint inspection gets on: stages, what is late, towns, and the course of it."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_GET

from departments.access import signed_in
from inspections.models import JointInspection
from inspections.services import boards, progress
from inspections.views.overview import steps


@signed_in
@require_GET
def overview(request: HttpRequest, pk: int) -> HttpResponse:
    """Everybody who takes part sees the same figures as the lead."""
    rows = JointInspection.objects.visible_to(request.user).select_related("lead_department")
    inspection = get_object_or_404(rows, pk=pk)
    context = {
        "inspection": inspection,
        "steps": steps(inspection),
        "board": boards.department_rows(inspection, request.user),
        "tiles": _tiles(progress.totals(inspection), f"{reverse('inspections:task_list')}?inspection={pk}"),
        "late": progress.late(inspection),
        "towns": progress.by_town(inspection),
        "course": progress.over_time(inspection),
    }
    return render(request, "inspections/progress.html", context)


def _tiles(totals: dict[str, int], tasks: str) -> list[dict[str, Any]]:
    return [
        {
            "label": "已提交表单",
            "value": totals["submitted"],
            "unit": "张",
            "note": f"共 {totals['visits']} 张，{totals['under_way']} 张填写中",
            "url": tasks,
        },
        {
            "label": "超过检查期限",
            "value": totals["overdue"],
            "unit": "家",
            "note": "尚未提交表单",
            "tone": "danger" if totals["overdue"] else "",
        },
        {"label": "发现问题", "value": totals["findings"], "unit": "条", "note": "以已提交的表单计"},
        {
            "label": "整改中",
            "value": totals["rectifying"],
            "unit": "条",
            "note": f"{totals['rectifying_late']} 条超过整改期限",
            "tone": "danger" if totals["rectifying_late"] else "",
        },
    ]
