from django.urls import path

from inspections.views import impact, launch, overview, ticking

urlpatterns: list[path] = [
    path("inspections/", overview.inspection_list, name="list"),
    path("inspections/new/", launch.launch, name="launch"),
    path("inspections/scope/", launch.scope_count, name="scope_count"),
    path("inspections/sampling/", launch.sampling_strata, name="sampling_strata"),
    path("inspections/sampling/printed/", launch.sampling_printed, name="sampling_printed"),
    path("inspections/sampling/adopt/", launch.sampling_adopt, name="sampling_adopt"),
    path("inspections/scope/search/", launch.scope_search, name="scope_search"),
    path("inspections/versions/<int:pk>/impact/", impact.version_impact, name="version_impact"),
    path("inspections/<int:pk>/", overview.detail, name="detail"),
    path("inspections/<int:pk>/edit/", launch.edit, name="edit"),
    path("inspections/<int:pk>/progress/", overview.progress_board, name="progress_board"),
    path("inspections/<int:pk>/submit/", launch.submit_for_approval, name="submit_for_approval"),
    path("inspections/<int:pk>/approve/", launch.approve, name="approve"),
    path("inspections/<int:pk>/send-back/", launch.send_back, name="send_back"),
    path("inspections/<int:pk>/cancel/", launch.cancel, name="cancel"),
    path("inspections/<int:pk>/close-ticking/", launch.close_ticking, name="close_ticking"),
    path("inspections/<int:pk>/extend-ticking/", launch.extend_ticking, name="extend_ticking"),
    path("inspections/<int:pk>/complete/", launch.complete, name="complete"),
    path("inspections/<int:pk>/ticks/", ticking.ticks, name="ticks"),
    path("inspections/<int:pk>/ticks/others/", ticking.others, name="ticks_others"),
    path("ticks/<int:pk>/", ticking.tick, name="tick"),
    path("ticks/<int:pk>/row/", ticking.tick_row, name="tick_row"),
    path("ticks/<int:pk>/request/", ticking.request_item, name="request_item"),
    path("tick-requests/<int:pk>/refuse/", ticking.refuse_request, name="refuse_request"),
    path("participations/<int:pk>/tick-all/", ticking.tick_all, name="tick_all"),
    path("participations/<int:pk>/answer/", ticking.answer, name="answer"),
    path("participations/<int:pk>/decline/", ticking.decline, name="decline"),
    path("participations/<int:pk>/rejoin/", ticking.rejoin, name="rejoin"),
]
