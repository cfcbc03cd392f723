"""What importing a row would do: asked when the row is read, and again when it is written."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from django.db.models import F, Max, Min, Window
from django.db.models.fields.json import KT

from core.enums import Verdict
from core.errors import DomainError
from core.models import ImportRun, StagedRow
from core.registers.register import Existing, Register, Row, Values

Errors = Mapping[str, list[str]]


@dataclass(frozen=True)
class Judgement:
    """A row's verdict; `before`: field → what the register says, of those that would change."""

    verdict: Verdict
    before: Values
    errors: Errors
    remarks: Mapping[str, str]


def judge(register: Register, values: Values, errors: Errors, known: Existing | None) -> Judgement:
    """The row against what the register has for it; `errors` are those of its cells."""
    found = register.check(values, known)
    told = {**known.errors, **found.errors} if known else found.errors
    errors = {name: ["", reason] for name, reason in told.items()} | dict(errors)
    remarks = {**known.remarks, **found.remarks} if known else found.remarks
    if errors:
        return Judgement(Verdict.FAULTY, {}, errors, remarks)
    if known is None:
        return Judgement(Verdict.NEW, {}, {}, remarks)
    before = {
        name: known.values.get(name)
        for name, value in values.items()
        if name in known.values and known.values[name] != value
    }
    return Judgement(Verdict.CHANGED if before else Verdict.UNCHANGED, before, {}, remarks)


def require_same(register: Register, row: Row, known: Existing | None) -> None:
    """Raise DomainError, naming the line, unless writing the row does what its preview said.

    `known` is what the register has for it now, under lock.
    """
    now = judge(register, row.values, {}, known)
    if now.errors:
        _, reason = next(iter(now.errors.values()))
    elif now.verdict == row.verdict and now.before == row.before:
        return
    elif row.verdict == Verdict.NEW:
        reason = "预览后已由他人登记"
    else:
        reason = "预览后已由他人变更" if known else "原有的登记已不在"
    raise DomainError(f"第{row.line}行与现在的登记不符：{reason}。请重新上传。")


def alike(run: ImportRun, *fields: str) -> Iterator[tuple[StagedRow, int]]:
    """Rows without errors that say the same in these fields as another one, each with the line of one such."""
    same = [KT(f"values__{name}") for name in fields]
    rows = (
        run.rows.exclude(verdict=Verdict.FAULTY)
        .filter(values__has_keys=list(fields))
        .annotate(
            first=Window(Min("line"), partition_by=same),
            last=Window(Max("line"), partition_by=same),
        )
        .filter(first__lt=F("last"))
    )
    for row in rows.order_by("line"):
        if all(row.values[name] for name in fields):
            yield row, row.last if row.line == row.first else row.first
