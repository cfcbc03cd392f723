from django.urls import path

from inspections.views import generate

urlpatterns = [
    path("inspections/<int:pk>/generate/", generate.start, name="generate"),
    path("inspections/<int:pk>/generating/", generate.progress, name="generating"),
    path("inspections/<int:pk>/generate/retry/", generate.retry, name="generate_retry"),
]
