"""What the printed cells mean: departments by any of their names, and the two 赋权 phrases."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from core.spreadsheets import coordinate
from departments.models import Department
from departments.services import known_names
from scenarios.enums import ColumnRole, DelegationList, PenaltyBodyKind
from scenarios.services.problems import Answer, Problem
from scenarios.services.reading import NOTHING, Reading, ReadRow, plain

# 承接行政处罚权的乡镇（街道）, 承接消防行政处罚权的乡镇（街道）: two lists, never one (晋政民〔2024〕75号附件).
DELEGATED_TOWN = re.compile(
    r"^承接(消防)?行政处罚权的(?:乡镇|镇街|镇|乡|街道)(?:[（(、/]?(?:街道|镇)[）)]?)?$"
)
# A text naming several departments is never remembered as another name of one of them.
SEVERAL = re.compile(r"[、，,；;/]|和|及|会同")


@dataclass(frozen=True)
class Body:
    """Who implements a row's penalty."""

    kind: PenaltyBodyKind
    department: Department | None = None
    delegation_list: str = ""


@dataclass(frozen=True)
class ResolvedRow:
    read: ReadRow
    check_department: Department
    body: Body


class Resolver:
    """Resolve a reading's rows with the answers given so far; collects what remains to be asked."""

    def __init__(
        self,
        reading: Reading,
        *,
        answers: Mapping[str, Department],
        leave_out: Collection[str],
        no_penalty: Collection[str],
    ):
        self.reading = reading
        self.answers = answers
        self.leave_out = set(leave_out)
        self.no_penalty = set(no_penalty)
        self.names = known_names()
        self.problems: list[Problem] = []
        # Printed names that an answer made known; they become aliases.
        self.learnt: dict[str, Department] = {}

    def resolve(self) -> tuple[list[ResolvedRow], set[int]]:
        """The rows that stay, and the lines left out on purpose; see `problems` before using them."""
        unknown = self._unknown_departments()
        questions = [*self.reading.problems, *unknown]
        left_out = {line for problem in questions if problem.key in self.leave_out for line in problem.lines}
        left_out |= {row.line for row in self.reading.rows if f"row:{row.line}" in self.leave_out}
        self.problems = [problem for problem in questions if not self._settled(problem, left_out)]
        if self.problems:
            return [], left_out
        rows = [
            ResolvedRow(row, self._check_department(row), self._body(row))
            for row in self.reading.rows
            if row.line not in left_out
        ]
        return rows, left_out

    def department(self, text: str, cell: str = "") -> Department | None:
        """The department meant by a printed name, or chosen for it or for its blank cell."""
        name = plain(text)
        return (
            (self.names.get(name) or self.answers.get(f"department:{name}"))
            if name
            else self.answers.get(cell)
        )

    def learn(self, name: str, department: Department) -> None:
        """Remember a printed name as an alias, unless it says more than one department's name."""
        if name and len(name) <= 128 and not (SEVERAL.search(name) or DELEGATED_TOWN.match(name)):
            self.learnt[name] = department

    def _settled(self, problem: Problem, left_out: set[int]) -> bool:
        if problem.key in self.leave_out or (problem.lines and left_out.issuperset(problem.lines)):
            return True
        if problem.answer == Answer.DEPARTMENT and problem.key in self.answers:
            kind, _, name = problem.key.partition(":")
            if kind == "department":
                self.learn(name, self.answers[problem.key])
            return True
        return problem.answer == Answer.NO_PENALTY and problem.key in self.no_penalty

    def _unknown_departments(self) -> list[Problem]:
        """One question for each unknown name, wherever it first stands, with all the rows it concerns."""
        lines: dict[str, list[int]] = {}
        first: dict[str, tuple[str, str, str]] = {}
        for row in self.reading.rows:
            for column in (ColumnRole.CHECK_DEPARTMENT, ColumnRole.PENALTY_DEPARTMENT):
                text = row.text(column)
                name = plain(text)
                town = DELEGATED_TOWN.match(name)
                if not name or name in self.names:
                    continue
                if column == ColumnRole.PENALTY_DEPARTMENT and (town or self._lists_nothing(row)):
                    continue
                reason = "不知道这是哪个部门"
                if town:
                    reason = "检查事项须由具体部门实施，不能是承接处罚权的镇街"
                first.setdefault(name, (row.cells[column].cell, text, reason))
                lines.setdefault(name, []).append(row.line)
        return [
            Problem(
                self.reading.sheet,
                *first[name],
                f"department:{name}",
                tuple(dict.fromkeys(where)),
                Answer.DEPARTMENT,
            )
            for name, where in lines.items()
        ]

    def _check_department(self, row: ReadRow) -> Department:
        return self._found(row, ColumnRole.CHECK_DEPARTMENT)

    def _body(self, row: ReadRow) -> Body:
        if self._lists_nothing(row):
            return Body(PenaltyBodyKind.NONE)
        town = DELEGATED_TOWN.match(plain(row.text(ColumnRole.PENALTY_DEPARTMENT)))
        if town:
            listing = DelegationList.FIRE if town.group(1) else DelegationList.GENERAL
            return Body(PenaltyBodyKind.DELEGATED_TOWN, delegation_list=listing)
        return Body(PenaltyBodyKind.DEPARTMENT, self._found(row, ColumnRole.PENALTY_DEPARTMENT))

    def _found(self, row: ReadRow, column: ColumnRole) -> Department:
        where = coordinate(row.line, self.reading.header.columns[column])
        department = self.department(row.text(column), f"cell:{where}")
        if department is None:
            raise LookupError(f"{column} in line {row.line} was never asked about")
        return department

    @staticmethod
    def _lists_nothing(row: ReadRow) -> bool:
        texts = (row.text(ColumnRole.PENALTY), row.text(ColumnRole.PENALTY_DEPARTMENT))
        return all(not text or plain(text) in NOTHING for text in texts)
