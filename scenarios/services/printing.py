"""A matrix as the attachment prints it: which cells are merged, and what they were resolved to."""

from collections.abc import Callable, Iterable, Sequence
from itertools import groupby
from operator import attrgetter

from departments.models import Department
from scenarios.enums import STANDARD_COLUMNS, BasisState, ColumnRole, DelegationList, PenaltyBodyKind, RowPart
from scenarios.models import MatrixRow, ScenarioVersion
from scenarios.services.importing import Preview
from scenarios.services.importing.headings import plain

CENTERED = {
    ColumnRole.NUMBER,
    ColumnRole.SECTOR,
    ColumnRole.CHECK_DEPARTMENT,
    ColumnRole.PENALTY_DEPARTMENT,
    ColumnRole.PART,
    ColumnRole.SAMPLING,
    ColumnRole.PERIOD,
    ColumnRole.LEVEL,
    ColumnRole.CATEGORY,
}
DELEGATION_NOTES = {
    DelegationList.GENERAL: "机构所在镇街，按行政处罚权赋权清单",
    DelegationList.FIRE: "机构所在镇街，按消防赋权清单",
}


def standard_layout() -> dict:
    """How a version that was made by hand prints: the seven columns, nothing merged."""
    return {
        "title": [],
        "header": [[{"text": role.label} for role in STANDARD_COLUMNS]],
        "columns": [{"text": role.label, "role": role} for role in STANDARD_COLUMNS],
        "repeat_header_after": [],
        "merges": [],
    }


def print_version(version: ScenarioVersion, *, item_url: Callable[[int], str]) -> dict:
    """What `{% matrix %}` needs to show a version; one query."""
    rows = version.rows.select_related(
        "check_department", "penalty_department", "check_item", "item", "penalty_item", "penalty"
    ).order_by("position")
    lines = [list(group) for _, group in groupby(rows, attrgetter("line"))]
    roles = column_roles(version.layout)

    def extras(at: int, column: int) -> dict:
        line = lines[at]
        said = _inferred(line[0], column) or _extras(line, roles[column], item_url)
        return said | ({"chips": [*said.get("chips", []), INFERRED]} if _inferred(line[0], column) else {})

    return {
        "title_row": _title_row(version.layout),
        "header": _header(version.layout),
        "rows": _grid([line[0].cells for line in lines], version.layout, extras),
    }


def print_pages(version: ScenarioVersion) -> dict:
    """The version as paper shows it: titles, headings, and the lines page by page; one query.

    Nothing that the attachment does not print: what was inferred is blank, as it is there, unless it
    belongs to a merged area that prints the text once.
    """
    rows = version.rows.order_by("position")
    lines = [next(group) for _, group in groupby(rows, attrgetter("line"))]
    layout = version.layout | {"merges": page_merges(version.layout, lines)}
    printed = [line.printed for line in lines]
    for top, left, bottom, right in layout["merges"]:
        printed[top][left] = next(
            (printed[at][column] for at, column in _area(top, left, bottom, right) if printed[at][column]), ""
        )
    grid = _grid(printed, layout, lambda at, column: {})
    return {
        "titles": layout["title"],
        "header": _header(layout),
        "pages": [grid[first : last + 1] for first, last in pages_of(layout, len(lines))],
    }


def pages_of(layout: dict, count: int) -> list[tuple[int, int]]:
    """First and last line of every stretch under one printing of the headings."""
    ends = [line for line in sorted(set(layout.get("repeat_header_after", []))) if 0 <= line < count - 1]
    starts = [0, *(line + 1 for line in ends)]
    return list(zip(starts, [*ends, count - 1], strict=True)) if count else []


def page_merges(layout: dict, lines: Sequence[MatrixRow]) -> list[list[int]]:
    """The merged areas that stand on one page and say one thing; a heading in between parts them."""
    merges = []
    for top, left, bottom, right in layout.get("merges", []):
        for first, last in pages_of(layout, len(lines)):
            above, below = max(top, first), min(bottom, last)
            said = {lines[at].cells[column] for at, column in _area(above, left, below, right)}
            if len(said) == 1 and (above, left) != (below, right):
                merges.append([above, left, below, right])
    return merges


def _area(top: int, left: int, bottom: int, right: int) -> Iterable[tuple[int, int]]:
    return ((at, column) for at in range(top, bottom + 1) for column in range(left, right + 1))


