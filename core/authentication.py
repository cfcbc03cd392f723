"""How the API knows its caller. On its own: REST framework imports it while it is being imported itself."""

from rest_framework.authentication import SessionAuthentication
from rest_framework.request import Request


class SessionAuthentication401(SessionAuthentication):
    """Session login that answers 401, so a phone can tell "log in again" from "not allowed"."""

    def authenticate_header(self, request: Request) -> str:
        return "Session"
