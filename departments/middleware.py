"""Default deny: a view without declared access is refused, whoever asks; a login ends when nobody is there."""

from collections.abc import Callable
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, resolve_url

from departments.access import declared_access

PASSWORD_PAGES = {"departments:change_password", "departments:logout"}
EXPIRED = "expired"


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
                return JsonResponse(
                    {"detail": "登录已失效，请重新登录。", "code": "not_authenticated"}, status=401
                )
            return _to_login(request)
        if user.must_change_password and request.resolver_match.view_name not in PASSWORD_PAGES:
            if wants_json:
                return JsonResponse({"detail": "请先修改初始密码。", "code": "password_change"}, status=403)
            return redirect("departments:change_password")
        if access.roles and not user.holds(*access.roles):
            if wants_json:
                return JsonResponse({"detail": "您的岗位无权进行此操作。", "code": "forbidden"}, status=403)
            raise PermissionDenied("您的岗位无权打开此页面。")
        return None


class RenewalMiddleware:
    """Every request of a person gives the login another SESSION_COOKIE_AGE; what a page polls does not.

    等保三级 asks that a login end after half an hour without a deed (law.md §8). Renewing on every request,
    as SESSION_SAVE_EVERY_REQUEST does, would keep a board left open alive for ever.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]):
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        view = getattr(request.resolver_match, "func", None)
        session = request.session
        if session.accessed and not session.is_empty() and not getattr(view, "is_polled", False):
            session.modified = True
        return response


def _to_login(request: HttpRequest) -> HttpResponse:
    """The login page, which leads back: to this page, or to the one whose form was sent."""
    query = {}
    if settings.SESSION_COOKIE_NAME in request.COOKIES:
        # The browser still has a session the server has let go: half an hour without a click.
        query[EXPIRED] = "unsent" if request.method != "GET" else "1"
    page = _page_of(request)
    if page:
        query[REDIRECT_FIELD_NAME] = page
    address = resolve_url(settings.LOGIN_URL) + (f"?{urlencode(query)}" if query else "")
    if request.headers.get("HX-Request"):
        # htmx must leave the page, not paint the login form into a corner of it.
        return HttpResponse(status=401, headers={"HX-Redirect": address})
    return redirect(address)


def _page_of(request: HttpRequest) -> str:
    """The path a person was looking at: what a form posts to, or htmx asks for, is no page to return to."""
    if request.headers.get("HX-Request"):
        seen = request.headers.get("HX-Current-URL", "")
    elif request.method == "GET":
        return request.get_full_path()
    else:
        seen = request.headers.get("Referer", "")
    parts = urlsplit(seen)
    if parts.netloc != request.get_host():
        return ""
    return parts.path + (f"?{parts.query}" if parts.query else "")
