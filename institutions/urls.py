from django.urls import include, path

from core.registers.pages import import_patterns
from departments.access import needs, polled
from institutions.services.importing import INSTITUTIONS
from institutions.views import merging, recusals, register

app_name = "institutions"

imports = import_patterns(
    INSTITUTIONS,
    at="institutions",
    home="institutions:list",
    access=needs(*register.KEEPERS),
    polled=polled,
)

urlpatterns = [
    path("", register.institution_list, name="list"),
    path("new/", register.institution_create, name="create"),
    path("export/", register.institution_export, name="export"),
    path("import/", include(imports)),
    path("recusals/", recusals.recusal_list, name="recusals"),
    path("recusals/<int:pk>/end/", recusals.recusal_end, name="recusal_end"),
    path("<uuid:key>/", register.institution_detail, name="detail"),
    path("<uuid:key>/edit/", register.institution_edit, name="edit"),
    path("<uuid:key>/state/", register.institution_set_state, name="set_state"),
    path("<uuid:key>/merge/", merging.institution_merge, name="merge"),
    path("<uuid:key>/recusals/", recusals.recusal_add, name="recusal_add"),
]
