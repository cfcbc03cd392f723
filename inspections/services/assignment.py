"""Which officers go: at least two with valid certificates for each department (处罚法42条；行政检查须两人以上)."""

from collections.abc import Collection

from django.db import connection

from core.errors import DomainError
from departments.models import Department, Officer
from inspections.models import Draw, JointInspection

OFFICERS_PER_DEPARTMENT = 2


def require_enough_officers(inspection: JointInspection, draw: Draw, departments: Collection[int]) -> None:
    """Raise DomainError naming the department (and institution) for which fewer than two can go.

    An officer can go when on duty, certified over the whole window, and not recused.
    """
    for department in Department.objects.filter(pk__in=departments):
        available = _available(inspection).filter(department=department).count()
        if available < OFFICERS_PER_DEPARTMENT:
            raise DomainError(
                f"{department.short_name}在检查期内执法证有效且在岗的执法人员只有 {available} 名，"
                f"至少需要 {OFFICERS_PER_DEPARTMENT} 名，请先由该部门补充。"
            )
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT department.short_name, institution.name,
                   count(*) FILTER (WHERE NOT recused) AS free
            FROM (
                SELECT drawn.institution_id, officer.department_id, recusal.id IS NOT NULL AS recused
                FROM inspections_drawninstitution drawn
                CROSS JOIN departments_officer officer
                LEFT JOIN institutions_recusal recusal
                       ON recusal.officer_id = officer.id AND recusal.institution_id = drawn.institution_id
                WHERE drawn.draw_id = %(draw)s AND officer.id = ANY(%(officers)s)
                  AND drawn.institution_id IN (SELECT institution_id FROM institutions_recusal)
            ) AS pair
            JOIN departments_department department ON department.id = pair.department_id
            JOIN institutions_institution institution ON institution.id = pair.institution_id
            GROUP BY department.short_name, institution.name
            HAVING count(*) FILTER (WHERE NOT recused) < %(needed)s
            ORDER BY 1, 2 LIMIT 1
            """,
            {
                "draw": draw.pk,
                "officers": [pk for pks in officer_pool(inspection, departments).values() for pk in pks],
                "needed": OFFICERS_PER_DEPARTMENT,
            },
        )
        short = cursor.fetchone()
    if short:
        department, institution, free = short
        raise DomainError(f"{department}对“{institution}”无须回避的执法人员只有 {free} 名，至少需要 2 名。")


def officer_pool(inspection: JointInspection, departments: Collection[int]) -> dict[int, list[int]]:
    """Officers who can go, by department id, in the order in which visits are dealt out to them."""
    pool: dict[int, list[int]] = {department: [] for department in departments}
    rows = _available(inspection).filter(department__in=departments).order_by("pk")
    for department, officer in rows.values_list("department", "pk"):
        pool[department].append(officer)
    return pool


def _available(inspection: JointInspection):
    return Officer.objects.available_between(inspection.window_from, inspection.window_until)
