"""The API's description for other systems: OpenAPI, for accounts that are logged in."""

from django.conf import settings
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.views import SpectacularJSONAPIView

from departments.access import signed_in


class SessionScheme(OpenApiAuthenticationExtension):
    """Tells the schema that the session cookie is the key."""

    target_class = "core.authentication.SessionAuthentication401"
    name = "session"

    def get_security_definition(self, auto_schema) -> dict[str, str]:
        return {"type": "apiKey", "in": "cookie", "name": settings.SESSION_COOKIE_NAME}


api_schema = signed_in(SpectacularJSONAPIView.as_view())
