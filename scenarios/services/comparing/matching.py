"""Which lines of two matrices are one and the same, and which of them left their order."""

from bisect import bisect_left
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Hashable, Iterable, Sequence
from difflib import SequenceMatcher

from scenarios.enums import ColumnRole
from scenarios.services.comparing.contents import Content, Line, in_words
from scenarios.services.importing.reading import plain

# Lines that resemble each other less than this are two lines, not one that changed.
LEAST_ALIKE = 0.6
# Pairs of characters that more lines than these have in common tell nothing about one of them.
COMMON = 60
CANDIDATES = 5
# A long text is known by how it begins.
BEGINNING = 200


def matched(before: Content, after: Content) -> list[tuple[int, int]]:
    """Pairs of places: by everything they say, by ever less of it, then by likeness."""
    left, right = dict(enumerate(before.lines)), dict(enumerate(after.lines))
    pairs: list[tuple[int, int]] = []
    item = (ColumnRole.CHECK, ColumnRole.PENALTY)
    place = (*item, ColumnRole.SITUATION, ColumnRole.OBJECT)
    for key in (_everything, _resolved_and(place), _saying(place), _resolved_and(item), _saying(item)):
        groups = defaultdict(deque)
        for at, line in right.items():
            groups[key(after, line)].append(at)
        for at, line in list(left.items()):
            said = key(before, line)
            if said and groups.get(said):
                same = groups[said].popleft()
                pairs.append((at, same))
                del left[at], right[same]
    return pairs + _alike(before, left, after, right)


def _everything(content: Content, line: Line) -> tuple[Hashable, ...]:
    said = frozenset(
        (column.key, plain(text))
        for column, text in zip(content.columns, line.cells, strict=True)
        if column.key != ColumnRole.NUMBER and text
    )
    return said, in_words(line.departments), in_words(line.partners), line.body


def _saying(keys: Sequence[str]) -> Callable[[Content, Line], tuple[Hashable, ...]]:
    def said(content: Content, line: Line) -> tuple[Hashable, ...]:
        texts = tuple(plain(content.text(line, key)) for key in keys)
        return texts if any(texts) else ()

    return said


def _resolved_and(keys: Sequence[str]) -> Callable[[Content, Line], tuple[Hashable, ...]]:
    say = _saying(keys)

    def said(content: Content, line: Line) -> tuple[Hashable, ...]:
        texts = say(content, line)
        return (*texts, in_words(line.departments), line.body) if texts else ()

    return said


def _alike(
    before: Content, left: dict[int, Line], after: Content, right: dict[int, Line]
) -> list[tuple[int, int]]:
    """The likeliest pairs first; each line once."""
    said = {at: _about(after, line) for at, line in right.items()}
    holders = defaultdict(list)
    for at, texts in said.items():
        for pair in _pairs_of("".join(texts)):
            holders[pair].append(at)
    scored = []
    for at, line in left.items():
        texts = _about(before, line)
        shared: Counter = Counter()
        for pair in _pairs_of("".join(texts)):
            if len(holders.get(pair, ())) <= COMMON:
                shared.update(holders.get(pair, ()))
        for other, _ in shared.most_common(CANDIDATES):
            likeness = _likeness(texts, said[other])
            if likeness >= LEAST_ALIKE:
                scored.append((-likeness, abs(at - other), at, other))
    pairs, used = [], set()
    for _, _, at, other in sorted(scored):
        if ("left", at) not in used and ("right", other) not in used:
            used |= {("left", at), ("right", other)}
            pairs.append((at, other))
    return pairs


def _about(content: Content, line: Line) -> tuple[str, ...]:
    keys = (ColumnRole.CHECK, ColumnRole.PENALTY, ColumnRole.CONTENT, ColumnRole.OBJECT)
    return tuple(plain(content.text(line, key))[:BEGINNING] for key in keys)


def _pairs_of(text: str) -> set[str]:
    return {text[at : at + 2] for at in range(len(text) - 1)}


def _likeness(some: Sequence[str], others: Sequence[str]) -> float:
    """How much two lines resemble each other where both say something: the worst of their texts."""
    ratios = [
        SequenceMatcher(None, one, other, autojunk=False).ratio()
        for one, other in zip(some, others, strict=True)
        if one and other
    ]
    return min(ratios, default=0.0)


def moved(pairs: Iterable[tuple[int, int]]) -> set[int]:
    """The places in the second matrix of lines that left the order most of them kept."""
    order = [was for was, _ in sorted(pairs, key=lambda pair: pair[1])]
    places = sorted(now for _, now in pairs)
    # The longest run of lines in their old order, by patience sorting.
    tails: list[int] = []
    ends: list[int] = []
    previous: dict[int, int | None] = {}
    for index, was in enumerate(order):
        at = bisect_left(tails, was)
        previous[index] = ends[at - 1] if at else None
        tails[at : at + 1] = [was]
        ends[at : at + 1] = [index]
    kept, index = set(), ends[-1] if ends else None
    while index is not None:
        kept.add(index)
        index = previous[index]
    return {place for index, place in enumerate(places) if index not in kept}
