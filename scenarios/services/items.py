"""Verbs of the item library: register, edit, retire and restore check and penalty items."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import CharField, Exists, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Cast, Concat
from django.utils import timezone

from core.digests import digest_json
from core.errors import DomainError
from departments.models import Department, User
from ledger import services as ledger
from ledger.models import Chain
from scenarios.enums import Event
from scenarios.models import (
    CheckItem,
    CheckItemText,
    PenaltyItem,
    PenaltyItemText,
    Scenario,
    ScenarioVersion,
)
from scenarios.permissions import (
    penalty_keepers,
    require_item_editing,
    require_penalty_editing,
    require_registering,
)
from scenarios.services.importing.reading import plain

# What an item says besides its name, which imports know it by.
CHECK_TEXTS = tuple(field.name for field in CheckItemText._meta.fields if field.name != "name")
PENALTY_TEXTS = tuple(field.name for field in PenaltyItemText._meta.fields if field.name != "name")


@dataclass(frozen=True)
class Change:
    """One entry of an item's history, as `{% timeline %}` shows it."""

    when: datetime
    title: str
    body: str
    actor: str
    digest: str


@transaction.atomic
def register_check_item(*, actor: User, department: Department, name: str, **text) -> CheckItem:
    """A new check item of a department, with any of CHECK_TEXTS.

    Raises DomainError for a name somebody has already (saying who), PermissionDenied unless the account
    is 系统管理员 or of the department.
    """
    require_registering(actor, department)
    name = _named(name)
    holder = CheckItem.objects.filter(name=name).select_related("department").first()
    if holder:
        raise _taken(f"“{name}”已由{holder.department.short_name}登记{_when_retired(holder)}。")
    item = CheckItem(department=department, name=name)
    _write(item, CHECK_TEXTS, text)
    item.save()
    _note([item.subject], Event.ITEM_CREATED, item, actor)
    return item


@transaction.atomic
def register_penalty_item(*, actor: User, department: Department, name: str, **text) -> PenaltyItem:
    """A new penalty item kept by a department, with any of PENALTY_TEXTS; refusals as for check items."""
    require_registering(actor, department)
    name = _named(name)
    holder = PenaltyItem.objects.filter(name=name).select_related("department").first()
    if holder:
        by = holder.department.short_name if holder.department else _keepers_in_words(holder)
        raise _taken(f"“{name}”已由{by}登记{_when_retired(holder)}。")
    item = PenaltyItem(department=department, name=name)
    _write(item, PENALTY_TEXTS, text)
    item.save()
    _note([item.subject], Event.ITEM_CREATED, item, actor)
    return item


@transaction.atomic
def edit_check_item(item: CheckItem, *, actor: User, **text) -> CheckItem:
    """Change what a check item says; published versions keep their copies.

    `text` holds any of CHECK_TEXTS. Raises DomainError with a message per field, PermissionDenied
    unless the account is 系统管理员 or of the department that implements the item.
    """
    item = _locked(item)
    require_item_editing(actor, item)
    return _edited(item, CHECK_TEXTS, text, actor)


@transaction.atomic
def edit_penalty_item(item: PenaltyItem, *, actor: User, **text) -> PenaltyItem:
    """The same for a penalty item and PENALTY_TEXTS; its keepers are `permissions.penalty_keepers`."""
    item = _locked(item)
    require_penalty_editing(actor, item)
    return _edited(item, PENALTY_TEXTS, text, actor)


@transaction.atomic
def retire(item: CheckItem | PenaltyItem, *, actor: User) -> None:
    """Offer an item to no further draft; versions keep it. Raises DomainError when it is retired already."""
    item = _locked(item)
    _require_keeping(actor, item)
    if item.is_retired:
        raise DomainError(f"“{item.name}”已经停用。")
    item.retired_at = timezone.now()
    item.save(update_fields=["retired_at"])
    _note(_subjects(item), Event.ITEM_RETIRED, item, actor)


@transaction.atomic
def restore(item: CheckItem | PenaltyItem, *, actor: User) -> None:
    """Offer a retired item again. Raises DomainError when it is in use."""
    item = _locked(item)
    _require_keeping(actor, item)
    if not item.is_retired:
        raise DomainError(f"“{item.name}”没有停用。")
    item.retired_at = None
    item.save(update_fields=["retired_at"])
    _note(_subjects(item), Event.ITEM_RESTORED, item, actor)


