"""Pages of the roof: the desk (工作台) and what Django asks for when a form's token is wrong."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from departments.access import signed_in


@signed_in
def desk(request: HttpRequest) -> HttpResponse:
    """What waits for this user, what is late, what just happened."""
    return render(request, "portal/desk.html", {})


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form older than the login it belongs to; nothing was saved."""
    return render(request, "403.html", {"message": "页面已过期，请返回上一页、刷新后重新提交。"}, status=403)