def print_preview(plan: Preview) -> dict:
    """The same for a matrix not yet imported: inferred cells say where their text is from, cells in
    question are marked."""
    layout = plan.reading.layout()
    lines = plan.reading.lines
    asked = {problem.cell for problem in plan.problems if problem.sheet == plan.reading.sheet}

    def mark(at: int, column: int) -> dict:
        line = lines[at]
        source = line.inferred.get(column)
        if source:
            return {"note": _taken_from(source), "chips": [INFERRED]}
        in_question = (line.line, column) in plan.open or line.cells[column].cell in asked
        return {"tone": "warning"} if in_question else {}

    return {
        "title_row": _title_row(layout),
        "header": _header(layout),
        "rows": _grid([line.texts for line in lines], layout, mark),
    }


INFERRED = {"value": "INFERRED", "label": "推断", "tone": "info"}


def column_roles(layout: dict) -> list[ColumnRole]:
    """What each column of a layout says, left to right."""
    return [ColumnRole(column["role"]) for column in layout["columns"]]


def _grid(
    printed: Sequence[Sequence[str]], layout: dict, extras: Callable[[int, int], dict]
) -> list[list[dict]]:
    """Rows of cells; those under a merged area are left out, as HTML does."""
    roles = column_roles(layout)
    spans, covered = {}, set()
    for top, left, bottom, right in layout.get("merges", []):
        spans[top, left] = (bottom - top + 1, right - left + 1)
        covered |= {(r, c) for r in range(top, bottom + 1) for c in range(left, right + 1)} - {(top, left)}
    grid = []
    for at, texts in enumerate(printed):
        cells = []
        for column, text in enumerate(texts):
            if (at, column) in covered:
                continue
            rowspan, colspan = spans.get((at, column), (1, 1))
            cell = {"text": text, **extras(at, column)}
            if roles[column] in CENTERED:
                cell["align"] = "center"
            if roles[column] == ColumnRole.NUMBER:
                cell["header"] = True
            if rowspan > 1:
                cell["rowspan"] = rowspan
            if colspan > 1:
                cell["colspan"] = colspan
            cells.append(cell)
        grid.append(cells)
    return grid


def _header(layout: dict) -> list[list[dict]]:
    """The heading rows; a single one is aligned as its columns are."""
    rows = layout["header"]
    if len(rows) > 1 or len(rows[0]) != len(layout["columns"]):
        return rows
    return [
        [
            cell | ({"align": "center"} if role in CENTERED and role != ColumnRole.NUMBER else {})
            for cell, role in zip(rows[0], column_roles(layout), strict=True)
        ]
    ]


def _title_row(layout: dict) -> list[dict] | None:
    """The row right above the header (主题, 牵头部门), when it fills the table's width with several cells."""
    above = layout.get("title") or []
    last = above[-1] if above else []
    fills = sum(cell["colspan"] for cell in last) == len(layout["columns"])
    return last if len(last) > 1 and fills else None


def _inferred(row: MatrixRow, column: int) -> dict:
    source = row.inferred.get(str(column))
    return {"note": _taken_from(source), "chips": [INFERRED]} if source else {}


def _taken_from(source: str) -> str:
    return f"原文空白，取自 {source}"


def _extras(line: Sequence[MatrixRow], role: ColumnRole, item_url: Callable[[int], str]) -> dict:
    row = line[0]
    if role == ColumnRole.CHECK and row.check_item:
        return {"url": item_url(row.check_item_id), **_basis((row.item or row.check_item).basis_state)}
    if role == ColumnRole.PENALTY and row.penalty_item:
        return _basis((row.penalty or row.penalty_item).basis_state)
    if role == ColumnRole.CHECK_DEPARTMENT:
        ours = [
            each.check_department for each in line if each.check_department_text == row.check_department_text
        ]
        return _resolved(row.check_department_text, ours)
    if role == ColumnRole.PARTNERS:
        partners = [each.check_department for each in line if each.part == RowPart.PARTNER]
        return {"note": "、".join(partner.short_name for partner in partners)} if partners else {}
    if role == ColumnRole.PENALTY_DEPARTMENT:
        if row.penalty_body == PenaltyBodyKind.DELEGATED_TOWN:
            return {"note": DELEGATION_NOTES[DelegationList(row.delegation_list)]}
        if row.penalty_department:
            return _resolved(row.penalty_department_text, [row.penalty_department])
        return {"note": PenaltyBodyKind.NONE.label}
    return {}


def _resolved(text: str, departments: Iterable[Department]) -> dict:
    """The departments meant, where the attachment prints quite another name (消防部门)."""
    printed = plain(text)
    departments = list(departments)
    if printed and all(printed in each.short_name or printed in each.name for each in departments):
        return {}
    return {"note": "、".join(department.short_name for department in departments)}


def _basis(state: str) -> dict:
    """Only what must not be relied on is marked; 依据待核 is counted beside the matrix."""
    if state != BasisState.REPEALED:
        return {}
    return {"chips": [{"value": state, "label": BasisState(state).label}]}
