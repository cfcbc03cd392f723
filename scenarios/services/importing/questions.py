"""Blank cells as questions a person can answer with the printed page in hand."""

from collections import defaultdict
from collections.abc import Iterable

from core.spreadsheets import coordinate
from scenarios.enums import ColumnRole
from scenarios.services.importing.gaps import Gap, Pending
from scenarios.services.importing.headings import plain
from scenarios.services.importing.problems import (
    ABOVE,
    ASK,
    BELOW,
    BLANK,
    CONFIRMED,
    FROM,
    LINE,
    Choice,
    Problem,
)
from scenarios.services.importing.reading import Reading

INFERRED_KEY = "inferred"
MOST_SPLITS = 30


class Questions:
    """The questions about one reading's blanks."""

    def __init__(self, reading: Reading):
        self.reading = reading
        self.lines = reading.lines

    def confirmation(self, settled: list[tuple[int, int]], word: str) -> list[Problem]:
        """One word for all that other columns settled; nothing is filled in silence."""
        if not settled:
            return []
        first = min(settled)
        lines = sorted({self.lines[number].line for number, _ in settled})
        count = len(settled)
        reason = f"有 {count} 格原文空白，已由同行的处罚实施部门等佐证推断，在下面的清单中标为“推断”，请核对"
        return [
            Problem(
                self.reading.sheet,
                self.where(*first),
                "",
                reason,
                INFERRED_KEY,
                tuple(lines),
                (Choice(CONFIRMED, "已核对，推断正确"), Choice(ASK, "有不对的，逐处确认")),
                keeps_rows=True,
                proposal=word,
            )
        ]

    def about(self, asked: list[Pending]) -> list[Problem]:
        """One question for what seems to belong together: columns blank in the same lines, and the lines
        before and after the only text that a page prints."""
        grouped: dict[tuple, list[Pending]] = defaultdict(list)
        for pending in sorted(asked, key=lambda pending: (pending.gap.rows[0], pending.gap.column)):
            gap = pending.gap
            where: tuple = (gap.rows, gap.above, gap.below)
            if gap.only is not None:
                where = (gap.only, gap.before, tuple(_columns_beside(gap, asked)))
            seems = (pending.split is None, pending.blank, self._split_line(pending), pending.answer)
            grouped[(*where, *seems)].append(pending)
        return [self._question(together) for together in grouped.values()]

    def _question(self, together: list[Pending]) -> Problem:
        gap = together[0].gap
        columns = list(dict.fromkeys(pending.gap.column for pending in together))
        runs = list(dict.fromkeys(pending.gap.rows for pending in together))
        lines = tuple(self.reading.row(number) for run in runs for number in run)
        names = "、".join(f"“{self.reading.header.texts[column]}”" for column in columns)
        spans = [(self.reading.row(run[0]), self.reading.row(run[-1])) for run in runs]
        rows = "、".join(f"{first}–{last}" if last > first else f"{first}" for first, last in spans)
        numbered = self._numbered(runs)
        why = "空白，且不是合并单元格" if self.reading.merges_known else "空白，可能是合并单元格的一部分"
        letters = "+".join(self.letter(column) for column in columns)
        return Problem(
            self.reading.sheet,
            self.where(gap.rows[0], columns[0]),
            "",
            f"第 {rows} 行{numbered}的{names}{why}",
            f"gap:{','.join(f'{first}-{last}' for first, last in spans)}:{letters}",
            lines,
            tuple(self._choices(gap, columns)),
            proposal=self._proposal(together[0]),
        )

    def _numbered(self, runs: list[tuple[int, ...]]) -> str:
        """How the printed page itself calls the lines, where it numbers them all."""
        texts = [[self.reading.text(self.lines[number], ColumnRole.NUMBER) for number in run] for run in runs]
        if not all(text for run in texts for text in run):
            return ""
        return f"（序号 {'、'.join(run[0] if len(run) == 1 else f'{run[0]}–{run[-1]}' for run in texts)}）"

    def _choices(self, gap: Gap, columns: list[int]) -> list[Choice]:
        choices = []
        if gap.only is not None:
            choices.append(self._same_as(gap.only, columns, "同"))
        elif gap.above is not None and gap.below is not None:
            above, below = self._quoted(gap.above, columns), self._quoted(gap.below, columns)
            choices = [
                Choice(ABOVE, f"同上（第 {self.reading.row(gap.above)} 行）：{above}"),
                Choice(BELOW, f"同下（第 {self.reading.row(gap.below)} 行）：{below}"),
                *(self._parted(gap, split) for split in range(1, min(len(gap.rows), MOST_SPLITS))),
            ]
        if gap.before is not None:
            choices.append(self._same_as(gap.before, columns, "续上一页，同"))
        return [*choices, Choice(BLANK, "原文就是空白")]

    def _parted(self, gap: Gap, split: int) -> Choice:
        last, first = (self.reading.row(gap.rows[at]) for at in (split - 1, split))
        return Choice(f"{FROM}{first}", f"到第 {last} 行同上，自第 {first} 行同下")

    def _same_as(self, number: int, columns: list[int], how: str) -> Choice:
        row = self.reading.row(number)
        return Choice(f"{LINE}{row}", f"{how}第 {row} 行：{self._quoted(number, columns)}")

    def _split_line(self, pending: Pending) -> int:
        """The first of the lines that take the text below; 0 where only one text is printed."""
        gap, split = pending.gap, pending.split
        return 0 if gap.only is not None or split is None or split == len(gap.rows) else gap.rows[split]

    def _proposal(self, pending: Pending) -> str:
        gap, split = pending.gap, pending.split
        if pending.answer or pending.blank:
            return pending.answer or BLANK
        if split is None:
            return ""
        if gap.only is not None:
            return f"{LINE}{self.reading.row(gap.only)}"
        if split == len(gap.rows):
            return ABOVE
        return BELOW if split == 0 else f"{FROM}{self.reading.row(gap.rows[split])}"

    def _quoted(self, number: int, columns: list[int]) -> str:
        texts = [plain(self.lines[number].cells[column].text) for column in columns]
        return "；".join(text if len(text) <= 24 else f"{text[:23]}…" for text in texts if text)

    def where(self, number: int, column: int) -> str:
        return coordinate(self.lines[number].line, self.reading.header.headings[column].place)

    def letter(self, column: int) -> str:
        return coordinate(1, self.reading.header.headings[column].place)[:-1]


def _columns_beside(gap: Gap, asked: Iterable[Pending]) -> list[int]:
    """The columns asked about in the same lines: what is blank there alone is another question."""
    return sorted(other.gap.column for other in asked if other.gap.rows == gap.rows)
