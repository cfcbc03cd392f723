"""What just happened: the newest ledger entries an account may see, in words."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import CharField, Q, QuerySet, Value
from django.db.models.functions import Cast, Concat

from archive.history import LABELS, department_names, people_by_key, subject_names
from departments.models import User
from inspections.models import JointInspection
from institutions.models import Institution
from ledger.models import Entry
from portal.subjects import page_of
from scenarios.models import Scenario

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
    names = subject_names({entry.chain.subject for entry in entries})
    people = people_by_key({entry.actor for entry in entries})
    departments = department_names({entry.department for entry in entries})
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
