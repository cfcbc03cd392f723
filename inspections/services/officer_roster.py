"""Who of the departments may be sent, under which code, and whom each must keep away from.

Codes stand for officers in all that is published: a number of the draw, dealt out at random.
"""

import random
from collections.abc import Collection, Iterable
from typing import Any

from django.conf import settings
from django.db import connection

from departments.models import Officer
from inspections.models import Draw, JointInspection, RosterOfficer


def departments_to_visit(inspection: JointInspection) -> list[int]:
    """Departments with a ticked item."""
    return list(
        inspection.ticks.filter(ticked=True).order_by().values_list("department", flat=True).distinct()
    )


def available(inspection: JointInspection, departments: Collection[int]) -> list[Officer]:
    """Officers certified and on duty over the whole window, with their sectors."""
    officers = Officer.objects.available_between(inspection.window_from, inspection.window_until)
    return list(
        officers.filter(department__in=departments)
        .select_related("department")
        .prefetch_related("sectors")
        .order_by("pk")
    )


def enrol(draw: Draw, officers: Iterable[Officer]) -> dict[int, str]:
    """The code of each officer in this draw; those who have none yet get the next numbers of their department."""
    known = {(one.officer_id, one.department_id): one.code for one in RosterOfficer.objects.filter(draw=draw)}
    new = [officer for officer in officers if (officer.pk, officer.department_id) not in known]
    # A code must not tell who is meant, so it must not follow the order of accounts.
    random.SystemRandom().shuffle(new)
    numbers: dict[int, int] = {}
    for _, department in known:
        numbers[department] = numbers.get(department, 0) + 1
    rows = []
    for officer in new:
        number = numbers[officer.department_id] = numbers.get(officer.department_id, 0) + 1
        code = f"{officer.department.code}-{number:02d}"
        rows.append(RosterOfficer(draw=draw, officer=officer, department_id=officer.department_id, code=code))
        known[officer.pk, officer.department_id] = code
    RosterOfficer.objects.bulk_create(rows)
    return {officer.pk: known[officer.pk, officer.department_id] for officer in officers}


def listed(
    officers: Iterable[Officer], codes: dict[int, str], barred: Iterable[tuple[int, str]]
) -> list[dict[str, Any]]:
    """The officers as the frozen roster has them, by code."""
    away: dict[int, list[str]] = {}
    for officer, key in barred:
        away.setdefault(officer, []).append(key)
    rows = [
        {
            "officer": codes[officer.pk],
            "department": officer.department.code,
            "sectors": sorted(sector.name for sector in officer.sectors.all()),
            "barred": sorted(away.get(officer.pk, [])),
        }
        for officer in officers
    ]
    return sorted(rows, key=lambda row: row["officer"])


def barred_pairs(
    inspection: JointInspection, officers: Iterable[Officer], *, draw: Draw | None = None
) -> set[tuple[int, str]]:
    """(officer, institution key) that must stay apart: 回避, or sent there so many times in a row already.

    Over the institutions in scope, or over those of `draw`.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH place AS MATERIALIZED (
                SELECT institution.id, institution.key FROM institutions_institution institution
                WHERE institution.id IN ({DRAWN if draw else IN_SCOPE})
            ),
            visit AS (
                SELECT task.institution_id, sent.department_id, sent.officer_id,
                       dense_rank() OVER (
                           PARTITION BY task.institution_id, sent.department_id
                           ORDER BY task.submitted_at DESC, task.id
                       ) AS back
                FROM inspections_task task
                JOIN inspections_taskofficer sent ON sent.task_id = task.id
                WHERE task.state = 'SUBMITTED' AND task.institution_id IN (SELECT id FROM place)
            )
            SELECT recusal.officer_id, place.key::text
            FROM institutions_recusal recusal JOIN place ON place.id = recusal.institution_id
            WHERE recusal.officer_id = ANY(%(officers)s)
            UNION
            SELECT visit.officer_id, place.key::text
            FROM visit JOIN place ON place.id = visit.institution_id
            WHERE %(limit)s > 0 AND visit.back <= %(limit)s AND visit.officer_id = ANY(%(officers)s)
            GROUP BY visit.officer_id, place.key, visit.department_id
            HAVING count(*) = %(limit)s
            """,  # noqa: S608  one of the two constants below, no values in it
            {
                "scope": draw.pk if draw else inspection.pk,
                "officers": [officer.pk for officer in officers],
                "limit": settings.OFFICER_CONSECUTIVE_VISITS,
            },
        )
        return set(cursor.fetchall())


IN_SCOPE = "SELECT institution_id FROM inspections_candidate WHERE joint_inspection_id = %(scope)s"
DRAWN = "SELECT institution_id FROM inspections_drawninstitution WHERE draw_id = %(scope)s"
