from django.urls import path

from inspections.views import plans

urlpatterns = [
    path("plans/", plans.plan_list, name="plan_list"),
    path("plans/new/", plans.plan_create, name="plan_create"),
    path("plans/<int:pk>/", plans.plan, name="plan"),
    path("plans/rounds/<int:pk>/remove/", plans.round_remove, name="plan_round_remove"),
]
