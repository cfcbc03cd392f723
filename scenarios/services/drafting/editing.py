"""Verbs that edit a draft's lines. Each locks the scenario, so that two editors never cross."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from django.db import transaction

from core.digests import digest_json
from core.errors import DomainError
from departments.models import Department, Sector, User
from ledger import services as ledger
from scenarios.enums import ColumnRole, DelegationList, Event, PenaltyBodyKind, RowPart, VersionState
from scenarios.models import CheckItem, MatrixRow, PenaltyItem, Scenario, ScenarioVersion
from scenarios.permissions import require_editing
from scenarios.services.drafting.lines import Line, copy_of, lines_of, set_cell, write_lines
from scenarios.services.printing import column_roles

MOST_LINES, MOST_ROWS = 1000, 10_000
NOTHING_LISTED = "无"
# How the attachment names the towns that take a penalty over, by the list they hold.
BODIES_OF_TOWNS = {
    DelegationList.GENERAL: "承接行政处罚权的乡镇（街道）",
    DelegationList.FIRE: "承接消防行政处罚权的乡镇（街道）",
}


@dataclass(frozen=True)
class Copied:
    """How many lines were taken over, and how many stood there already or lean on retired items."""

    added: int
    present: int
    retired: int


@transaction.atomic
def add_lines(
    version: ScenarioVersion,
    items: Sequence[CheckItem],
    *,
    actor: User,
    situation: str,
    sector: Sector,
) -> int:
    """One line at the end for each check item of the library, without a penalty yet; returns how many.

    Items listed already are left alone. Raises DomainError for retired items, an empty situation, a
    version that is no draft, PermissionDenied.
    """
    scenario, version = locked_draft(version, actor)
    situation = _said(situation, "situation", "请填写一件事情形。")
    retired = [item for item in items if item.is_retired]
    if retired:
        raise DomainError(f"“{retired[0].name}”已停用，不能选用。", fields={"items": "含有已停用的事项"})
    lines = lines_of(version)
    listed = {check for line in lines for check, _ in line.pairs}
    new = [item for item in items if item.pk not in listed]
    for item in new:
        row = MatrixRow(cells=[""] * len(version.layout["columns"]), inferred={})
        _fill(version.layout, row, situation, sector, item, None, None, "", fresh=True)
        lines.append(Line([row]))
    _save(scenario, version, lines, actor, act="ADD", count=len(new))
    return len(new)


@transaction.atomic
def copy_lines(version: ScenarioVersion, rows: Collection[int], *, actor: User) -> Copied:
    """Take lines of versions in force (their rows' keys) over at the end, penalties and all.

    Lines that check and punish the same already, and lines that lean on retired items, are left out.
    """
    scenario, version = locked_draft(version, actor)
    lines = lines_of(version)
    listed = set().union(*(line.pairs for line in lines))
    roles = column_roles(version.layout)
    added = present = retired = 0
    for line, source in _lines_in_force(rows):
        if line.pairs <= listed:
            present += 1
            continue
        if any(_leans_on_retired(row) for row in line.rows):
            retired += 1
            continue
        said = dict(zip(reversed(source), reversed(line.cells), strict=True))
        copies = []
        for row in line.rows:
            copy = copy_of(row, ["" if role == ColumnRole.OTHER else said.get(role, "") for role in roles])
            copy.number = ""
            set_cell(version.layout, copy, ColumnRole.NUMBER, "")
            _complete(version.layout, copy)
            copies.append(copy)
        lines.append(Line(copies))
        listed |= line.pairs
        added += 1
    _save(scenario, version, lines, actor, act="COPY", count=added)
    return Copied(added, present, retired)


@transaction.atomic
def change_line(
    version: ScenarioVersion,
    row: int,
    *,
    actor: User,
    situation: str,
    sector: Sector,
    check_item: CheckItem,
    penalty_item: PenaltyItem | None = None,
    penalty_department: Department | None = None,
    delegation_list: str = "",
    place: int | None = None,
    as_library: bool = False,
) -> None:
    """Say anew what the line of this row says, and at which place (from 1) it stands.

    Cells whose meaning stays keep their printed text, unless they are to read `as_library`. Raises
    DomainError with the fields at fault: a penalty without a body or a body without a penalty, a retired
    item, a check and penalty listed in another line, a line of several departments.
    """
    scenario, version = locked_draft(version, actor)
    lines = lines_of(version)
    line = _line_of(lines, row)
    if len(line.rows) > 1:
        raise DomainError("这一行涉及多个部门，不能直接修改；请移除后按部门分别添加。")
    situation = _said(situation, "situation", "请填写一件事情形。")
    _check_body(penalty_item, penalty_department, delegation_list)
    for field, item in (("check_item", check_item), ("penalty_item", penalty_item)):
        kept = item and item.pk == getattr(line.row, f"{field}_id")
        if item and item.is_retired and not kept:
            raise DomainError(f"“{item.name}”已停用，不能选用。", fields={field: "已停用"})
    same = (check_item.pk, penalty_item.pk if penalty_item else None)
    other = next((each for each in lines if each is not line and same in each.pairs), None)
    if other:
        message = f"{other.row}已列有这项检查和处罚。"
        raise DomainError(message, fields={"penalty_item": message})
    _fill(
        version.layout,
        line.row,
        situation,
        sector,
        check_item,
        penalty_item,
        penalty_department,
        delegation_list,
        fresh=as_library,
    )
    if place is not None:
        lines.remove(line)
        lines.insert(min(max(place, 1), len(lines) + 1) - 1, line)
    _save(scenario, version, lines, actor, act="CHANGE", count=1)


@transaction.atomic
def move_line(version: ScenarioVersion, row: int, *, by: int, actor: User) -> None:
    """Move a line up (-1) or down (1); at either end it stays."""
    scenario, version = locked_draft(version, actor)
    lines = lines_of(version)
    line = _line_of(lines, row)
    at = lines.index(line)
    to = min(max(at + by, 0), len(lines) - 1)
    if to != at:
        lines.insert(to, lines.pop(at))
        _save(scenario, version, lines, actor, act="MOVE", count=1)


@transaction.atomic
def remove_line(version: ScenarioVersion, row: int, *, actor: User) -> None:
    """Take a line out; the library keeps its items."""
    scenario, version = locked_draft(version, actor)
    lines = lines_of(version)
    lines.remove(_line_of(lines, row))
    _save(scenario, version, lines, actor, act="REMOVE", count=1)


def locked_draft(version: ScenarioVersion, actor: User) -> tuple[Scenario, ScenarioVersion]:
    """The scenario, locked, and its draft as it stands. Raises DomainError for one that is none any more,
    PermissionDenied unless the account edits the scenario."""
    scenario = (
        Scenario.objects.select_for_update(of=["self"])
        .select_related("lead_department")
        .get(pk=version.scenario_id)
    )
    require_editing(actor, scenario)
    current = ScenarioVersion.objects.select_for_update().filter(pk=version.pk).first()
    if current is None:
        raise DomainError("这份草稿已被废弃。")
    if not current.is_draft:
        raise DomainError(f"{current}{current.get_state_display()}，内容不能更改。")
    current.scenario = scenario
    return scenario, current


def _save(
    scenario: Scenario, version: ScenarioVersion, lines: list[Line], actor: User, *, act: str, count: int
) -> None:
    if not count:
        return
    if len(lines) > MOST_LINES or sum(len(line.rows) for line in lines) > MOST_ROWS:
        raise DomainError(f"一份清单最多 {MOST_LINES} 行，请分成几件事。")
    write_lines(version, lines)
    payload = {
        "version": version.pk,
        "act": act,
        "lines": len(lines),
        "digest": digest_json([line.cells for line in lines]),
    }
    ledger.append(
        scenario.subject,
        Event.DRAFT_EDITED,
        payload,
        actor=actor.key,
        department=scenario.lead_department.key,
    )


def _fill(
    layout: dict,
    row: MatrixRow,
    situation: str,
    sector: Sector,
    item: CheckItem,
    penalty: PenaltyItem | None,
    department: Department | None,
    listing: str,
    *,
    fresh: bool = False,
) -> None:
    """Set what a row says; unless it is `fresh`, only cells whose meaning changed are printed anew."""
    if row.situation != situation:
        row.situation = situation
        set_cell(layout, row, ColumnRole.SITUATION, situation)
    if row.sector_id != sector.pk:
        row.sector, row.sector_text = sector, sector.name
        set_cell(layout, row, ColumnRole.SECTOR, sector.name)
    if fresh or row.check_item_id != item.pk:
        row.check_item, row.check_text = item, item.name
        row.check_department, row.check_department_text = item.department, item.department.short_name
        set_cell(layout, row, ColumnRole.CHECK, item.name)
        set_cell(layout, row, ColumnRole.CHECK_DEPARTMENT, item.department.short_name)
        for role, text in _texts(item).items():
            set_cell(layout, row, role, text)
    if fresh or row.penalty_item_id != (penalty.pk if penalty else None):
        row.penalty_item, row.penalty_text = penalty, penalty.name if penalty else NOTHING_LISTED
        set_cell(layout, row, ColumnRole.PENALTY, row.penalty_text)
    body = (department.pk if department else None, listing)
    if fresh or (row.penalty_department_id, row.delegation_list) != body:
        row.penalty_department, row.delegation_list = department, listing
        row.penalty_body = _kind(department, listing)
        row.penalty_department_text = _body_text(department, listing)
        set_cell(layout, row, ColumnRole.PENALTY_DEPARTMENT, row.penalty_department_text)


def _complete(layout: dict, row: MatrixRow) -> None:
    """Fill the cells of a row taken over from a list that has no such column."""
    texts = {
        ColumnRole.CHECK: row.check_text,
        ColumnRole.CHECK_DEPARTMENT: row.check_department_text or row.check_department.short_name,
        ColumnRole.PENALTY: row.penalty_text or NOTHING_LISTED,
        ColumnRole.PENALTY_DEPARTMENT: row.penalty_department_text
        or _body_text(row.penalty_department, row.delegation_list),
        **(_texts(row.check_item) if row.check_item else {}),
    }
    for role, text in texts.items():
        for at, column in enumerate(layout["columns"]):
            if column["role"] == role and not row.cells[at]:
                row.cells[at] = text


def _texts(item: CheckItem) -> dict[ColumnRole, str]:
    """What columns beyond the standard seven say of a check item."""
    return {
        ColumnRole.CONTENT: item.content,
        ColumnRole.BASIS: item.grounds,
        ColumnRole.METHOD: item.method,
    }


def _kind(department: Department | None, listing: str) -> PenaltyBodyKind:
    if department:
        return PenaltyBodyKind.DEPARTMENT
    return PenaltyBodyKind.DELEGATED_TOWN if listing else PenaltyBodyKind.NONE


def _body_text(department: Department | None, listing: str) -> str:
    if department:
        return department.short_name
    return BODIES_OF_TOWNS[DelegationList(listing)] if listing else NOTHING_LISTED


def _check_body(penalty: PenaltyItem | None, department: Department | None, listing: str) -> None:
    if department and listing:
        raise DomainError("处罚实施主体只能是一个。", fields={"body": "只能选一个"})
    if penalty and not department and not listing:
        raise DomainError("请选择由谁实施这项处罚。", fields={"body": "请选择处罚实施主体"})
    if not penalty and (department or listing):
        raise DomainError("没有处罚事项，不能有处罚实施主体。", fields={"penalty_item": "请选择处罚事项"})


def _said(text: str, field: str, message: str) -> str:
    text = text.strip()
    if not text:
        raise DomainError(message, fields={field: message})
    return text


def _line_of(lines: Iterable[Line], row: int) -> Line:
    for line in lines:
        if any(each.pk == row for each in line.rows):
            return line
    raise DomainError("这一行刚被移除，请刷新后重试。")


def _lines_in_force(rows: Collection[int]) -> list[tuple[Line, list[ColumnRole]]]:
    """The lines these rows belong to, with what the columns of each say, in order."""
    versions = ScenarioVersion.objects.filter(rows__in=rows, state=VersionState.PUBLISHED).distinct()
    wanted = set(rows)
    found = []
    for version in versions.order_by("pk"):
        roles = column_roles(version.layout)
        found += [(line, roles) for line in lines_of(version) if wanted & {row.pk for row in line.rows}]
    return found


def _leans_on_retired(row: MatrixRow) -> bool:
    items = [item for item in (row.check_item, row.penalty_item) if item]
    return row.part == RowPart.IMPLEMENTING and any(item.is_retired for item in items)
