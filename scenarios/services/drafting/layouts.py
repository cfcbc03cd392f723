"""How a draft prints: the layout of one made by hand, and what an edit does to merged cells. No database."""

from collections.abc import Mapping, Sequence

from scenarios.enums import ColumnRole
from scenarios.services.printing import standard_layout

TITLE_COLUMNS = (4, 3)


def layout_by_hand(title: str, theme: str, lead: str) -> dict:
    """The seven columns under the titles the attachment has, so that an export can be imported again."""
    left, right = TITLE_COLUMNS
    heading = [{"text": title, "colspan": left + right}]
    about = [{"text": f"主题：{theme}", "colspan": left}, {"text": f"牵头部门：{lead}", "colspan": right}]
    return standard_layout() | {"title": [heading, about]}


def relaid(layout: dict, moved: Mapping[int, int], cells: Sequence[Sequence[str]]) -> dict:
    """The layout after an edit: `moved` says where each former line now stands, `cells` what lines say now.

    A merged area stays over lines that still stand together and still say one thing; a heading printed
    again stays below the line it followed.
    """
    merges = []
    for top, left, bottom, right in layout.get("merges", []):
        at = sorted(moved[line] for line in range(top, bottom + 1) if line in moved)
        for run in _runs(at, lambda line, left=left, right=right: tuple(cells[line][left : right + 1])):
            if len(run) > 1 or left < right:
                merges.append([run[0], left, run[-1], right])
    repeats = sorted({moved[line] for line in layout.get("repeat_header_after", []) if line in moved})
    return layout | {"merges": sorted(merges), "repeat_header_after": repeats}


def columns_of(layout: dict, role: ColumnRole) -> list[int]:
    """Where a layout prints this."""
    return [at for at, column in enumerate(layout["columns"]) if column["role"] == role]


def _runs(at: Sequence[int], said) -> list[list[int]]:
    """Neighbouring lines that say the same, together."""
    runs: list[list[int]] = []
    for line in at:
        if runs and runs[-1][-1] + 1 == line and said(runs[-1][-1]) == said(line):
            runs[-1].append(line)
        else:
            runs.append([line])
    return runs
