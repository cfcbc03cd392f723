"""Addresses of this app, by noun."""

from inspections.urls import findings, generate, launch, tasks

app_name = "inspections"

urlpatterns = [
    *launch.urlpatterns,
    *generate.urlpatterns,
    *tasks.urlpatterns,
    *findings.urlpatterns,
]
