"""The lines of a version as an editor handles them: read, written back, compared with the library."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby
from operator import attrgetter

from django.db.models import F

from scenarios.enums import ColumnRole, RowPart
from scenarios.models import CheckItem, MatrixRow, ScenarioVersion
from scenarios.services.drafting.layouts import columns_of, relaid
from scenarios.services.importing.headings import plain

# Room beyond any position, for rows that change places.
APART = 10_000
# What a line says beside its cells; copied with it.
COPIED = [
    column.name
    for column in MatrixRow._meta.fields
    if column.name not in ("id", "version", "position", "line", "cells", "inferred", "item", "penalty")
]


@dataclass
class Line:
    """One printed line and its rows, one a department. `was` is where it stood before an edit."""

    rows: list[MatrixRow]
    was: int | None = None
    deviations: list[str] = field(default_factory=list)

    @property
    def row(self) -> MatrixRow:
        """The row that speaks for the line."""
        return self.rows[0]

    @property
    def cells(self) -> list[str]:
        return self.row.cells

    @property
    def pairs(self) -> set[tuple[int | None, int | None]]:
        """What is checked and what it may lead to."""
        return {
            (row.check_item_id, row.penalty_item_id) for row in self.rows if row.part == RowPart.IMPLEMENTING
        }


def lines_of(version: ScenarioVersion) -> list[Line]:
    """The version's lines in order, each with how it deviates from the library; one query."""
    rows = version.rows.select_related(
        "sector",
        "check_department",
        "penalty_department",
        "check_item__department",
        "penalty_item",
    ).order_by("position")
    lines = [Line(list(group), at) for at, (_, group) in enumerate(groupby(rows, attrgetter("line")))]
    for line in lines:
        line.deviations = _deviations(version.layout, line)
    return lines


def write_lines(version: ScenarioVersion, lines: Sequence[Line]) -> None:
    """Make these the version's lines: new ones added, missing ones removed, places and layout set anew."""
    kept = [row.pk for line in lines for row in line.rows if row.pk]
    version.rows.exclude(pk__in=kept).delete()
    version.rows.update(position=F("position") + APART)
    _number(version, lines)
    position = 0
    for at, line in enumerate(lines):
        for row in line.rows:
            row.version, row.line, row.position = version, at, position
            position += 1
    MatrixRow.objects.bulk_update(
        [row for line in lines for row in line.rows if row.pk],
        ["line", "position", "cells", "inferred", *COPIED],
    )
    MatrixRow.objects.bulk_create(row for line in lines for row in line.rows if not row.pk)
    moved = {line.was: at for at, line in enumerate(lines) if line.was is not None}
    version.layout = relaid(version.layout, moved, [line.cells for line in lines])
    version.save(update_fields=["layout"])


def copy_of(row: MatrixRow, cells: Sequence[str], inferred: dict | None = None) -> MatrixRow:
    """The same row, for another version."""
    return MatrixRow(
        cells=list(cells),
        inferred=dict(inferred or {}),
        **{name: getattr(row, name) for name in COPIED},
    )


def set_cell(layout: dict, row: MatrixRow, role: ColumnRole, text: str) -> None:
    """Print this text wherever the layout says that."""
    for column in columns_of(layout, role):
        row.cells[column] = text
        row.inferred.pop(str(column), None)


def _number(version: ScenarioVersion, lines: Sequence[Line]) -> None:
    """Count the lines anew where they were counted 1, 2, 3 before; other numbers stay as printed."""
    before = [line for line in lines if line.was is not None]
    if any(line.row.number != str(line.was + 1) for line in before):
        return
    for at, line in enumerate(lines):
        for row in line.rows:
            row.number = str(at + 1)
            set_cell(version.layout, row, ColumnRole.NUMBER, row.number)


def _deviations(layout: dict, line: Line) -> list[str]:
    """In which cells a line says something else than the library, and what there is no longer in use."""
    found = []
    for row in line.rows:
        item, penalty = row.check_item, row.penalty_item
        if item:
            found += _differing(layout, row, item)
            if item.is_retired:
                found.append("检查事项已停用")
        if penalty and plain(row.penalty_text) != penalty.name:
            found.append("处罚事项名称与事项库不同")
        if penalty and penalty.is_retired:
            found.append("处罚事项已停用")
    if line.row.inferred:
        found.append("有推断的内容")
    return list(dict.fromkeys(found))


def _differing(layout: dict, row: MatrixRow, item: CheckItem) -> list[str]:
    found = []
    if plain(row.check_text) != item.name:
        found.append("检查事项名称与事项库不同")
    if row.check_department_id != item.department_id:
        found.append("实施部门与事项库不同")
    texts = [
        (ColumnRole.CONTENT, item.content),
        (ColumnRole.METHOD, item.method),
        (ColumnRole.BASIS, item.basis),
    ]
    for role, said in texts:
        printed = [plain(row.cells[column]) for column in columns_of(layout, role)]
        if said and any(text and text not in (plain(said), plain(item.grounds)) for text in printed):
            found.append(f"{role.label}与事项库不同")
    return found
