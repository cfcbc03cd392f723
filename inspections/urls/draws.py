from django.urls import path

from inspections.views import draws

urlpatterns = [
    path("inspections/<int:pk>/draw/", draws.draw, name="draw"),
    path("inspections/<int:pk>/draw/secrets/", draws.open_secrets, name="draw_open"),
    path("draws/", draws.draw_list, name="draw_list"),
    path("draws/verifier/", draws.verifier, name="draw_verifier"),
    path("draws/<int:pk>/", draws.detail, name="draw_detail"),
    path("draws/<int:pk>/result.json", draws.result, name="draw_result"),
    path("draws/<int:pk>/secrets/", draws.secrets, name="draw_secrets"),
    path("draws/<int:pk>/secrets/commit/", draws.commit, name="draw_commit"),
    path("draws/<int:pk>/secrets/close/", draws.close, name="draw_close"),
    path("draws/<int:pk>/secrets/reveal/", draws.reveal, name="draw_reveal"),
    path("draws/<int:pk>/replace/", draws.replace, name="draw_replace"),
]
