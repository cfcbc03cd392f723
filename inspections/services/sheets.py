"""The one form as it is read: items by department, why they are there, what stands on them, who signed."""

from dataclasses import dataclass, field
from datetime import date

from django.db.models import Count, Max, OuterRef, Q, Subquery, Sum
from django.db.models.functions import Coalesce
from django.utils import timezone

from departments.models import Department, User
from inspections.enums import AnswerValue
from inspections.models import (
    Finding,
    Photo,
    Referral,
    Signature,
    Task,
    TaskItem,
    TaskItemRow,
    TaskOfficer,
)
from inspections.services.routing import ROW_RELATED, Route, routes
from scenarios.models import MatrixRow

VALUES = [*AnswerValue.choices, ("", "未填写")]


@dataclass
class RowLine:
    """A matrix row an item can lead to: where a referral would go today, and the finding noted under it."""

    row: MatrixRow
    route: Route
    finding: Finding | None = None
    referral: Referral | None = None


@dataclass
class ItemLine:
    """One item of the form with everything a page shows of it."""

    number: int
    item: TaskItem
    is_writable: bool
    rows: list[RowLine] = field(default_factory=list)
    photos: list[Photo] = field(default_factory=list)

    @property
    def found(self) -> list[RowLine]:
        return [line for line in self.rows if line.finding]


@dataclass
class Part:
    """One department's share of the form."""

    department: Department
    is_writable: bool
    items: list[ItemLine] = field(default_factory=list)
    officers: list[TaskOfficer] = field(default_factory=list)
    signatures: list[Signature] = field(default_factory=list)

    @property
    def done(self) -> int:
        return sum(1 for line in self.items if line.item.value)

    @property
    def total(self) -> int:
        return len(self.items)

    @property
    def tally(self) -> str:
        """What was answered, in one phrase: 符合 5 项，不符合 1 项."""
        counts = [(label, sum(line.item.value == value for line in self.items)) for value, label in VALUES]
        return "，".join(f"{label} {count} 项" for label, count in counts if count)


@dataclass
class Sheet:
    task: Task
    parts: list[Part]
    assignment: TaskOfficer | None
    signatures: list[Signature]

    @property
    def done(self) -> int:
        return sum(part.done for part in self.parts)

    @property
    def total(self) -> int:
        return sum(part.total for part in self.parts)

    @property
    def lines(self) -> list[ItemLine]:
        return [line for part in self.parts for line in part.items]

    @property
    def found(self) -> list[RowLine]:
        return [row for line in self.lines for row in line.found]

    @property
    def is_writable(self) -> bool:
        """Whether the reader may write anywhere on it."""
        return any(part.is_writable for part in self.parts)

    @property
    def institution_signature(self) -> Signature | None:
        return next((signature for signature in self.signatures if signature.officer_id is None), None)


def read_sheet(task: Task, user: User) -> Sheet:
    """The whole form for this reader in a constant number of queries; `task` needs its institution's town."""
    officers = list(task.officers.select_related("officer__user", "department"))
    assignment = next((sent for sent in officers if sent.officer.user_id == user.pk), None)
    signatures = list(task.signatures.select_related("officer__user", "department", "image"))
    writable = writable_department(task, assignment)
    parts: dict[int, Part] = {}
    lines: dict[int, ItemLine] = {}
    items = task.items.select_related("department", "item", "answered_by").order_by(
        "department__order", "department", "item", "pk"
    )
    for number, item in enumerate(items, start=1):
        is_writable = item.department_id == writable
        part = parts.setdefault(item.department_id, Part(item.department, is_writable))
        lines[item.pk] = ItemLine(number, item, is_writable)
        part.items.append(lines[item.pk])
    for part in parts.values():
        part.officers = [sent for sent in officers if sent.department_id == part.department.pk]
        part.signatures = [one for one in signatures if one.department_id == part.department.pk]
    _add_rows(task, lines)
    for photo in Photo.objects.filter(task_item__task=task, removed_at=None).select_related(
        "file", "taken_by"
    ):
        lines[photo.task_item_id].photos.append(photo)
    return Sheet(task, list(parts.values()), assignment, signatures)


def read_line(task: Task, item: TaskItem, user: User) -> ItemLine | None:
    """One item as `read_sheet` shows it; None when it is not on this form."""
    return next((line for line in read_sheet(task, user).lines if line.item.pk == item.pk), None)


def writable_department(task: Task, assignment: TaskOfficer | None) -> int | None:
    """The department whose items an assigned officer may write today, if any."""
    if assignment is None or not task.is_open:
        return None
    return assignment.department_id if assignment.officer.is_certified_on(timezone.localdate()) else None


def version(task: Task) -> str:
    """Changes whenever anything on the form does; one query."""
    photos = Photo.objects.filter(task_item__task=OuterRef("pk")).order_by().values("task_item__task")
    signed = Signature.objects.filter(task=OuterRef("pk")).order_by().values("task")
    values = (
        Task.objects.filter(pk=task.pk)
        .annotate(
            revs=Coalesce(Sum("items__rev"), 0),
            photos=Coalesce(Subquery(photos.annotate(n=Count("pk")).values("n")), 0),
            removed=Coalesce(
                Subquery(photos.annotate(n=Count("pk", filter=Q(removed_at__isnull=False))).values("n")), 0
            ),
            signed=Coalesce(Subquery(signed.annotate(n=Count("pk")).values("n")), 0),
            last_signed=Coalesce(Subquery(signed.annotate(n=Max("pk")).values("n")), 0),
        )
        .values_list("state", "revs", "photos", "removed", "signed", "last_signed")
        .get()
    )
    return "-".join(str(value) for value in values)


def _add_rows(task: Task, lines: dict[int, ItemLine]) -> None:
    related = [f"row__{name}" for name in (*ROW_RELATED, "penalty")]
    reasons = list(
        TaskItemRow.objects.filter(task_item__task=task)
        .select_related(*related)
        .order_by("row__version", "row__position")
    )
    findings = {
        (finding.task_item_id, finding.row_id): finding
        for finding in task.findings.select_related("rectification")
    }
    referrals = {
        referral.finding_id: referral
        for referral in Referral.objects.filter(finding__task=task)
        .select_related("to_department")
        .order_by("sent_at", "pk")
    }
    routed = routes([reason.row for reason in reasons], task.institution, _day(task))
    for reason in reasons:
        finding = findings.get((reason.task_item_id, reason.row_id))
        lines[reason.task_item_id].rows.append(
            RowLine(
                reason.row,
                routed[reason.row_id],
                finding,
                referrals.get(finding.pk) if finding else None,
            )
        )


def _day(task: Task) -> date:
    """The day a problem on this form is, or was, found."""
    return timezone.localdate(task.submitted_at) if task.submitted_at else timezone.localdate()
