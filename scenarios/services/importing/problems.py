"""What an import cannot decide by itself: questions naming sheet, cell and reason, and their answers.

An answer is a word: one of the constants here, `department:<code>`, or, for cells printed blank, whose
text they share (`above`, `below`, `from:<row>`, `line:<row>`).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from core.errors import DomainError

LEAVE_OUT = "leave-out"
NO_PENALTY = "no-penalty"
BLANK = "blank"
CONFIRMED = "confirmed"
# What was inferred shall rather be asked, cell by cell.
ASK = "ask"
# The printed name is registered as a new department.
NEW = "new"
# The printed words name no particular department.
NOBODY = "nobody"
DEPARTMENT = "department:"
ABOVE, BELOW, FROM, LINE = "above", "below", "from:", "line:"


@dataclass(frozen=True)
class Choice:
    value: str
    label: str


@dataclass(frozen=True)
class Problem:
    """One question. `key` names it in answers; `lines` are the sheet's rows it concerns.

    `choices` are the answers that fit; `by_department` says that any department does too, the likely
    ones standing among the choices. The rows may be left out as well, unless `keeps_rows`. `proposal` is
    the choice to show first, never taken without a person.
    """

    sheet: str
    cell: str
    text: str
    reason: str
    key: str
    lines: tuple[int, ...] = ()
    choices: tuple[Choice, ...] = ()
    by_department: bool = False
    keeps_rows: bool = False
    proposal: str = ""

    def __str__(self) -> str:
        printed = f"“{self.text}”" if self.text else ""
        return f"工作表“{self.sheet}”单元格 {self.cell}{printed}：{self.reason}"


class UnresolvedError(DomainError):
    """Nothing was saved: every problem wants an answer first."""

    def __init__(self, problems: Sequence[Problem]):
        self.problems = list(problems)
        first = "；".join(str(problem) for problem in self.problems[:3])
        more = f"……共 {len(self.problems)} 处" if len(self.problems) > 3 else ""
        super().__init__(
            f"有 {len(self.problems)} 处无法确定，未保存任何内容：{first}{more}。", code="unresolved"
        )
