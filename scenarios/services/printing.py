"""A matrix as the attachment prints it: which cells are merged, and what they were resolved to."""

from collections.abc import Callable, Sequence

from departments.models import Department
from scenarios.enums import BasisState, DelegationList, PenaltyBodyKind
from scenarios.models import MatrixRow, ScenarioVersion
from scenarios.services.importing import Preview
from scenarios.services.reading import Column, plain

NUMBER, CHECK, CHECK_DEPARTMENT, PENALTY, PENALTY_DEPARTMENT = 0, 3, 4, 5, 6
ORDER = list(Column)
CENTERED = {0, 2, 4, 6}
DELEGATION_NOTES = {
    DelegationList.GENERAL: "机构所在镇街，按行政处罚权赋权清单",
    DelegationList.FIRE: "机构所在镇街，按消防赋权清单",
}


def print_version(version: ScenarioVersion, *, item_url: Callable[[int], str]) -> dict:
    """What `{% matrix %}` needs to show a version; two queries."""
    rows = list(
        version.rows.select_related(
            "check_department", "penalty_department", "check_item", "item", "penalty_item", "penalty"
        ).order_by("position")
    )
    return {
        "title_row": _title_row(version.layout),
        "header": _header(version.layout),
        "rows": _grid(
            [row.printed for row in rows],
            version.layout,
            lambda at, column: _extras(rows[at], column, item_url),
        ),
    }


def print_preview(plan: Preview) -> dict:
    """The same for a workbook not yet imported; cells in question are marked."""
    layout = plan.reading.layout()
    rows = plan.reading.rows
    asked = {problem.cell for problem in plan.problems if problem.sheet == plan.reading.sheet}

    def mark(at: int, column: int) -> dict:
        return {"tone": "warning"} if rows[at].cells[ORDER[column]].cell in asked else {}

    return {
        "title_row": _title_row(layout),
        "header": _header(layout),
        "rows": _grid([[row.text(column) for column in Column] for row in rows], layout, mark),
    }


def _grid(
    printed: Sequence[Sequence[str]], layout: dict, extras: Callable[[int, int], dict]
) -> list[list[dict]]:
    """Rows of cells; those under a merged area are left out, as HTML does."""
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
            if column in CENTERED:
                cell["align"] = "center"
            if column == NUMBER:
                cell["header"] = True
            if rowspan > 1:
                cell["rowspan"] = rowspan
            if colspan > 1:
                cell["colspan"] = colspan
            cells.append(cell)
        grid.append(cells)
    return grid


def _header(layout: dict) -> list[dict]:
    texts = layout.get("header") or [str(column) for column in Column]
    return [
        {"text": text, **({"align": "center"} if at in CENTERED - {NUMBER} else {})}
        for at, text in enumerate(texts)
    ]


def _title_row(layout: dict) -> list[dict] | None:
    """The row right above the header (主题, 牵头部门), when it fills the table's width."""
    above = layout.get("title") or []
    last = above[-1] if above else []
    return last if sum(cell["colspan"] for cell in last) == len(Column) else None


def _extras(row: MatrixRow, column: int, item_url: Callable[[int], str]) -> dict:
    if column == CHECK:
        return {"url": item_url(row.check_item_id), **_basis((row.item or row.check_item).basis_state)}
    if column == PENALTY and row.penalty_item:
        return _basis((row.penalty or row.penalty_item).basis_state)
    if column == CHECK_DEPARTMENT:
        return _resolved(row.check_department_text, row.check_department)
    if column == PENALTY_DEPARTMENT:
        if row.penalty_body == PenaltyBodyKind.DELEGATED_TOWN:
            return {"note": DELEGATION_NOTES[DelegationList(row.delegation_list)]}
        if row.penalty_department:
            return _resolved(row.penalty_department_text, row.penalty_department)
        return {"note": PenaltyBodyKind.NONE.label}
    return {}


def _resolved(text: str, department: Department) -> dict:
    """The department meant, where the attachment prints quite another name (消防部门)."""
    printed = plain(text)
    if printed and (printed in department.short_name or printed in department.name):
        return {}
    return {"note": department.short_name}


def _basis(state: str) -> dict:
    """Only what must not be relied on is marked; 依据待核 is counted beside the matrix."""
    if state != BasisState.REPEALED:
        return {}
    return {"chips": [{"value": state, "label": BasisState(state).label}]}
