"""Pages of the roof: the desk (工作台), notifications, the way to a subject's page, refusals."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from core.lists import list_page
from departments.access import signed_in
from departments.models import Notification
from departments.services import mark_read
from portal import desk as desk_of
from portal.subjects import page_of

API = "/api/"


@signed_in
def desk(request: HttpRequest) -> HttpResponse:
    """What waits for this user, what is late, what just happened."""
    return render(request, "portal/desk.html", {"desk": desk_of.build(request.user)})


@signed_in
def notifications(request: HttpRequest) -> HttpResponse:
    """The account's own messages, newest first; `?unread=1` hides those already read."""
    rows = Notification.objects.filter(recipient=request.user)
    only_unread = request.GET.get("unread") == "1"
    if only_unread:
        rows = rows.filter(read_at=None)
    listing = list_page(request, rows, sorts={"created": "created_at"}, default="-created")
    return render(
        request,
        "portal/notifications.html",
        {
            "listing": listing,
            "tabs": [
                {"label": "全部", "url": request.path, "active": not only_unread},
                {"label": "未读", "url": f"{request.path}?unread=1", "active": only_unread},
            ],
        },
    )


@require_POST
@signed_in
def notification_read(request: HttpRequest, pk: int) -> HttpResponse:
    """Mark one of the account's own messages read."""
    notification = get_object_or_404(Notification, pk=pk, recipient=request.user)
    mark_read(request.user, notification=notification.pk)
    return redirect("portal:notifications")


@require_POST
@signed_in
def notifications_read(request: HttpRequest) -> HttpResponse:
    """Mark all the account's messages read."""
    messages.success(request, f"已将 {mark_read(request.user)} 条通知标为已读。")
    return redirect("portal:notifications")


@signed_in
def open_subject(request: HttpRequest, subject: str) -> HttpResponse:
    """Go to the page that shows a subject (`referral:12`); that page says whether this user may see it."""
    page = page_of(subject)
    if page is None:
        raise Http404("此对象没有页面。")
    mark_read(request.user, subject=subject)
    return redirect(page)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form older than the login it belongs to; nothing was saved."""
    return refuse(request, 403, "页面已过期，请返回上一页、刷新后重新提交。")


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """403 with the sentence of whoever refused."""
    return refuse(request, 403, str(exception))


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """404 without telling what is there for others."""
    return refuse(request, 404, "找不到该内容。")


def server_error(request: HttpRequest) -> HttpResponse:
    """500; the template stands alone, since whatever broke may be what a page needs."""
    return refuse(request, 500, "系统出错，请稍后再试。")


def refuse(request: HttpRequest, status: int, message: str) -> HttpResponse:
    """JSON to API callers, the status's page to people."""
    if request.path.startswith(API):
        return JsonResponse({"detail": message, "code": str(status)}, status=status)
    if status == 500:
        return render(None, "500.html", status=status)
    return render(request, f"{status}.html", {"message": message}, status=status)
