"""How the API refuses: 401, 403, 404, 409 and 400 as JSON with a sentence."""

from typing import Any

from rest_framework import status
from rest_framework.response import Response
from rest_framework.views import exception_handler as rest_exception_handler

from core.errors import DomainError


def exception_handler(exc: Exception, context: dict[str, Any]) -> Response | None:
    """DomainError as 409 {"detail", "code", "fields"}; the rest as DRF does."""
    if isinstance(exc, DomainError):
        body = {"detail": exc.message, "code": exc.code, "fields": exc.fields}
        return Response(body, status=status.HTTP_409_CONFLICT)
    return rest_exception_handler(exc, context)
