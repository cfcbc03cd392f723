"""What a service refused and no view caught becomes a page the user understands."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from core.errors import DomainError


class DomainErrorMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]):
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """409 with the sentence; nothing was written, since services are atomic."""
        if not isinstance(exception, DomainError):
            return None
        return render(request, "409.html", {"message": exception.message}, status=409)
