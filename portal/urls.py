"""Every address of the portal. Pages are `app:verb`; /api/ answers JSON."""

from django.urls import include, path

from portal import views
from portal.health import healthz
from portal.schema import api_schema
from portal.styleguide import styleguide

portal_patterns = [
    path("", views.desk, name="desk"),
    path("notifications/", views.notifications, name="notifications"),
    path("notifications/read/", views.notifications_read, name="notifications_read"),
    path("notifications/<int:pk>/read/", views.notification_read, name="notification_read"),
    path("go/<path:subject>/", views.open_subject, name="open"),
    path("styleguide/", styleguide, name="styleguide"),
    path("healthz", healthz, name="healthz"),
    path("api/schema/", api_schema, name="api_schema"),
]

urlpatterns = [
    path("", include((portal_patterns, "portal"))),
    path("", include("departments.urls")),
    path("institutions/", include("institutions.urls")),
    path("scenarios/", include("scenarios.urls")),
    path("", include("inspections.urls")),
    path("penalties/", include("penalties.urls")),
    path("", include("archive.urls")),
    path("api/", include("inspections.api.urls")),
]

handler403 = "portal.views.permission_denied"
handler404 = "portal.views.page_not_found"
handler500 = "portal.views.server_error"
