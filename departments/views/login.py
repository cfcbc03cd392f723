"""Coming in, going out, and one's own password."""

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth import views as auth_views
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters

from departments import services
from departments.access import public, signed_in
from departments.forms.accounts import LoginForm, PasswordForm
from departments.middleware import EXPIRED


@public
class Login(auth_views.LoginView):
    """用户名、密码; leads to the page the visitor came for, or the desk."""

    template_name = "departments/login.html"
    form_class = LoginForm
    redirect_authenticated_user = True

    def get_context_data(self, **kwargs):
        """Say why somebody at work is suddenly asked to log in."""
        return super().get_context_data(
            expired=self.request.GET.get(EXPIRED, ""),
            idle_minutes=settings.SESSION_COOKIE_AGE // 60,
            **kwargs,
        )


@public
class Logout(auth_views.LogoutView):
    """POST only; a stranger is sent to the login page all the same."""

    http_method_names = ["post"]


@never_cache
@sensitive_post_parameters()
@signed_in
def change_password(request: HttpRequest) -> HttpResponse:
    form = PasswordForm(request.user, request.POST or None)
    if request.method == "POST" and form.is_valid():
        services.change_password(request.user, form.cleaned_data["new_password1"])
        update_session_auth_hash(request, request.user)
        messages.success(request, "密码已修改。")
        return redirect(settings.LOGIN_REDIRECT_URL)
    return render(
        request, "departments/password_change.html", {"form": form}, status=422 if form.errors else 200
    )
