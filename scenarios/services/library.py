"""The item library: what each check and penalty item says, and counts over a version."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Count, Q

from core.digests import digest_json
from core.errors import DomainError
from departments.enums import Role
from departments.models import User
from departments.permissions import require_role
from departments.services import known_names
from ledger import services as ledger
from scenarios.enums import BasisState, Event
from scenarios.models import CheckItem, PenaltyItem, Scenario, ScenarioVersion
from scenarios.permissions import require_item_editing

ITEM_FIELDS = (
    "basis",
    "basis_state",
    "method",
    "guide",
    "required_features",
    "institution_kinds",
    "rectification_days",
)
PENALTY_FIELDS = ("basis", "basis_state", "penalty_range")


@dataclass(frozen=True)
class Counts:
    """What an attachment's covering letter counts: 28 行, 11 情形, 7 条线, 17 检查事项, 27 处罚事项."""

    rows: int
    situations: int
    sectors: int
    check_items: int
    penalty_items: int
    departments: int


@dataclass
class Loaded:
    """How many items got their texts, and the names in the data that the library does not have."""

    check_items: int = 0
    penalty_items: int = 0
    unknown: list[str] = field(default_factory=list)


def counts(version: ScenarioVersion) -> Counts:
    """Distinct things among the version's rows, in one query."""
    return Counts(
        **version.rows.aggregate(
            rows=Count("line", distinct=True),
            situations=Count("situation", distinct=True),
            sectors=Count("sector", distinct=True),
            check_items=Count("check_item", distinct=True),
            penalty_items=Count("penalty_item", distinct=True),
            departments=Count("check_department", distinct=True),
        )
    )


def doubtful_bases(version: ScenarioVersion) -> dict[str, int]:
    """How many of a version's check and penalty items rest on an unconfirmed or a repealed basis."""
    if version.is_draft:
        texts = [
            CheckItem.objects.filter(rows__version=version),
            PenaltyItem.objects.filter(rows__version=version),
        ]
    else:
        texts = [version.items.all(), version.penalties.all()]
    found = [
        items.aggregate(
            unverified=Count("pk", filter=Q(basis_state=BasisState.UNVERIFIED), distinct=True),
            repealed=Count("pk", filter=Q(basis_state=BasisState.REPEALED), distinct=True),
        )
        for items in texts
    ]
    return {name: sum(counted[name] for counted in found) for name in ("unverified", "repealed")}


@transaction.atomic
def edit_check_item(item: CheckItem, *, actor: User, **text) -> CheckItem:
    """Change what a check item says; published versions keep their copies.

    `text` holds any of ITEM_FIELDS. Raises DomainError with a message per field, PermissionDenied
    unless the account is 系统管理员 or of the department that implements the item.
    """
    unknown = set(text) - set(ITEM_FIELDS)
    if unknown:
        raise TypeError(f"not a text of a check item: {sorted(unknown)}")
    item = CheckItem.objects.select_for_update(of=["self"]).select_related("department").get(pk=item.pk)
    require_item_editing(actor, item)
    changed = [name for name, value in text.items() if getattr(item, name) != value]
    if not changed:
        return item
    for name in changed:
        setattr(item, name, text[name])
    try:
        item.clean_fields()
    except ValidationError as error:
        fields = {name: "；".join(messages) for name, messages in error.message_dict.items()}
        raise DomainError("有几处填写有误，未保存。", fields=fields) from error
    item.save(update_fields=changed)
    digest = digest_json({name: getattr(item, name) for name in ITEM_FIELDS})
    payload = {"check_item": item.pk, "fields": sorted(changed), "digest": digest}
    scenarios = Scenario.objects.filter(versions__rows__check_item=item).distinct()
    ledger.append_many(
        [ledger.Record(scenario.subject, Event.ITEM_EDITED, payload) for scenario in scenarios],
        actor=actor.key,
        department=item.department.key,
    )
    return item


@transaction.atomic
def load_texts(source: Path | dict, *, actor: User, overwrite: bool = False) -> Loaded:
    """Give library items the texts of a JSON file or its value, matched by name.

    The value holds `check_items` (department, name, any of ITEM_FIELDS) and `penalty_items` (name,
    any of PENALTY_FIELDS). Items somebody already wrote on stay as they are unless `overwrite`, so
    loading twice changes nothing. Load before publishing: a published version keeps its copies.
    Raises PermissionDenied unless the account is 系统管理员.
    """
    require_role(actor, (Role.SYSTEM_ADMIN,))
    data = source if isinstance(source, dict) else json.loads(Path(source).read_text(encoding="utf-8"))
    names = known_names()
    checks = {(item.department_id, item.name): item for item in CheckItem.objects.select_for_update()}
    penalties = {item.name: item for item in PenaltyItem.objects.select_for_update()}
    loaded = Loaded()
    changed_checks, changed_penalties = [], []
    for text in data.get("check_items", []):
        department = names.get(text["department"])
        item = checks.get((department.pk, text["name"])) if department else None
        if item is None:
            loaded.unknown.append(text["name"])
        elif overwrite or not _written(item, ("basis", "method", "guide", "required_features")):
            changed_checks += _fill(item, text, ITEM_FIELDS)
    for text in data.get("penalty_items", []):
        item = penalties.get(text["name"])
        if item is None:
            loaded.unknown.append(text["name"])
        elif overwrite or not _written(item, ("basis", "penalty_range")):
            changed_penalties += _fill(item, text, PENALTY_FIELDS)
    CheckItem.objects.bulk_update(changed_checks, ITEM_FIELDS)
    PenaltyItem.objects.bulk_update(changed_penalties, PENALTY_FIELDS)
    loaded.check_items, loaded.penalty_items = len(changed_checks), len(changed_penalties)
    return loaded


def _written(item: CheckItem | PenaltyItem, names: Iterable[str]) -> bool:
    return any(getattr(item, name) for name in names)


def _fill(item, text: dict, names: Iterable[str]) -> list:
    """The item with the texts given, checked; an empty list when they change nothing."""
    given = {name: text[name] for name in names if name in text and getattr(item, name) != text[name]}
    for name, value in given.items():
        setattr(item, name, value)
    item.clean_fields()
    return [item] if given else []
