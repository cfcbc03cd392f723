"""The item library: what each check and penalty item says, and counts over a version."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from django.db import transaction
from django.db.models import Count, Q, QuerySet

from core.spreadsheets import write_table
from departments.enums import Role
from departments.models import User
from departments.permissions import require_role
from departments.services import known_names
from scenarios.enums import BasisState
from scenarios.models import CheckItem, PenaltyItem, ScenarioVersion
from scenarios.services.items import CHECK_TEXTS, PENALTY_TEXTS


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


def check_items_workbook(items: QuerySet[CheckItem]) -> bytes:
    """The library's check items as a table, one row each."""
    columns = {
        "检查事项": 40,
        "实施部门": 16,
        "法律法规": 30,
        "条款": 20,
        "依据": 50,
        "依据状态": 10,
        "检查内容": 40,
        "检查方式": 24,
        "检查流程": 40,
        "现场看什么": 50,
        "适用": 24,
        "默认整改天数": 14,
        "状态": 8,
    }
    rows = (
        [
            item.name,
            item.department.short_name,
            item.law,
            item.article,
            item.basis,
            item.get_basis_state_display(),
            item.content,
            item.method,
            item.procedure,
            item.guide,
            item.applicability,
            item.rectification_days,
            _use(item),
        ]
        for item in items.iterator()
    )
    return write_table("检查事项", columns, rows)


def penalty_items_workbook(items: QuerySet[PenaltyItem]) -> bytes:
    """The library's penalty items as a table, one row each."""
    columns = {
        "处罚事项": 50,
        "法律法规": 30,
        "条款": 20,
        "依据": 50,
        "依据状态": 10,
        "处罚种类与幅度": 50,
        "状态": 8,
    }
    rows = (
        [
            item.name,
            item.law,
            item.article,
            item.basis,
            item.get_basis_state_display(),
            item.penalty_range,
            _use(item),
        ]
        for item in items.iterator()
    )
    return write_table("处罚事项", columns, rows)


def _use(item: CheckItem | PenaltyItem) -> str:
    return "已停用" if item.is_retired else "在用"


@transaction.atomic
def load_texts(source: Path | dict, *, actor: User, overwrite: bool = False) -> Loaded:
    """Give library items the texts of a JSON file or its value, matched by name.

    The value holds `check_items` (department, name, any of CHECK_TEXTS) and `penalty_items` (name,
    any of PENALTY_TEXTS). Items somebody already wrote on stay as they are unless `overwrite`, so
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
            changed_checks += _fill(item, text, CHECK_TEXTS)
    for text in data.get("penalty_items", []):
        item = penalties.get(text["name"])
        if item is None:
            loaded.unknown.append(text["name"])
        elif overwrite or not _written(item, ("basis", "penalty_range")):
            changed_penalties += _fill(item, text, PENALTY_TEXTS)
    CheckItem.objects.bulk_update(changed_checks, CHECK_TEXTS)
    PenaltyItem.objects.bulk_update(changed_penalties, PENALTY_TEXTS)
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
