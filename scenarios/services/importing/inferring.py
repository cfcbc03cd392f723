"""What a cell printed blank means, where no merged area says it.

A table copied out of a PDF prints a merged cell's text on its first, middle or any line. So a blank may
belong to the text above it or to the one below, never to one beyond a repeated header. The line's other
columns are the check: a 处罚实施部门 of 市场监管局 speaks for 市场监管局 as who inspects, and against a 条线
of 住房城乡建设. What they settle is filled and marked; everything else is proposed and asked.
"""

from collections.abc import Callable, Hashable, Mapping
from itertools import groupby

from scenarios.enums import ColumnRole
from scenarios.services.importing.evidence import CONTRADICTS, SUPPORTS, Evidence
from scenarios.services.importing.gaps import Gap, Pending, by_column, runs_of
from scenarios.services.importing.headings import plain
from scenarios.services.importing.problems import ABOVE, ASK, BELOW, BLANK, FROM, LINE, Problem
from scenarios.services.importing.questions import INFERRED_KEY, Questions
from scenarios.services.importing.reading import Reading

# A line cannot do without these, however the source prints them.
NEEDED = (ColumnRole.CHECK_DEPARTMENT, ColumnRole.SECTOR, ColumnRole.CHECK, ColumnRole.SITUATION)
# Each line's own business: a blank here is never the neighbour's text.
OWN = (ColumnRole.PART, ColumnRole.PARTNERS, ColumnRole.PENALTY, ColumnRole.REMARK)
# Whose blanks are settled first, since the others' are judged by them.
ORDER = (ColumnRole.CHECK_DEPARTMENT, ColumnRole.SECTOR, ColumnRole.PENALTY_DEPARTMENT)


