"""Which cells a source prints blank, where their text may come from, and what was said of them."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Gap:
    """Lines following each other whose cells of one column are blank, between two printed ones."""

    column: int
    rows: tuple[int, ...]
    above: int | None
    below: int | None
    # What comes first below a repeated header may go on from the page before.
    before: int | None

    @property
    def only(self) -> int | None:
        """The one printed line it can belong to, when there are not two."""
        if self.above is not None and self.below is not None:
            return None
        return self.below if self.above is None else self.above

    @property
    def splits(self) -> range:
        """How many of the lines may take the text above: all, none, or the first so many."""
        if self.above is None:
            return range(0, 1)
        if self.below is None:
            return range(len(self.rows), len(self.rows) + 1)
        return range(len(self.rows) + 1)


@dataclass(frozen=True)
class Pending:
    """A gap somebody must answer, and the split it seems to have; or one answered, and how."""

    gap: Gap
    split: int | None
    blank: bool = False
    answer: str = ""


def by_column(answers: Mapping[str, str]) -> dict[tuple[int, int, str], str]:
    """`gap:14-15:C+E` answered is C answered and E answered: questions may be grouped anew meanwhile."""
    single = {}
    for key, answer in answers.items():
        if key.startswith("gap:"):
            _, spans, letters = key.split(":")
            for span in spans.split(","):
                first, last = map(int, span.split("-"))
                single |= {(first, last, letter): answer for letter in letters.split("+")}
    return single


def runs_of(numbers: list[int]) -> list[tuple[int, ...]]:
    """Numbers following each other, together."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return [tuple(run) for run in runs]
