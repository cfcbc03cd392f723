"""What the printed cells mean: departments by any of their names, and the two 赋权 phrases."""

from collections.abc import Collection, Hashable, Iterable, Mapping
from dataclasses import dataclass

from core.spreadsheets import coordinate
from departments.models import Department
from departments.services import (
    is_open_ended,
    known_names,
    plain_name,
    propose_department,
    split_departments,
)
from departments.services.naming import core_of
from scenarios.enums import ColumnRole, DelegationList, PenaltyBodyKind, RowPart
from scenarios.services.importing.evidence import DELEGATED_TOWN
from scenarios.services.importing.headings import PART_WORDS, plain
from scenarios.services.importing.inferring import Inference
from scenarios.services.importing.problems import (
    DEPARTMENT,
    LEAVE_OUT,
    NEW,
    NO_PENALTY,
    NOBODY,
    Choice,
    Problem,
)
from scenarios.services.importing.reading import NOTHING, Reading, ReadLine

PARTNER_WORDS = {word for word in PART_WORDS if word.startswith(("配合", "参与", "协办", "协同"))}
# A proposal this likely is shown as chosen; it still takes a person to send the form.
LIKELY = 0.9
SAME = "same"
PENALTY_OF_ALL, CHECK_OF_ALL = "column:PENALTY_DEPARTMENT", "column:CHECK_DEPARTMENT"
NO_PENALTY_CHOICE = Choice(NO_PENALTY, "这一行没有处罚事项")


@dataclass(frozen=True)
class Body:
    """Who implements a row's penalty."""

    kind: PenaltyBodyKind
    department: Department | None = None
    delegation_list: str = ""


@dataclass(frozen=True)
class ResolvedRow:
    """One department of a printed line, and what it does there."""

    read: ReadLine
    part: RowPart
    department: Department
    body: Body


@dataclass(frozen=True)
class _Named:
    """The departments a cell names; None for what is not known yet."""

    departments: list[Department]
    unknown: list[str]


