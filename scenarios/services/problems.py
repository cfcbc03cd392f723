"""What an import cannot decide by itself: questions naming sheet, cell and reason."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from core.errors import DomainError


class Answer(StrEnum):
    """How a problem may be answered besides leaving its rows out."""

    DEPARTMENT = "DEPARTMENT"
    NO_PENALTY = "NO_PENALTY"
    NONE = "NONE"


@dataclass(frozen=True)
class Problem:
    """One question. `key` names it in answers; `lines` are the sheet's rows it concerns.

    Leaving a problem out leaves all its rows out; a problem without rows concerns the whole sheet.
    """

    sheet: str
    cell: str
    text: str
    reason: str
    key: str
    lines: tuple[int, ...] = ()
    answer: Answer = Answer.NONE

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
