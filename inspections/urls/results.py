from django.urls import path

from inspections.views import coverage, own_results

urlpatterns = [
    path("coverage/", coverage.coverage, name="coverage"),
    path("own-results/", own_results.own_result_list, name="own_result_list"),
    path("own-results/new/", own_results.own_result_create, name="own_result_create"),
    path("own-results/<int:pk>/", own_results.own_result, name="own_result"),
    path("own-results/<int:pk>/edit/", own_results.own_result_edit, name="own_result_edit"),
    path("own-results/<int:pk>/confirm/", own_results.own_result_confirm, name="own_result_confirm"),
    path("own-results/<int:pk>/return/", own_results.own_result_return, name="own_result_return"),
    path("own-results/<int:pk>/attachment", own_results.own_result_attachment, name="own_result_attachment"),
]