def require_in_use(version: ScenarioVersion) -> None:
    """Raise DomainError naming the rows of a draft that lean on retired items."""
    retired = Q(check_item__retired_at__isnull=False) | Q(penalty_item__retired_at__isnull=False)
    rows = list(version.rows.filter(retired).order_by("position"))
    if rows:
        raise DomainError(
            f"{'、'.join(str(row) for row in rows[:6])}{'等' if len(rows) > 6 else ''}的事项已停用，"
            "请先恢复事项，或从草稿中移除这些行。"
        )


def never_touched(items: QuerySet) -> QuerySet:
    """Items nobody registered, edited or retired: what an import made and left as it was."""
    kind = "check_item" if items.model is CheckItem else "penalty_item"
    subject = Concat(Value(f"{kind}:"), Cast(OuterRef("pk"), CharField()))
    return items.exclude(Exists(Chain.objects.filter(subject=subject)))


def history(item: CheckItem | PenaltyItem) -> list[Change]:
    """Who changed what of an item and when, newest first; three queries."""
    entries = list(ledger.entries_of(item.subject).order_by("-seq"))
    people = {
        user.key: user.name for user in User.objects.filter(pk__in=[entry.actor[5:] for entry in entries])
    }
    departments = {department.key: department.short_name for department in Department.objects.all()}
    return [
        Change(
            when=entry.at,
            title=Event(entry.kind).label,
            body="、".join(
                str(item._meta.get_field(name).verbose_name) for name in entry.payload.get("fields", [])
            ),
            actor=f"{departments.get(entry.department, '')} {people.get(entry.actor, '')}".strip(),
            digest=entry.digest,
        )
        for entry in entries
    ]


def _named(name: str) -> str:
    name = plain(name)
    if not name:
        raise DomainError("请填写事项名称。", fields={"name": "请填写事项名称。"})
    return name


def _taken(message: str) -> DomainError:
    return DomainError(message, fields={"name": message})


def _when_retired(item: CheckItem | PenaltyItem) -> str:
    return "（已停用，可恢复使用）" if item.is_retired else ""


def _keepers_in_words(item: PenaltyItem) -> str:
    named = Department.objects.filter(pk__in=penalty_keepers(item))
    return "、".join(department.short_name for department in named) or "其他部门"


def _locked(item: CheckItem | PenaltyItem) -> CheckItem | PenaltyItem:
    rows = type(item).objects.select_for_update(of=["self"]).select_related("department")
    return rows.get(pk=item.pk)


def _require_keeping(actor: User, item: CheckItem | PenaltyItem) -> None:
    if isinstance(item, CheckItem):
        require_item_editing(actor, item)
    else:
        require_penalty_editing(actor, item)


def _write(item: CheckItem | PenaltyItem, names: Iterable[str], text: dict) -> list[str]:
    """Set the texts that differ, checked; return their names."""
    unknown = set(text) - set(names)
    if unknown:
        raise TypeError(f"not a text of this item: {sorted(unknown)}")
    changed = [name for name, value in text.items() if getattr(item, name) != value]
    for name in changed:
        setattr(item, name, text[name])
    try:
        item.clean_fields()
    except ValidationError as error:
        fields = {name: "；".join(messages) for name, messages in error.message_dict.items()}
        raise DomainError("有几处填写有误，未保存。", fields=fields) from error
    return changed


def _edited(item, names: Iterable[str], text: dict, actor: User):
    changed = _write(item, names, text)
    if changed:
        item.save(update_fields=changed)
        digest = digest_json({name: getattr(item, name) for name in names})
        _note(_subjects(item), Event.ITEM_EDITED, item, actor, fields=sorted(changed), digest=digest)
    return item


def _subjects(item: CheckItem | PenaltyItem) -> list[str]:
    """The item's own chain, and those of the scenarios whose rows name it."""
    versions = item.rows.order_by().values("version")
    scenarios = Scenario.objects.filter(versions__in=versions).distinct()
    return [item.subject, *(scenario.subject for scenario in scenarios)]


def _note(
    subjects: Iterable[str], event: Event, item: CheckItem | PenaltyItem, actor: User, **payload
) -> None:
    kind = "check_item" if isinstance(item, CheckItem) else "penalty_item"
    department = actor.own_department
    ledger.append_many(
        [ledger.Record(subject, event, {kind: item.pk, **payload}) for subject in subjects],
        actor=actor.key,
        department=department.key if department else "",
    )
