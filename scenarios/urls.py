from django.urls import include, path

from core.registers.pages import import_patterns
from departments.access import needs, polled
from scenarios.services.delegations.register import DELEGATIONS
from scenarios.views import (
    comparing,
    drafts,
    gaps,
    library,
    matrices,
    participants,
    penalty_items,
    printing,
    public,
    uploads,
)
from scenarios.views.delegations import lists, records

app_name = "scenarios"

imports = import_patterns(
    DELEGATIONS,
    at="scenarios:delegation_import",
    home="scenarios:delegation_list",
    access=needs(*records.DELEGATORS),
    polled=polled,
)

urlpatterns = [
    path("", matrices.scenario_list, name="list"),
    path("<int:pk>/", matrices.scenario_detail, name="detail"),
    path("new/", drafts.scenario_create, name="create"),
    path("<int:pk>/draft/", drafts.draft_begin, name="draft_begin"),
    path("versions/<int:pk>/edit/", drafts.draft_edit, name="draft_edit"),
    path("versions/<int:pk>/items/", drafts.draft_items, name="draft_items"),
    path("versions/<int:pk>/rows/", drafts.draft_rows, name="draft_rows"),
    path("versions/<int:pk>/lines/<int:row>/", drafts.line_edit, name="line_edit"),
    path("versions/<int:pk>/lines/<int:row>/move/", drafts.line_move, name="line_move"),
    path("versions/<int:pk>/lines/<int:row>/remove/", drafts.line_remove, name="line_remove"),
    path("<int:pk>/participants/", participants.participant_list, name="participants"),
    path("<int:pk>/participants/invite/", participants.invite, name="invite"),
    path("<int:pk>/participants/<slug:code>/", participants.contact, name="contact"),
    path("<int:pk>/participants/<slug:code>/decline/", participants.decline, name="decline"),
    path("<int:pk>/participants/<slug:code>/withdraw/", participants.withdraw, name="withdraw"),
    path("upload/", uploads.upload, name="upload"),
    path("uploads/<uuid:pk>/", uploads.review, name="review"),
    path("uploads/<uuid:pk>/columns/", uploads.columns, name="columns"),
    path("uploads/<uuid:pk>/changes/", uploads.changes, name="changes"),
    path("uploads/<uuid:pk>/forget/", uploads.forget, name="forget_upload"),
    path("versions/<int:pk>/", matrices.version, name="version"),
    path("versions/<int:pk>/publish/", matrices.publish, name="publish"),
    path("versions/<int:pk>/discard/", matrices.discard, name="discard"),
    path("versions/<int:pk>/retire/", matrices.retire, name="retire"),
    path("versions/<int:pk>/source/", matrices.source, name="source"),
    path("versions/<int:pk>/compare/", comparing.version_compare, name="version_compare"),
    path("versions/<int:pk>/gaps/", gaps.version_gaps, name="version_gaps"),
    path("versions/<int:pk>/print/", printing.version_print, name="version_print"),
    path("versions/<int:pk>/export/", printing.version_export, name="version_export"),
    path("gaps/", gaps.gap_list, name="gap_list"),
    path("items/", library.item_list, name="item_list"),
    path("items/new/", library.item_create, name="item_create"),
    path("items/export/", library.item_export, name="item_export"),
    path("items/<int:pk>/", library.item, name="item"),
    path("items/<int:pk>/edit/", library.item_edit, name="item_edit"),
    path("items/<int:pk>/retire/", library.item_retire, name="item_retire"),
    path("items/<int:pk>/restore/", library.item_restore, name="item_restore"),
    path("penalties/", penalty_items.penalty_list, name="penalty_list"),
    path("penalties/new/", penalty_items.penalty_create, name="penalty_create"),
    path("penalties/export/", penalty_items.penalty_export, name="penalty_export"),
    path("penalties/<int:pk>/", penalty_items.penalty, name="penalty"),
    path("penalties/<int:pk>/edit/", penalty_items.penalty_edit, name="penalty_edit"),
    path("penalties/<int:pk>/retire/", penalty_items.penalty_retire, name="penalty_retire"),
    path("penalties/<int:pk>/restore/", penalty_items.penalty_restore, name="penalty_restore"),
    path("public/", public.public_list, name="public_list"),
    path("public/<int:pk>/", public.public_scenario, name="public_scenario"),
    path("delegations/", lists.delegation_list, name="delegation_list"),
    path("delegations/export/", lists.delegation_export, name="delegation_export"),
    path("delegations/import/", include((imports, "delegation_import"))),
    path("delegations/new/", records.delegate, name="delegate"),
    path("delegations/<int:pk>/change/<slug:act>/", records.change_delegation, name="change_delegation"),
    path("delegations/<int:pk>/confirmation/", lists.confirmation, name="confirmation"),
    path("delegations/history/<slug:town>/<int:item>/", lists.delegation_history, name="delegation_history"),
]
