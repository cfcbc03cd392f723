"""Addresses of this app, by noun."""

from inspections.urls import draws, findings, generate, launch, plans, results, tasks

app_name = "inspections"

urlpatterns = [
    *launch.urlpatterns,
    *draws.urlpatterns,
    *generate.urlpatterns,
    *tasks.urlpatterns,
    *findings.urlpatterns,
    *plans.urlpatterns,
    *results.urlpatterns,
]
