"""What a line's other columns say of a text that it may share."""

import re
from collections import defaultdict
from collections.abc import Callable, Hashable

from departments.services import split_departments
from departments.services.naming import core_of
from scenarios.enums import ColumnRole
from scenarios.services.importing.gaps import Gap
from scenarios.services.importing.headings import PART_WORDS, plain
from scenarios.services.importing.reading import Reading, ReadLine

# 承接行政处罚权的乡镇（街道）, 承接消防行政处罚权的乡镇（街道）: two lists, never one (晋政民〔2024〕75号附件).
DELEGATED_TOWN = re.compile(
    r"^承接(消防)?行政处罚权的(?:乡镇|镇街|镇|乡|街道)(?:[（(、/]?(?:街道|镇)[）)]?)?$"
)
FIRE = "消防"
CLEARLY = 0.08

SUPPORTS, SAYS_NOTHING, CONTRADICTS = 1, 0, -1


class Evidence:
    """The checks of one reading. `identity` says which department a printed name means, as any value that is
    the same for two names of one department."""

    def __init__(self, reading: Reading, identity: Callable[[str], Hashable]):
        self.reading = reading
        self.lines = reading.lines
        self.identity = identity
        self.sectors = self._printed_sectors()

    def weigh(self, gap: Gap, split: int) -> list[int]:
        """What the other columns say of each line, were the first `split` of them to take the text above."""
        sources = [gap.above] * split + [gap.below] * (len(gap.rows) - split)
        return [
            CONTRADICTS if source is None else self._evidence(number, gap.column, source)
            for number, source in zip(gap.rows, sources, strict=True)
        ]

    def likeliest(self, gap: Gap, possible: list[int]) -> int | None:
        """The split to propose: the only one possible, or the one whose texts are clearly more alike."""
        if len(possible) < 2:
            return possible[0] if possible else None
        alike = {split: self._alikeness(gap, split) for split in possible}
        first, second = sorted(alike, key=lambda split: -alike[split])[:2]
        return first if alike[first] - alike[second] > CLEARLY else None

    def _alikeness(self, gap: Gap, split: int) -> float:
        sources = [gap.above] * split + [gap.below] * (len(gap.rows) - split)
        return sum(
            self._evidence(number, gap.column, source)
            + _likeness(self._said(self.lines[number]), self._said(self.lines[source]))
            for number, source in zip(gap.rows, sources, strict=True)
            if source is not None
        )

    def is_partner(self, line: ReadLine) -> bool:
        part = plain(self.reading.text(line, ColumnRole.PART))
        return part in PART_WORDS and part.startswith(("配合", "参与", "协办", "协同"))

    def is_partners_own(self, gap: Gap) -> bool:
        """Items right of a 配合 marker are a bureau's own; the lead's are not counted as its (青岛, 汕头)."""
        marker = self.reading.header.column(ColumnRole.PART)
        return marker is not None and gap.column > marker and self.is_partner(self.lines[gap.rows[0]])

    def _evidence(self, number: int, column: int, source: int) -> int:
        line, other = self.lines[number], self.lines[source]
        text = other.cells[column].text
        role = self.reading.header.roles[column]
        if role == ColumnRole.CHECK_DEPARTMENT:
            return self._department_evidence(line, text)
        if role == ColumnRole.SECTOR:
            return self._sector_evidence(line, text)
        if role == ColumnRole.PENALTY_DEPARTMENT:
            inspects = self._departments(line, ColumnRole.CHECK_DEPARTMENT)
            return SUPPORTS if inspects and inspects == self._identities(text) else SAYS_NOTHING
        if self.is_partner(line):
            # What it joins in is another bureau's check.
            return SAYS_NOTHING
        mine, theirs = (self._departments(each, ColumnRole.CHECK_DEPARTMENT) for each in (line, other))
        return CONTRADICTS if mine and theirs and mine != theirs else SAYS_NOTHING

    def _department_evidence(self, line: ReadLine, text: str) -> int:
        if self._is_of_the_fire_list(line):
            return SUPPORTS if FIRE in text else CONTRADICTS
        punishes, inspects = self._departments(line, ColumnRole.PENALTY_DEPARTMENT), self._identities(text)
        if punishes:
            if punishes == inspects:
                return SUPPORTS
            return CONTRADICTS if punishes <= set(self.sectors) else SAYS_NOTHING
        sector = plain(self.reading.text(line, ColumnRole.SECTOR))
        if not sector:
            return SAYS_NOTHING
        known = {each for identity in inspects for each in self.sectors.get(identity, ())}
        return SUPPORTS if sector in known else CONTRADICTS if known else SAYS_NOTHING

    def _sector_evidence(self, line: ReadLine, text: str) -> int:
        if self._is_of_the_fire_list(line):
            return SUPPORTS if FIRE in text else CONTRADICTS
        who = self._departments(line, ColumnRole.CHECK_DEPARTMENT) or self._departments(
            line, ColumnRole.PENALTY_DEPARTMENT
        )
        expected = {sector for identity in who for sector in self.sectors.get(identity, ())}
        if not expected:
            return SAYS_NOTHING
        return SUPPORTS if plain(text) in expected else CONTRADICTS

    def _is_of_the_fire_list(self, line: ReadLine) -> bool:
        town = DELEGATED_TOWN.match(plain(self.reading.text(line, ColumnRole.PENALTY_DEPARTMENT)))
        return bool(town and town.group(1))

    def _departments(self, line: ReadLine, role: ColumnRole) -> set[Hashable]:
        """The particular departments a cell names; towns by delegation are none."""
        text = self.reading.text(line, role)
        return set() if DELEGATED_TOWN.match(plain(text)) else self._identities(text)

    def _identities(self, text: str) -> set[Hashable]:
        return {self.identity(name) for name in split_departments(text) or []}

    def _printed_sectors(self) -> dict[Hashable, set[str]]:
        """Which sectors stand beside a department where both are printed, or are its very name."""
        sectors: dict[Hashable, set[str]] = defaultdict(set)
        named = {}
        for line in self.lines:
            sector = plain(self.reading.text(line, ColumnRole.SECTOR))
            inspects = self._departments(line, ColumnRole.CHECK_DEPARTMENT)
            if sector:
                named[core_of(sector)] = sector
            for identity in inspects:
                sectors[identity] |= {sector} if sector else set()
        for line in self.lines:
            for role in (ColumnRole.CHECK_DEPARTMENT, ColumnRole.PENALTY_DEPARTMENT):
                for name in split_departments(self.reading.text(line, role)) or []:
                    if core_of(name) in named:
                        sectors[self.identity(name)].add(named[core_of(name)])
        return {identity: found for identity, found in sectors.items() if found}

    def _said(self, line: ReadLine) -> str:
        """What the line is about in its own words."""
        roles = (ColumnRole.CHECK, ColumnRole.PENALTY, ColumnRole.CONTENT, ColumnRole.OBJECT)
        return "".join(self.reading.text(line, role) for role in roles)


def _likeness(one: str, other: str) -> float:
    """How many pairs of neighbouring characters two texts share, 0 to 1."""
    pairs, others = (
        {text[at : at + 2] for at in range(len(text) - 1)} for text in (plain(one), plain(other))
    )
    return len(pairs & others) / min(len(pairs), len(others)) if pairs and others else 0.0
