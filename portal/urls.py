"""Every address of the portal. Pages are `app:verb`; /api/ answers JSON."""

from django.urls import include, path

from portal import views

portal_patterns = [
    path("", views.desk, name="desk"),
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
