"""What a joint inspection is about: its versions, and the institutions in scope."""

from collections.abc import Iterable

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import QuerySet

from departments.models import User
from inspections.enums import ScopeSource
from inspections.models import Candidate, JointInspection, JointInspectionVersion
from institutions.enums import OperatingState
from institutions.models import Institution
from scenarios.models import ScenarioVersion

Scope = QuerySet | Iterable[int]


def set_versions(inspection: JointInspection, versions: list[ScenarioVersion]) -> None:
    """Replace the versions it runs on."""
    inspection.versions.clear()
    JointInspectionVersion.objects.bulk_create(
        JointInspectionVersion(joint_inspection=inspection, version=version) for version in versions
    )


def set_candidates(inspection: JointInspection, by_filter: Scope, by_hand: Scope, actor: User) -> None:
    """Picked by hand wins over the filter, so that narrowing the filter later does not lose the pick."""
    Candidate.objects.filter(joint_inspection=inspection).delete()
    seen = Institution.objects.visible_to(actor)
    picked = seen.exclude(operating_state=OperatingState.CLOSED)
    _insert_candidates(inspection, picked.filter(pk__in=by_hand), ScopeSource.HAND)
    _insert_candidates(inspection, seen.in_operation().filter(pk__in=by_filter), ScopeSource.FILTER)


def _insert_candidates(inspection: JointInspection, institutions: QuerySet, source: ScopeSource) -> None:
    # In SQL over the set: a scope may be the whole register.
    try:
        scope, params = institutions.order_by().values("pk").query.sql_with_params()
    except EmptyResultSet:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            INSERT INTO inspections_candidate (joint_inspection_id, institution_id, source)
            SELECT %s, scope.id, %s FROM ({scope}) AS scope (id)
            ON CONFLICT DO NOTHING
            """,  # noqa: S608  the inner query is the ORM's own, its values stay parameters
            [inspection.pk, source, *params],
        )