class Inference:
    """Fill a reading's blank cells by what settles them and by the answers given; ask for the rest.

    `identity` says which department a printed name means, as any value that is the same for two names of
    one department.
    """

    def __init__(self, reading: Reading, *, identity: Callable[[str], Hashable], answers: Mapping[str, str]):
        self.reading = reading
        self.lines = reading.lines
        self.evidence = Evidence(reading, identity)
        self.questions = Questions(reading)
        self.answers = by_column(answers)
        self.word = answers.get(INFERRED_KEY, "")
        self.settled: list[tuple[int, int]] = []
        self.pending: list[Pending] = []
        self.answered: list[Pending] = []

    @property
    def open(self) -> set[tuple[int, int]]:
        """The cells asked about: (row of the sheet, column)."""
        return {
            (self.reading.row(number), pending.gap.column)
            for pending in self.pending
            for number in pending.gap.rows
        }

    def infer(self) -> list[Problem]:
        """Fill the lines in place; every question there was, those answered with their answer proposed."""
        roles = self.reading.header.roles
        first = [roles.index(role) for role in ORDER if role in roles]
        for column in [*first, *(column for column in range(len(roles)) if column not in first)]:
            for gap in self._gaps(column):
                self._settle(gap)
        if not self.reading.merges_known:
            self._restore_merges()
        return [
            *self.questions.confirmation(self.settled, self.word),
            *self.questions.about([*self.pending, *self.answered]),
        ]

    # --- which cells are blank ---------------------------------------------------------------------

    def _gaps(self, column: int) -> list[Gap]:
        if not self._is_asked_of(column):
            return []
        gaps = []
        last_printed: int | None = None
        for _, section in groupby(range(len(self.lines)), lambda at: self.lines[at].section):
            first, *others = section
            numbers = range(first, [first, *others][-1] + 1)
            blank = [number for number in numbers if self._is_blank(number, column)]
            for run in runs_of(blank):
                above, below = (
                    at if at in numbers and self.lines[at].cells[column].text else None
                    for at in (run[0] - 1, run[-1] + 1)
                )
                before = last_printed if above is None else None
                gaps += [Gap(column, rows, above, below, before) for rows in self._by_part(run, column)]
            printed = [number for number in numbers if self.lines[number].cells[column].text]
            last_printed = printed[-1] if printed else last_printed
        return gaps

    def _is_asked_of(self, column: int) -> bool:
        """Whether blanks of the column may hide a text: not where they are natural, nor all there is."""
        role = self.reading.header.roles[column]
        if role in OWN or not any(line.cells[column].text for line in self.lines):
            return False
        return role in (*NEEDED, ColumnRole.PENALTY_DEPARTMENT) or not self.reading.merges_known

    def _is_blank(self, number: int, column: int) -> bool:
        line, role = self.lines[number], self.reading.header.roles[column]
        if line.cells[column].text:
            return False
        if role == ColumnRole.PENALTY_DEPARTMENT:
            return bool(self.reading.text(line, ColumnRole.PENALTY))
        if role == ColumnRole.CHECK and self.reading.merges_known:
            return not self.evidence.is_partner(line)
        return True

    def _by_part(self, run: tuple[int, ...], column: int) -> list[tuple[int, ...]]:
        """配合 lines are asked about by themselves: what a bureau of its own does is not the lead's."""
        if not self.reading.has(ColumnRole.PART):
            return [run]
        return [
            tuple(group)
            for _, group in groupby(run, lambda number: self.evidence.is_partner(self.lines[number]))
        ]

    # --- what they mean ------------------------------------------------------------------------------

    def _settle(self, gap: Gap) -> None:
        if gap.above is None and gap.below is None and gap.before is None:
            return
        answer = self._answer(gap)
        if answer and self._apply(gap, answer):
            self.answered.append(Pending(gap, None, answer=answer))
            return
        splits = gap.splits if not self._same_either_way(gap) else [len(gap.rows)]
        weighed = {split: self.evidence.weigh(gap, split) for split in splits}
        possible = [split for split, weights in weighed.items() if CONTRADICTS not in weights]
        # Nothing printed on this page to take: only a person knows.
        printed = not (gap.above is None and gap.below is None)
        if printed and len(possible) == 1 and set(weighed[possible[0]]) == {SUPPORTS}:
            self.settled += [(number, gap.column) for number in gap.rows]
            if self.word != ASK:
                self._fill(gap, possible[0])
                return
        if self.evidence.is_partners_own(gap):
            self.pending.append(Pending(gap, None, blank=True))
            return
        proposal = self.evidence.likeliest(gap, possible) if printed else None
        self.pending.append(Pending(gap, proposal))

    def _same_either_way(self, gap: Gap) -> bool:
        if gap.above is None or gap.below is None:
            return False
        texts = {plain(self.lines[number].cells[gap.column].text) for number in (gap.above, gap.below)}
        return len(texts) == 1

    # --- filling -----------------------------------------------------------------------------------

    def _answer(self, gap: Gap) -> str:
        first, last = self.lines[gap.rows[0]].line, self.lines[gap.rows[-1]].line
        return self.answers.get((first, last, self.questions.letter(gap.column)), "")

    def _apply(self, gap: Gap, answer: str) -> bool:
        """Whether the answer fits the gap; then the lines say what it says."""
        kind, _, number = answer.partition(":")
        if answer == BLANK:
            return True
        if gap.only is None and answer in (ABOVE, BELOW):
            self._fill(gap, len(gap.rows) if answer == ABOVE else 0)
            return True
        if gap.only is None and f"{kind}:" == FROM and number.isdigit():
            self._fill(gap, sum(self.reading.row(row) < int(number) for row in gap.rows))
            return True
        sources = [
            at for at in (gap.only, gap.before) if at is not None and str(self.reading.row(at)) == number
        ]
        if f"{kind}:" == LINE and sources:
            for row in gap.rows:
                self.lines[row].take(gap.column, self.lines[sources[0]])
            return True
        return False

    def _fill(self, gap: Gap, split: int) -> None:
        for at, number in enumerate(gap.rows):
            source = gap.above if at < split else gap.below
            if source is not None:
                self.lines[number].take(gap.column, self.lines[source])

    def _restore_merges(self) -> None:
        """Lines that share one printed text were one merged area before the table was copied."""
        for column in range(len(self.reading.header.headings)):
            at = 0
            while at < len(self.lines):
                source, last = self._source(at, column), at
                while last + 1 < len(self.lines) and source and self._source(last + 1, column) == source:
                    last += 1
                if last > at:
                    self.reading.merges.append((column, self.lines[at].line, self.lines[last].line))
                at = last + 1
        self.reading.merges.sort(key=lambda merge: (merge[1], merge[0]))

    def _source(self, number: int, column: int) -> str:
        line = self.lines[number]
        if not line.cells[column].text:
            return ""
        return line.inferred.get(column) or line.cells[column].cell
