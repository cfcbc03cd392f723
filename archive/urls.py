from django.urls import path

from archive.views import disclosures, dossiers, public, trails

app_name = "archive"

urlpatterns = [
    path("archive/", dossiers.search, name="search"),
    path("archive/institutions/<uuid:key>/", dossiers.dossier, name="dossier"),
    path("archive/disclosures/", disclosures.disclosure_list, name="disclosure_list"),
    path("archive/disclosures/task/<uuid:pk>/", disclosures.publish_task, name="publish_task"),
    path("archive/disclosures/case/<int:pk>/", disclosures.publish_case, name="publish_case"),
    path("archive/disclosures/<int:pk>/withdraw/", disclosures.withdraw, name="withdraw"),
    path("archive/trail/", trails.show, name="trail"),
    path("archive/trail/<slug:room>/", trails.show, name="trail"),
    path("archive/trail/<slug:room>/export/", trails.export, name="trail_export"),
    path("public/", public.public_list, name="public_list"),
    path("public/<int:pk>/", public.public_detail, name="public_detail"),
]
