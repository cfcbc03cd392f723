"""The register of departments: list, one department, entering and changing it, its other names."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST

from core.errors import DomainError
from core.forms import show_refusal
from departments import services
from departments.access import needs, signed_in
from departments.enums import DepartmentKind, Role
from departments.forms.departments import AliasForm, DepartmentForm, NewDepartmentForm
from departments.models import Department
from departments.permissions import departments_administered_by, may_change_department, names_departments


@signed_in
def department_list(request: HttpRequest) -> HttpResponse:
    """Bureaus, then towns, each with its other names and how many officers may inspect today."""
    departments = Department.objects.with_certified(timezone.localdate()).prefetch_related("aliases")
    rows = list(departments)
    context = {
        "bureaus": [row for row in rows if row.kind == DepartmentKind.BUREAU],
        "towns": [row for row in rows if row.kind == DepartmentKind.TOWN],
        "may_enter": names_departments(request.user),
    }
    return render(request, "departments/list.html", context)


@signed_in
def department_detail(request: HttpRequest, code: str) -> HttpResponse:
    """One department: duties, contact, other names, posts, officers with their certificates."""
    return _detail(request, _department(code))


@needs(Role.SYSTEM_ADMIN)
def department_create(request: HttpRequest) -> HttpResponse:
    form = NewDepartmentForm(request.POST or None, user=request.user)
    if request.method == "POST" and form.is_valid():
        try:
            department = services.enter_department(actor=request.user, **form.cleaned_data)
        except DomainError as error:
            show_refusal(form, error)
        else:
            messages.success(request, f"已登记{department.short_name}，请为其建立账号。")
            return redirect("departments:detail", department.code)
    return render(request, "departments/create.html", {"form": form}, status=422 if form.errors else 200)


@needs(Role.SYSTEM_ADMIN, Role.DEPARTMENT_ADMIN)
def department_edit(request: HttpRequest, code: str) -> HttpResponse:
    department = _department(code)
    if not may_change_department(request.user, department):
        raise PermissionDenied("部门信息由系统管理员或本部门的部门管理员变更。")
    name = department.short_name
    form = DepartmentForm(request.POST or None, instance=department, user=request.user)
    if request.method == "POST" and form.is_valid():
        try:
            department = services.change_department(department, actor=request.user, **form.cleaned_data)
        except DomainError as error:
            show_refusal(form, error)
        else:
            messages.success(request, f"已保存{department.short_name}的信息。")
            return redirect("departments:detail", department.code)
    context = {"form": form, "department": department, "name": name}
    return render(request, "departments/edit.html", context, status=422 if form.errors else 200)


@require_POST
@needs(Role.SYSTEM_ADMIN)
def alias_add(request: HttpRequest, code: str) -> HttpResponse:
    department = _department(code)
    form = AliasForm(request.POST)
    if form.is_valid():
        try:
            added = services.register_alias(department, form.cleaned_data["alias"], actor=request.user)
        except DomainError as error:
            form.add_error("alias", error.message)
        else:
            messages.success(request, f"已登记别名“{added}”。")
            return redirect("departments:detail", department.code)
    return _detail(request, department, alias_form=form, status=422)


@require_POST
@needs(Role.SYSTEM_ADMIN)
def alias_remove(request: HttpRequest, code: str, pk: int) -> HttpResponse:
    alias = get_object_or_404(_department(code).aliases.select_related("department"), pk=pk)
    services.remove_alias(alias, actor=request.user)
    messages.success(request, f"已删除别名“{alias}”，今后导入遇到时会再询问。")
    return redirect("departments:detail", code)


def _department(code: str) -> Department:
    return get_object_or_404(Department.objects.select_related("town"), code=code)


def _detail(
    request: HttpRequest, department: Department, *, alias_form: AliasForm | None = None, status: int = 200
) -> HttpResponse:
    posts = department.posts.filter(user__is_active=True).exclude(role=Role.OFFICER).select_related("user")
    order = list(Role)
    today = timezone.localdate()
    officers = department.officers.filter(user__is_active=True).select_related("user")
    context = {
        "department": department,
        "aliases": department.aliases.all(),
        "posts": sorted(posts, key=lambda post: (order.index(post.role), post.user.name)),
        "officers": [{"officer": officer, "validity": officer.validity_on(today)} for officer in officers],
        "may_manage": departments_administered_by(request.user).filter(pk=department.pk).exists(),
        "may_change": may_change_department(request.user, department),
        "may_name": names_departments(request.user),
        "alias_form": alias_form or AliasForm(),
    }
    return render(request, "departments/detail.html", context, status=status)
