from django.urls import path

from scenarios.views import library, matrices, uploads
from scenarios.views.delegations import lists, records

app_name = "scenarios"

urlpatterns = [
    path("", matrices.scenario_list, name="list"),
    path("<int:pk>/", matrices.scenario_detail, name="detail"),
    path("upload/", uploads.upload, name="upload"),
    path("uploads/<uuid:pk>/", uploads.review, name="review"),
    path("uploads/<uuid:pk>/forget/", uploads.forget, name="forget_upload"),
    path("versions/<int:pk>/", matrices.version, name="version"),
    path("versions/<int:pk>/publish/", matrices.publish, name="publish"),
    path("versions/<int:pk>/discard/", matrices.discard, name="discard"),
    path("versions/<int:pk>/source/", matrices.source, name="source"),
    path("items/", library.item_list, name="item_list"),
    path("items/<int:pk>/", library.item, name="item"),
    path("items/<int:pk>/edit/", library.item_edit, name="item_edit"),
    path("delegations/", lists.delegation_list, name="delegation_list"),
    path("delegations/new/", records.delegate, name="delegate"),
    path("delegations/<int:pk>/change/<slug:act>/", records.change_delegation, name="change_delegation"),
    path("delegations/<int:pk>/confirmation/", lists.confirmation, name="confirmation"),
    path("delegations/history/<str:town>/<int:item>/", lists.delegation_history, name="delegation_history"),
]
