"""Pages of accounts: list, creation, one account with its posts and certificate."""

from datetime import date

from django.contrib import messages
from django.db.models import Prefetch
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from core.errors import DomainError
from core.forms import show_refusal
from core.lists import list_page
from departments import services
from departments.access import needs
from departments.enums import Role, Validity
from departments.forms.accounts import AccountFilterForm, AccountForm, NewAccountForm, PostForm
from departments.forms.officers import CertificateForm
from departments.models import Post, User
from departments.permissions import ACCOUNT_KEEPERS, manages, may_appoint, require_manager

ACCOUNT_READERS = (*ACCOUNT_KEEPERS, Role.AUDITOR)
ACCOUNT_SORTS = {"name": "name", "username": "username", "last_login": "last_login"}


@needs(*ACCOUNT_READERS)
def accounts(request: HttpRequest) -> HttpResponse:
    form = AccountFilterForm(request.GET, user=request.user)
    rows = form.filter(
        User.objects.visible_to(request.user)
        .select_related("officer")
        .prefetch_related(Prefetch("posts", Post.objects.select_related("department").order_by("pk")))
    )
    listing = list_page(request, rows, sorts=ACCOUNT_SORTS, default="username")
    today = timezone.localdate()
    context = {
        "form": form,
        "listing": listing,
        "accounts": [{"account": account, "validity": _validity(account, today)} for account in listing],
        "may_create": request.user.holds(*ACCOUNT_KEEPERS),
    }
    return render(request, "departments/accounts.html", context)


@never_cache
@needs(*ACCOUNT_KEEPERS)
def account_create(request: HttpRequest) -> HttpResponse:
    """A new account; the temporary password is shown once."""
    form = NewAccountForm(request.POST or None, actor=request.user)
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data
        try:
            account, password = services.create_account(actor=request.user, **values)
        except DomainError as error:
            show_refusal(form, error)
        else:
            return _hand_over(request, account, password, "账号已建立")
    return render(
        request, "departments/account_create.html", {"form": form}, status=422 if form.errors else 200
    )


@needs(*ACCOUNT_READERS)
def account_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """One account: the person, posts, certificate, and what an administrator may do to it."""
    account = _account(request, pk)
    form = AccountForm(request.POST or None, instance=account)
    if request.method == "POST":
        require_manager(request.user, account)
        if form.is_valid():
            services.change_account(account, actor=request.user, **form.cleaned_data)
            messages.success(request, f"已保存{form.cleaned_data['name']}的信息。")
            return redirect("departments:account_edit", account.pk)
        return _account_page(request, account, form=form, status=422)
    return _account_page(request, account, form=form)


@require_POST
@needs(*ACCOUNT_KEEPERS)
def account_activate(request: HttpRequest, pk: int) -> HttpResponse:
    return _set_active(request, pk, True, "已启用{}的账号。")


@require_POST
@needs(*ACCOUNT_KEEPERS)
def account_deactivate(request: HttpRequest, pk: int) -> HttpResponse:
    return _set_active(request, pk, False, "已停用{}的账号，其登录即时失效。")


@never_cache
@require_POST
@needs(*ACCOUNT_KEEPERS)
def account_reset(request: HttpRequest, pk: int) -> HttpResponse:
    """A temporary password, shown once."""
    account = _account(request, pk)
    return _hand_over(request, account, services.reset_password(account, actor=request.user), "密码已重置")


@require_POST
@needs(*ACCOUNT_KEEPERS)
def post_give(request: HttpRequest, pk: int) -> HttpResponse:
    account = _account(request, pk)
    form = PostForm(request.POST, actor=request.user, auto_id="post_%s")
    if form.is_valid():
        role, department = Role(form.cleaned_data["role"]), form.cleaned_data["department"]
        try:
            services.give_post(account, role, department, actor=request.user)
        except DomainError as error:
            show_refusal(form, error)
        else:
            messages.success(request, f"已授予{account.name}{role.label}岗位。")
            return redirect("departments:account_edit", account.pk)
    return _account_page(request, account, post_form=form, status=422)


@require_POST
@needs(*ACCOUNT_KEEPERS)
def post_take(request: HttpRequest, pk: int, post: int) -> HttpResponse:
    account = _account(request, pk)
    held = get_object_or_404(account.posts.select_related("department", "user"), pk=post)
    try:
        services.take_post(held, actor=request.user)
    except DomainError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, f"已撤销{account.name}的{held.get_role_display()}岗位。")
    if not User.objects.visible_to(request.user).filter(pk=pk).exists():
        return redirect("departments:accounts")
    return redirect("departments:account_edit", account.pk)


@require_POST
@needs(*ACCOUNT_KEEPERS)
def certify(request: HttpRequest, pk: int) -> HttpResponse:
    account = _account(request, pk)
    form = CertificateForm(request.POST, actor=request.user, auto_id="certificate_%s")
    if form.is_valid():
        try:
            services.issue_certificate(account, actor=request.user, **form.cleaned_data)
        except DomainError as error:
            show_refusal(form, error)
        else:
            messages.success(request, f"已登记{account.name}的执法证。")
            return redirect("departments:account_edit", account.pk)
    return _account_page(request, account, certificate_form=form, status=422)


def _account(request: HttpRequest, pk: int) -> User:
    return get_object_or_404(
        User.objects.visible_to(request.user).select_related("officer__department"), pk=pk
    )


def _validity(account: User, day: date) -> Validity | None:
    officer = getattr(account, "officer", None)
    return officer.validity_on(day) if officer else None


def _account_page(request: HttpRequest, account: User, *, status: int = 200, **forms) -> HttpResponse:
    officer = getattr(account, "officer", None)
    user = request.user
    posts = [
        {"post": post, "may_take": post.user_id != user.pk and may_appoint(user, post.role, post.department)}
        for post in account.held_posts
    ]
    context = {
        "account": account,
        "officer": officer,
        "posts": posts,
        "may_manage": manages(user, account),
        "trail": f"trail:{account.subject}" if user.holds(Role.AUDITOR) else "",
        "may_give": user.pk != account.pk and user.holds(*ACCOUNT_KEEPERS),
        "form": AccountForm(instance=account),
        "post_form": PostForm(actor=user, auto_id="post_%s"),
        "certificate_form": CertificateForm(actor=user, auto_id="certificate_%s"),
    }
    return render(request, "departments/account_edit.html", context | forms, status=status)


def _set_active(request: HttpRequest, pk: int, active: bool, sentence: str) -> HttpResponse:
    account = _account(request, pk)
    try:
        services.set_active(account, active, actor=request.user)
    except DomainError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, sentence.format(account.name))
    return redirect("departments:account_edit", account.pk)


def _hand_over(request: HttpRequest, account: User, password: str, title: str) -> HttpResponse:
    context = {"account": account, "password": password, "title": title}
    return render(request, "departments/account_password.html", context)
