"""Who goes to a visit, who was replaced and why, and a department's replacing of its own."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods

from core.errors import DomainError
from core.forms import show_refusal
from departments.access import needs
from departments.permissions import CLERKS
from inspections.forms.swaps import SwapForm
from inspections.models import Task
from inspections.services import swaps


@needs(*CLERKS)
@require_http_methods(["GET", "POST"])
def task_officers(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The officers of a visit; a clerk replaces those of the own department."""
    task = get_object_or_404(Task.objects.visible_to(request.user).select_related("institution__town"), pk=pk)
    sent = list(task.officers.select_related("officer__user", "department"))
    own = {department.pk for department in request.user.departments_as(*CLERKS)}
    departments = list({one.department.pk: one.department for one in sent}.values())
    forms = [
        SwapForm(_given(request, department.code), task=task, department=department)
        for department in departments
        if task.is_open and department.pk in own
    ]
    status = 200
    if request.method == "POST":
        form = next((form for form in forms if form.is_bound), None)
        if form is None:
            if not own & {department.pk for department in departments}:
                raise PermissionDenied("只有派出部门可以更换执法人员。")
            said = "请选择要更换的执法人员。" if task.is_open else "表单已经提交或取消，不能更换执法人员。"
            messages.error(request, said)
            return redirect("inspections:task_officers", pk)
        if form.is_valid() and _swap(request, form):
            return redirect("inspections:task_officers", pk)
        status = 422
    context = {
        "task": task,
        "sent": sent,
        "forms": forms,
        "swaps": task.swaps.select_related("replaced__user", "replacement__user", "department", "swapped_by"),
    }
    return render(request, "inspections/task_officers.html", context, status=status)


def _given(request: HttpRequest, code: str) -> Any:
    """The posted values when they are this department's."""
    return request.POST if request.method == "POST" and request.POST.get("department") == code else None


def _swap(request: HttpRequest, form: SwapForm) -> bool:
    given = form.cleaned_data
    try:
        made = swaps.swap(
            given["sent"], replacement=given["replacement"], reason=given["reason"], actor=request.user
        )
    except DomainError as error:
        show_refusal(form, error)
        return False
    messages.success(
        request, f"已由{made.replacement.user.name}接替{made.replaced.user.name}，双方均已收到通知。"
    )
    return True