class Resolver:
    """Resolve a reading's lines with the answers given so far; collects what remains to be asked."""

    def __init__(self, reading: Reading, *, answers: Mapping[str, str], may_create: bool = False):
        self.reading = reading
        self.answers = answers
        self.may_create = may_create
        self.names = known_names()
        self.departments = {department.code: department for department in self.names.values()}
        # Every question there was, and those not answered yet.
        self.asked: list[Problem] = []
        self.problems: list[Problem] = []
        self.notes: list[str] = []
        # Cells of which it is still asked whose text they share: (row of the sheet, column).
        self.open: set[tuple[int, int]] = set()
        # Printed names that an answer made known; they become aliases.
        self.learnt: dict[str, Department] = {}

    def resolve(self) -> tuple[list[ResolvedRow], set[int]]:
        """The rows that stay, and the lines left out on purpose; see `problems` before using them."""
        inference = Inference(self.reading, identity=self._identity, answers=self.answers)
        inferred = inference.infer()
        self.open = inference.open
        left_out = self._left_out([*self.reading.problems, *inferred])
        kept = [line for line in self.reading.lines if line.line not in left_out]
        departments = self._unknown_departments(kept)
        self.asked = [*self.reading.problems, *inferred, *departments, *self._cells(kept)]
        left_out = self._left_out(self.asked)
        self.problems = [problem for problem in self.asked if not self._is_settled(problem, left_out)]
        if self.problems:
            return [], left_out
        kept = [line for line in kept if line.line not in left_out]
        return [row for line in kept for row in self._rows(line)], left_out

    def department(self, text: str) -> Department | None:
        """The department a printed name means, or was said to mean."""
        return self.names.get(text) or self.chosen(f"department:{plain_name(text)}")

    def chosen(self, key: str) -> Department | None:
        """The department that answers a question; one still to be registered has no key yet."""
        answer = self.answers.get(key, "")
        if answer == NEW:
            name = key.partition(":")[2]
            return Department(name=name, short_name=name)
        return (
            self.departments.get(answer.removeprefix(DEPARTMENT)) if answer.startswith(DEPARTMENT) else None
        )

    def learn(self, name: str, department: Department) -> None:
        """Remember a printed name as an alias, unless it says more than one department's name."""
        named = split_departments(name)
        if (
            department.pk
            and named == [plain_name(name)]
            and len(name) <= 128
            and not DELEGATED_TOWN.match(name)
        ):
            self.learnt[name] = department

    def question(
        self, key: str, cell: str, text: str, reason: str, lines: Iterable[int], *more: Choice
    ) -> Problem:
        """A question that any department may answer, the likely ones first."""
        proposals = propose_department(text, self.names) if text else []
        choices = [
            Choice(f"{DEPARTMENT}{found.department.code}", f"{found.department.short_name}（{found.why}）")
            for found in proposals
        ]
        likely = (
            proposals
            and proposals[0].score >= LIKELY
            and (len(proposals) == 1 or proposals[1].score < LIKELY)
        )
        return Problem(
            self.reading.sheet,
            cell,
            text,
            reason,
            key,
            tuple(dict.fromkeys(lines)),
            (*choices, *more),
            by_department=True,
            proposal=choices[0].value if likely else "",
        )

    # --- questions ---------------------------------------------------------------------------------

    def _left_out(self, problems: Iterable[Problem]) -> set[int]:
        lines = {
            line
            for problem in problems
            if self.answers.get(problem.key) == LEAVE_OUT
            for line in problem.lines
        }
        return lines | {
            line.line for line in self.reading.lines if self.answers.get(f"row:{line.line}") == LEAVE_OUT
        }

    def _is_settled(self, problem: Problem, left_out: Collection[int]) -> bool:
        gap = problem.key.startswith("gap:") and not (self._cells_of(problem) & self.open)
        answer = self.answers.get(problem.key, "")
        if gap or answer == LEAVE_OUT or (problem.lines and set(problem.lines) <= set(left_out)):
            return True
        if problem.by_department and (found := self.chosen(problem.key)):
            kind, _, name = problem.key.partition(":")
            if kind == "department":
                self.learn(name, found)
            return True
        return any(choice.value == answer for choice in problem.choices)

    def _cells_of(self, problem: Problem) -> set[tuple[int, int]]:
        """The cells a question about blanks is about: (row of the sheet, column)."""
        letters = problem.key.rpartition(":")[2].split("+")
        places = {
            coordinate(1, heading.place)[:-1]: at for at, heading in enumerate(self.reading.header.headings)
        }
        return {(line, places[letter]) for line in problem.lines for letter in letters}

    def _unknown_departments(self, lines: list[ReadLine]) -> list[Problem]:
        """One question for each unknown name, wherever it first stands, with all the lines it concerns."""
        concerned: dict[str, list[int]] = {}
        first: dict[str, tuple[str, str, str, bool]] = {}
        for line in lines:
            for role in (ColumnRole.CHECK_DEPARTMENT, ColumnRole.PENALTY_DEPARTMENT, ColumnRole.PARTNERS):
                text = self.reading.text(line, role)
                if not text or (role == ColumnRole.PENALTY_DEPARTMENT and self._is_no_department(line)):
                    continue
                if role != ColumnRole.CHECK_DEPARTMENT and plain(text) in NOTHING:
                    continue
                named = self._named(text)
                if is_open_ended(text) and named.departments:
                    self._note(f"“{plain(text)}”未列全部门，只计入写明的部门。")
                for name in named.unknown:
                    reason = "不知道这是哪个部门"
                    if DELEGATED_TOWN.match(name):
                        reason = "检查事项须由具体部门实施，不能是承接处罚权的镇街"
                    alone = role != ColumnRole.PARTNERS and len(named.departments) + len(named.unknown) == 1
                    first.setdefault(name, (self.reading.cell(line, role), text, reason, alone))
                    concerned.setdefault(name, []).append(line.line)
        problems = []
        for name, where in concerned.items():
            cell, text, reason, alone = first[name]
            more = [] if alone else [Choice(NOBODY, "不是具体部门，不计入")]
            if self.may_create and split_departments(name) and not DELEGATED_TOWN.match(name):
                more.append(Choice(NEW, f"新增部门“{name}”"))
            shown = name if plain_name(text) != name else text
            problems.append(self.question(f"department:{name}", cell, shown, reason, where, *more))
        return problems

    def _cells(self, lines: list[ReadLine]) -> list[Problem]:
        """What a line cannot do without and the sheet does not print."""
        all_lines = [line.line for line in lines]
        problems = []
        top = self.reading.header.top
        if not self.reading.has(ColumnRole.CHECK_DEPARTMENT):
            reason = "没有部门一列，这些事项由哪个部门实施"
            problems.append(self.question(CHECK_OF_ALL, f"A{top}", "", reason, all_lines))
        listed = [
            line
            for line in lines
            if self.reading.text(line, ColumnRole.PENALTY) and not self.reading.lists_nothing(line)
        ]
        if listed and not self.reading.has(ColumnRole.PENALTY_DEPARTMENT):
            reason = "没有处罚实施部门一列，这些处罚由哪个部门实施"
            same = Choice(SAME, "与检查实施部门相同")
            problems.append(
                self.question(PENALTY_OF_ALL, f"A{top}", "", reason, [line.line for line in listed], same)
            )
        for line in lines:
            problems += self._line_problems(line)
        return problems

    def _line_problems(self, line: ReadLine) -> list[Problem]:
        reading, problems = self.reading, []

        def ask(
            role: ColumnRole, reason: str, *choices: Choice, key: str = "", by_department: bool = False
        ) -> None:
            cell = reading.cell(line, role)
            key = key or f"cell:{cell}"
            if by_department:
                problems.append(self.question(key, cell, "", reason, [line.line], *choices))
            else:
                problems.append(Problem(reading.sheet, cell, "", reason, key, (line.line,), choices))

        def blank(role: ColumnRole) -> bool:
            """Printed blank, and no longer asked whose text it shares."""
            open_still = (line.line, reading.header.column(role)) in self.open
            return reading.has(role) and not reading.text(line, role) and not open_still

        part = plain(reading.text(line, ColumnRole.PART))
        if part and part not in PART_WORDS:
            ask(ColumnRole.PART, f"“{part}”不是发起或配合")
        if blank(ColumnRole.CHECK_DEPARTMENT):
            ask(ColumnRole.CHECK_DEPARTMENT, "“检查实施部门”空白，由哪个部门实施", by_department=True)
        if self._is_partner(line):
            return problems
        if blank(ColumnRole.CHECK):
            ask(ColumnRole.CHECK, "“检查事项”空白，无法导入这一行")
        if reading.lists_nothing(line):
            if blank(ColumnRole.PENALTY):
                reason = "处罚事项和处罚实施部门都是空白，且不是合并单元格"
                ask(ColumnRole.PENALTY, reason, NO_PENALTY_CHOICE, key=f"penalty:{line.line}")
        elif blank(ColumnRole.PENALTY):
            ask(ColumnRole.PENALTY, "“处罚事项”空白", NO_PENALTY_CHOICE, key=f"penalty:{line.line}")
        elif blank(ColumnRole.PENALTY_DEPARTMENT):
            ask(ColumnRole.PENALTY_DEPARTMENT, "“处罚实施部门”空白，由哪个部门处罚", by_department=True)
        return problems

    def _note(self, note: str) -> None:
        if note not in self.notes:
            self.notes.append(note)

    # --- meanings ----------------------------------------------------------------------------------

    def _identity(self, name: str) -> Hashable:
        """The same for two names of one department, registered or not."""
        found = self.names.get(name)
        return found.code if found else core_of(name, self.names.places)

    def _named(self, text: str) -> _Named:
        whole = self.names.get(text)
        if whole:
            return _Named([whole], [])
        names = split_departments(text) or [plain_name(text)]
        found = {name: self.names.get(name) for name in names}
        return _Named(
            [each for each in found.values() if each], [name for name, each in found.items() if not each]
        )

    def _meant(self, text: str) -> list[Department]:
        """The departments a cell names, in the printed order; nobody where it was so answered."""
        whole = self.names.get(text)
        names = [text] if whole else split_departments(text) or [plain_name(text)]
        meant = [found for name in names if (found := self.department(name))]
        return list({(each.pk, each.name): each for each in meant}.values())

    def _is_no_department(self, line: ReadLine) -> bool:
        text = plain(self.reading.text(line, ColumnRole.PENALTY_DEPARTMENT))
        return bool(DELEGATED_TOWN.match(text)) or self.reading.lists_nothing(line)

    def _is_partner(self, line: ReadLine) -> bool:
        return plain(self.reading.text(line, ColumnRole.PART)) in PARTNER_WORDS

    def _rows(self, line: ReadLine) -> list[ResolvedRow]:
        """A row for each department the line names: those that implement the check, then those that join."""
        own = self._meant(self.reading.text(line, ColumnRole.CHECK_DEPARTMENT)) or [
            found
            for key in (f"cell:{self.reading.cell(line, ColumnRole.CHECK_DEPARTMENT)}", CHECK_OF_ALL)
            if (found := self.chosen(key))
        ]
        nothing = Body(PenaltyBodyKind.NONE)
        if self._is_partner(line):
            return [ResolvedRow(line, RowPart.PARTNER, department, nothing) for department in own]
        rows = [
            ResolvedRow(line, RowPart.IMPLEMENTING, department, body)
            for department in own
            for body in self._bodies(line, department)
        ]
        partners = self.reading.text(line, ColumnRole.PARTNERS)
        joining = self._meant(partners) if partners and plain(partners) not in NOTHING else []
        taken = {(department.pk, department.name) for department in own}
        return rows + [
            ResolvedRow(line, RowPart.PARTNER, department, nothing)
            for department in joining
            if (department.pk, department.name) not in taken
        ]

    def _bodies(self, line: ReadLine, inspects: Department) -> list[Body]:
        """Who punishes: of several departments the one that inspects, where it is among them."""
        if self.reading.lists_nothing(line) or self.answers.get(f"penalty:{line.line}") == NO_PENALTY:
            return [Body(PenaltyBodyKind.NONE)]
        text = self.reading.text(line, ColumnRole.PENALTY_DEPARTMENT)
        town = DELEGATED_TOWN.match(plain(text))
        if town:
            listing = DelegationList.FIRE if town.group(1) else DelegationList.GENERAL
            return [Body(PenaltyBodyKind.DELEGATED_TOWN, delegation_list=listing)]
        punishing = self._meant(text) if text else []
        if not punishing:
            keys = (f"cell:{self.reading.cell(line, ColumnRole.PENALTY_DEPARTMENT)}", PENALTY_OF_ALL)
            punishing = [found for key in keys if (found := self.chosen(key))] or [inspects]
        own = [department for department in punishing if department == inspects]
        return [Body(PenaltyBodyKind.DEPARTMENT, department) for department in own or punishing]
