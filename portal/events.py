"""What just happened: the newest ledger entries an account may see, in words."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import CharField, Q, QuerySet, Value
from django.db.models.functions import Cast, Concat

from archive.history import LABELS
from departments.models import Department, User
from inspections.models import JointInspection
from institutions.models import Institution
from ledger.models import Entry
from portal.subjects import page_of
from scenarios.models import CheckItem, PenaltyItem, Scenario

# kind of subject, its model, the column its key is in
NAMED = (
    ("account", User, "pk"),
    ("department", Department, "code"),
    ("joint_inspection", JointInspection, "pk"),
    ("scenario", Scenario, "pk"),
    ("check_item", CheckItem, "pk"),
    ("penalty_item", PenaltyItem, "pk"),
    ("institution", Institution, "key"),
)
SHOWN = 8


@dataclass(frozen=True)
class Happening:
    """One entry as a timeline shows it."""

    when: datetime
    title: str
    body: str
    actor: str
    url: str | None


def recent(user: User, count: int = SHOWN) -> list[Happening]:
    """The newest entries of the joint inspections, institutions and scenarios this account sees."""
    entries = list(_visible(user).select_related("chain").order_by("-pk")[:count])
    names = _names({entry.chain.subject for entry in entries})
    people = _people({entry.actor for entry in entries})
    departments = _departments({entry.department for entry in entries})
    return [
        Happening(
            when=entry.at,
            title=LABELS.get(entry.kind, entry.kind),
            body=names.get(entry.chain.subject, ""),
            actor=" ".join(
                filter(None, [departments.get(entry.department, ""), people.get(entry.actor, "系统")])
            ),
            url=page_of(entry.chain.subject),
        )
        for entry in entries
    ]


def _visible(user: User) -> QuerySet[Entry]:
    if user.oversees:
        return Entry.objects.all()
    own = Q(chain__subject__in=_subjects("joint_inspection", JointInspection.objects.visible_to(user), "pk"))
    own |= Q(chain__subject__in=_subjects("scenario", Scenario.objects.visible_to(user), "pk"))
    own |= Q(chain__subject__in=_subjects("institution", Institution.objects.visible_to(user), "key"))
    return Entry.objects.filter(own)


def _subjects(kind: str, rows: QuerySet, key: str) -> QuerySet:
    spelled = Concat(Value(f"{kind}:"), Cast(key, CharField()), output_field=CharField())
    return rows.order_by().values_list(spelled, flat=True)


def _names(subjects: set[str]) -> dict[str, str]:
    keys: dict[str, list[str]] = {kind: [] for kind, _, _ in NAMED}
    for subject in subjects:
        kind, _, key = subject.partition(":")
        if kind in keys:
            keys[kind].append(key)
    named = {}
    for kind, model, column in NAMED:
        # No query for a kind nobody speaks of.
        rows = model.objects.filter(**{f"{column}__in": keys[kind]}).values_list(column, "name")
        named.update({f"{kind}:{key}": name for key, name in rows})
    return named


def _people(actors: set[str]) -> dict[str, str]:
    keys = [actor.removeprefix("user:") for actor in actors if actor.startswith("user:")]
    return {f"user:{pk}": name for pk, name in User.objects.filter(pk__in=keys).values_list("pk", "name")}


def _departments(keys: set[str]) -> dict[str, str]:
    codes = [key.removeprefix("department:") for key in keys if key]
    rows = Department.objects.filter(code__in=codes).values_list("code", "short_name")
    return {f"department:{code}": name for code, name in rows}
