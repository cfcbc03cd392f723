"""Default deny: a view without declared access is refused, whoever asks."""

from collections.abc import Callable

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, resolve_url

from departments.access import declared_access

PASSWORD_PAGES = {"departments:change_password", "departments:logout"}


class AccessMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]):
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request, view, args, kwargs) -> HttpResponse | None:
        """Login page or 401 for strangers, 403 for accounts without the role."""
        access = declared_access(view)
        if access is None:
            raise PermissionDenied("此页面未声明访问范围。")
        if access.is_public:
            return None
        user = request.user
        wants_json = request.path.startswith("/api/")
        if not user.is_authenticated:
            if wants_json:
                return JsonResponse({"detail": "登录已失效，请重新登录。", "code": "not_authenticated"}, status=401)
            if request.headers.get("HX-Request"):
                # htmx must leave the page, not paint the login form into a corner of it.
                return HttpResponse(status=401, headers={"HX-Redirect": resolve_url(settings.LOGIN_URL)})
            return redirect_to_login(request.get_full_path())
        if user.must_change_password and request.resolver_match.view_name not in PASSWORD_PAGES:
            if wants_json:
                return JsonResponse({"detail": "请先修改初始密码。", "code": "password_change"}, status=403)
            return redirect("departments:change_password")
        if access.roles and not user.holds(*access.roles):
            if wants_json:
                return JsonResponse({"detail": "您的岗位无权进行此操作。", "code": "forbidden"}, status=403)
            raise PermissionDenied("您的岗位无权打开此页面。")
        return None
