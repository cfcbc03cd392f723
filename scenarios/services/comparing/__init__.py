"""Two matrices side by side: which lines were added, removed, changed cell by cell, or only moved.

`compare` knows texts alone, so that a version, a draft and a workbook not yet imported compare alike.
Spaces and line breaks within a cell are no difference, and neither is the 序号, which is no key.
"""

from dataclasses import dataclass, field

from scenarios.enums import ColumnRole
from scenarios.services.comparing.contents import (
    Column,
    Content,
    Line,
    body_in_words,
    content_of_import,
    content_of_lines,
    content_of_version,
    in_words,
    is_town,
)
from scenarios.services.comparing.marking import Mark, marks
from scenarios.services.comparing.matching import matched, moved
from scenarios.services.importing.reading import plain

__all__ = [
    "CellChange",
    "Column",
    "Comparison",
    "Content",
    "Line",
    "LineChange",
    "Mark",
    "RouteChange",
    "body_in_words",
    "compare",
    "content_of_import",
    "content_of_lines",
    "content_of_version",
    "marks",
    "route_changes",
]
RESOLVED = {
    "departments": "检查部门（归口）",
    "partners": "配合部门（归口）",
    "body": "处罚主体（归口）",
}


@dataclass(frozen=True)
class CellChange:
    heading: str
    before: tuple[Mark, ...]
    after: tuple[Mark, ...]


@dataclass(frozen=True)
class LineChange:
    """A line of both matrices, or of one only; places count from 0."""

    before: int | None
    after: int | None
    label: str
    title: str
    # As it stands now; a removed one as it was.
    line: Line
    cells: tuple[CellChange, ...] = ()
    # What the 序号 was, when another stands there now.
    number_before: str = ""
    moved: bool = False


@dataclass
class Comparison:
    """`changed` are lines of both matrices in other words, `moved` those of which only the place changed."""

    added: list[LineChange] = field(default_factory=list)
    removed: list[LineChange] = field(default_factory=list)
    changed: list[LineChange] = field(default_factory=list)
    moved: list[LineChange] = field(default_factory=list)
    unchanged: int = 0
    columns_added: list[str] = field(default_factory=list)
    columns_removed: list[str] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        """Whether both say the same in the same order."""
        return not any(
            (
                self.added,
                self.removed,
                self.changed,
                self.moved,
                self.columns_added,
                self.columns_removed,
            )
        )


@dataclass(frozen=True)
class RouteChange:
    """A penalty item that another body implements than before; no body where it is not listed."""

    penalty: str
    before: tuple[str, ...]
    after: tuple[str, ...]


def compare(before: Content, after: Content) -> Comparison:
    """What must be done to `before` to have it say what `after` says."""
    pairs = matched(before, after)
    away = moved(pairs)
    result = Comparison(
        columns_added=_missing(after, before),
        columns_removed=_missing(before, after),
    )
    kept = {pair[0]: pair[1] for pair in pairs}
    taken = set(kept.values())
    for at in range(len(before.lines)):
        if at not in kept:
            result.removed.append(
                LineChange(at, None, before.label(at), _title(before, at), before.lines[at])
            )
    for at in range(len(after.lines)):
        if at not in taken:
            result.added.append(LineChange(None, at, after.label(at), _title(after, at), after.lines[at]))
    for was, now in sorted(pairs, key=lambda pair: pair[1]):
        number = before.text(before.lines[was], ColumnRole.NUMBER)
        change = LineChange(
            was,
            now,
            after.label(now),
            _title(after, now),
            after.lines[now],
            _cell_changes(before, before.lines[was], after, after.lines[now]),
            number if number != after.text(after.lines[now], ColumnRole.NUMBER) else "",
            now in away,
        )
        if change.cells:
            result.changed.append(change)
        elif change.moved or change.number_before:
            result.moved.append(change)
        else:
            result.unchanged += 1
    return result


def route_changes(before: Content, after: Content) -> list[RouteChange]:
    """The penalty items that change hands from `before` to `after`, come into the list or leave it.

    An item that was only reworded stays with its department; with towns it does not, since 赋权 is given
    for the item by its name.
    """
    was, now = _bodies(before), _bodies(after)
    for old, new in _reworded(before, after).items():
        # Another line may still go by the old name, or went by the new one before.
        gone, came = old in was and old not in now, new in now and new not in was
        if gone and came and was[old] == now[new] and not any(map(is_town, was[old])):
            del was[old], now[new]
    return [
        RouteChange(penalty, tuple(was.get(penalty, ())), tuple(now.get(penalty, ())))
        for penalty in now | was
        if set(was.get(penalty, ())) != set(now.get(penalty, ()))
    ]


def _reworded(before: Content, after: Content) -> dict[str, str]:
    """What penalty items of lines that stayed were called, and are called now."""
    names = {}
    for was, now in matched(before, after):
        old = plain(before.text(before.lines[was], ColumnRole.PENALTY))
        new = plain(after.text(after.lines[now], ColumnRole.PENALTY))
        if old and new and old != new:
            names[old] = new
    return names


def _bodies(content: Content) -> dict[str, list[str]]:
    """For each penalty item the bodies that implement it, in the order of the lines."""
    found: dict[str, list[str]] = {}
    for line in content.lines:
        penalty = plain(content.text(line, ColumnRole.PENALTY))
        if penalty and line.body and line.body not in found.setdefault(penalty, []):
            found[penalty].append(line.body)
    return found


def _missing(here: Content, there: Content) -> list[str]:
    keys = {column.key for column in there.columns}
    return [column.heading for column in here.columns if column.key not in keys]


def _title(content: Content, at: int) -> str:
    """What a line is about: its check item and its penalty item, or whatever it says."""
    line = content.lines[at]
    about = [plain(content.text(line, key)) for key in (ColumnRole.CHECK, ColumnRole.PENALTY)]
    return " → ".join(text for text in about if text) or plain("".join(line.cells))


def _cell_changes(
    before: Content, line_before: Line, after: Content, line_after: Line
) -> tuple[CellChange, ...]:
    known = {column.key for column in before.columns} - {ColumnRole.NUMBER}
    changes = []
    for column, new in zip(after.columns, line_after.cells, strict=True):
        old = before.text(line_before, column.key)
        if column.key in known and plain(old) != plain(new):
            changes.append(CellChange(column.heading, *marks(old, new)))
    for name, heading in RESOLVED.items():
        old, new = in_words(getattr(line_before, name)), in_words(getattr(line_after, name))
        if old != new:
            changes.append(CellChange(heading, (Mark(old, True),), (Mark(new, True),)))
    return tuple(changes)
