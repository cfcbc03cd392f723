"""The desk (工作台): what waits for one account, what is late, what just happened.

Nothing is pushed here: each source (portal/sources.py) asks the apps underneath what their rows say.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Count, Q, QuerySet, Value, Window
from django.urls import reverse
from django.utils import timezone

from core.workdays import add_workdays
from departments.enums import Role
from departments.models import Notification, User
from departments.permissions import ACCOUNT_KEEPERS
from portal.enums import Work
from portal.events import Happening, recent
from portal.sources import SOURCES, Source
from portal.subjects import page_of
from portal.work import Viewer

SHOWN = 5
SOON_WORKDAYS = 2


@dataclass(frozen=True)
class WorkItem:
    """One thing to do: `due` is a day or a moment, `url` the page where it is done."""

    title: str
    detail: str
    url: str
    due: date | datetime | None
    kind: Work


@dataclass(frozen=True)
class WorkGroup:
    """What waits of one kind: the most urgent items, how many there are, how many late or soon due."""

    kind: Work
    items: list[WorkItem]
    total: int
    late: int
    soon: int
    url: str

    @property
    def more(self) -> int:
        return self.total - len(self.items)

    @property
    def more_label(self) -> str:
        return f"全部 {self.total} 项"

    @property
    def note(self) -> str:
        return f"{self.total} 项，{self.late} 项超期" if self.late else f"{self.total} 项"


@dataclass(frozen=True)
class Action:
    """Something this account often begins."""

    label: str
    url: str


@dataclass(frozen=True)
class Desk:
    groups: list[WorkGroup]
    notifications: list[Notification]
    happenings: list[Happening]
    actions: list[Action]
    oversees: bool

    @property
    def total(self) -> int:
        return sum(group.total for group in self.groups)

    @property
    def late(self) -> int:
        return sum(group.late for group in self.groups)

    @property
    def soon(self) -> int:
        return sum(group.soon for group in self.groups)

    @property
    def news(self) -> list[dict]:
        """The newest notifications as timeline events, unread ones marked."""
        return [
            {
                "when": row.created_at,
                "title": row.text,
                "url": reverse("portal:open", args=[row.subject]) if row.subject else "",
                "tone": "neutral" if row.read_at else "info",
            }
            for row in self.notifications
        ]


def build(user: User) -> Desk:
    """The desk of this account, in a number of queries that does not grow with its work."""
    viewer = Viewer.of(user)
    groups = [_group(source, viewer) for source in SOURCES if source.concerns(viewer)]
    newest = list(user.notifications.order_by("-created_at", "-pk")[:SHOWN])
    return Desk(
        groups=[group for group in groups if group.total],
        notifications=newest,
        happenings=recent(user),
        actions=_actions(viewer),
        oversees=viewer.oversees,
    )


def _group(source: Source, viewer: Viewer) -> WorkGroup:
    """One query: the first rows, with the counts over all of them in every row."""
    late, soon = _late_and_soon(source, viewer)
    rows: QuerySet = source.rows(viewer).annotate(
        all_of_them=Window(Count("*")),
        late_of_them=_count_of(late),
        soon_of_them=_count_of(soon),
    )
    shown = list(rows.order_by(source.order, "pk")[:SHOWN])
    first = shown[0] if shown else None
    return WorkGroup(
        kind=source.kind,
        items=[_item(source, row) for row in shown],
        total=first.all_of_them if first else 0,
        late=first.late_of_them if first else 0,
        soon=first.soon_of_them if first else 0,
        url=source.url,
    )


def _item(source: Source, row) -> WorkItem:
    title, detail, subject = source.show(row)
    return WorkItem(title, detail, page_of(subject) or "", source.due_of(row), source.kind)


def _count_of(condition: Q | None) -> Window | Value:
    return Window(Count("pk", filter=condition)) if condition is not None else Value(0)


def _late_and_soon(source: Source, viewer: Viewer) -> tuple[Q | None, Q | None]:
    if source.late is not None:
        return source.late(viewer), None
    if source.is_undated:
        return None, None
    start: date | datetime = viewer.today
    end: date | datetime = add_workdays(viewer.today, SOON_WORKDAYS)
    if source.is_moment:
        start = timezone.now()
        end = timezone.make_aware(datetime.combine(end + timedelta(days=1), datetime.min.time()))
        return Q(**{f"{source.order}__lt": start}), Q(
            **{f"{source.order}__gte": start, f"{source.order}__lt": end}
        )
    return Q(**{f"{source.order}__lt": start}), Q(**{f"{source.order}__range": (start, end)})


def _actions(viewer: Viewer) -> list[Action]:
    user = viewer.user
    offered = [
        ("发起联合检查", "inspections:launch", any(not department.is_town for department in viewer.clerk)),
        ("导入事项清单", "scenarios:upload", user.holds(Role.SYSTEM_ADMIN)),
        ("新建账号", "departments:account_create", user.holds(*ACCOUNT_KEEPERS)),
        ("查看审计留痕", "archive:trail", viewer.oversees),
    ]
    return [Action(label, reverse(name)) for label, name, is_theirs in offered if is_theirs]
