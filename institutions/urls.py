from django.urls import path

from institutions import views

app_name = "institutions"

urlpatterns = [
    path("", views.institution_list, name="list"),
    path("new/", views.institution_create, name="create"),
    path("recusals/", views.recusal_list, name="recusals"),
    path("recusals/<int:pk>/end/", views.recusal_end, name="recusal_end"),
    path("<uuid:key>/", views.institution_detail, name="detail"),
    path("<uuid:key>/edit/", views.institution_edit, name="edit"),
    path("<uuid:key>/state/", views.institution_set_state, name="set_state"),
    path("<uuid:key>/recusals/", views.recusal_add, name="recusal_add"),
]
