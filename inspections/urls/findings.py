from django.urls import path

from inspections.views import findings

urlpatterns = [
    path("findings/", findings.finding_list, name="finding_list"),
    path("findings/<uuid:pk>/", findings.finding_detail, name="finding_detail"),
    path("findings/<uuid:pk>/send-on/", findings.finding_send_on, name="finding_send_on"),
    path("rectifications/<int:pk>/recheck/", findings.rectification_recheck, name="rectification_recheck"),
    path("rectifications/<int:pk>/extend/", findings.rectification_extend, name="rectification_extend"),
]
