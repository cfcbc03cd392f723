"""What the boards show: who has answered, what applies to whom. Reads only."""

from collections.abc import Iterable
from operator import attrgetter
from typing import Any

from django.db import connection
from django.db.models import Count, Q
from django.utils import timezone

from core.digests import digest_json
from departments.models import Department, User
from inspections.enums import ABSTAINING, Event, ParticipationState, RequestState
from inspections.models import ItemRequest, JointInspection, Participation, Tick
from ledger.services import entries_of


def department_rows(inspection: JointInspection, user: User) -> list[dict[str, Any]]:
    """One row a participating department, as `{% tick_board %}` takes them. Three queries, however many."""
    counts = {
        row["department"]: row
        for row in inspection.ticks.order_by()
        .values("department")
        .annotate(total=Count("pk"), done=Count("pk", filter=Q(ticked=True)))
    }
    waiting = dict(
        ItemRequest.objects.filter(tick__joint_inspection=inspection, state=RequestState.REQUESTED)
        .values_list("tick__department")
        .annotate(n=Count("pk"))
    )
    own = {department.pk for department in user.departments_as()}
    rows = []
    for participation in inspection.participations.select_related("department"):
        count = counts.get(participation.department_id, {"done": 0, "total": 0})
        rows.append(
            {
                "department": participation.department.short_name,
                "state": participation.state,
                "label": participation.get_state_display(),
                "done": count["done"],
                "total": count["total"],
                "at": participation.answered_at,
                "note": _note(participation, count["done"], waiting.get(participation.department_id, 0)),
                "mine": participation.department_id in own,
            }
        )
    return rows


def _note(participation: Participation, done: int, waiting: int) -> str:
    notes = []
    if participation.state in ABSTAINING:
        notes.append(participation.reason)
    elif participation.state == ParticipationState.SILENT and done:
        notes.append("未提交，已勾选的仍计入")
    elif participation.state != ParticipationState.ANSWERED and done:
        notes.append("已勾选，尚未提交")
    if participation.late_until:
        notes.append(f"准许补勾至 {timezone.localtime(participation.late_until):%Y-%m-%d %H:%M}")
    if waiting:
        notes.append(f"{waiting} 项提请待答复")
    return "；".join(notes)


def token(tick: Tick, asked: Iterable[ItemRequest]) -> str:
    """`12:3:7R`, what a page shows of an item: the tick, its revision, and what was asked of its owner."""
    return f"{tick.pk}:{tick.rev}:{asked_token(asked)}"


def asked_token(asked: Iterable[ItemRequest]) -> str:
    """What was asked, and what became of it."""
    return "-".join(f"{row.pk}{row.state[:3]}" for row in sorted(asked, key=attrgetter("pk")))


def head_token(participation: Participation) -> str:
    """What a page shows of a department's answer."""
    at = participation.answered_at
    return f"{participation.pk}:{participation.state}:{int(at.timestamp()) if at else 0}"


def stamp(*parts: Any) -> str:
    """A short digest of what a poll would show, so that an unchanged board answers 204."""
    return digest_json([str(part) for part in parts])[:16]


def applicable_counts(inspection: JointInspection) -> dict[int, int]:
    """For each tick, how many institutions in scope its item applies to, in one statement.

    Institutions are grouped by features and kind first, so that a large register costs one scan.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH profile AS (
                SELECT institution.features, institution.kind, count(*) AS n
                FROM inspections_candidate AS candidate
                JOIN institutions_institution AS institution ON institution.id = candidate.institution_id
                WHERE candidate.joint_inspection_id = %(inspection)s
                GROUP BY institution.features, institution.kind
            )
            SELECT tick.id, coalesce(sum(profile.n), 0)::bigint
            FROM inspections_tick AS tick
            JOIN scenarios_publisheditem AS item ON item.id = tick.item_id
            LEFT JOIN profile ON profile.features @> item.required_features
                AND (cardinality(item.institution_kinds) = 0 OR profile.kind = ANY (item.institution_kinds))
            WHERE tick.joint_inspection_id = %(inspection)s
            GROUP BY tick.id
            """,
            {"inspection": inspection.pk},
        )
        return dict(cursor.fetchall())


def happenings(inspection: JointInspection, count: int = 10) -> list[dict[str, Any]]:
    """The newest entries of its chain as `{% timeline %}` takes them. Three queries, however many."""
    entries = list(entries_of(inspection.subject).order_by("-seq")[:count])
    people = User.objects.filter(
        pk__in={entry.actor.removeprefix("user:") for entry in entries if entry.actor.startswith("user:")}
    )
    names = {user.key: user.name for user in people}
    codes = {entry.department.removeprefix("department:") for entry in entries}
    departments = {row.key: row.short_name for row in Department.objects.filter(code__in=codes)}
    labels = {event.value: event.label for event in Event}
    return [
        {
            "when": entry.at,
            "title": labels.get(entry.kind, entry.kind),
            "actor": f"{departments.get(entry.department, '')} {names.get(entry.actor, '系统')}".strip(),
            "digest": entry.digest,
        }
        for entry in entries
    ]
