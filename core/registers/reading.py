"""From the uploaded workbook to staged rows: read, parse, compare with the register, COPY.

A background job. A chunk of rows is one transaction with its progress, so a worker killed anywhere
goes on behind the last row staged; what concerns the whole file (doubled keys, counts) is settled
at the end, in SQL.
"""

import json
import logging
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.postgres.aggregates import ArrayAgg
from django.db import connection, transaction
from django.db.models import Count, Max

from core import jobs
from core.enums import ImportState, Verdict
from core.errors import DomainError
from core.models import BackgroundJob, ImportRun, StagedRow
from core.registers.columns import CLEAR, CONTROL, Column
from core.registers.judging import judge
from core.registers.register import Existing, Register, Values
from core.spreadsheets.rows import Table, open_table, printed

logger = logging.getLogger(__name__)

SHOWN = 200
encode = json.JSONEncoder(ensure_ascii=False).encode
COPY = """
    COPY core_stagedrow (run_id, line, key, verdict, "values", before, errors, remarks) FROM STDIN
"""
NAMED = 6
# By primary key, so that it costs the same whatever the planner believes of rows just copied.
MARK = """
    UPDATE core_stagedrow AS staged
    SET verdict = 'FAULTY', before = '{}',
        errors = staged.errors || jsonb_build_object(
            (SELECT name FROM unnest(%(fields)s::text[]) WITH ORDINALITY AS given(name, place)
             WHERE staged.values ? name ORDER BY place LIMIT 1),
            jsonb_build_array('', doubled.reason))
    FROM unnest(%(lines)s::integer[], %(reasons)s::text[]) AS doubled(line, reason)
    WHERE staged.run_id = %(run)s AND staged.line = doubled.line
"""


def read(job_id: str | UUID, register: Register) -> None:
    """Stage the run's rows from where the job stands; safe to call twice, at once, and after a crash."""
    job = jobs.claim(job_id)
    if job is None:
        return
    run = ImportRun.objects.select_related("file").filter(pk=job.params["run"]).first()
    try:
        if run is None:  # thrown away meanwhile
            jobs.finish(job)
            return
        _read(job, run, register)
    except jobs.LeaseLostError:
        logger.info("导入读取由另一进程接管：%s", job_id)
    except DomainError as refusal:
        _refuse(job, run, refusal.message)
    except Exception as error:
        logger.exception("导入读取中断：%s", job_id)
        jobs.release(job, str(error))


def _read(job: BackgroundJob, run: ImportRun, register: Register) -> None:
    register = register.told_to(run.actor)
    columns = {column.name: column for column in register.columns(run.actor)}
    with run.file.file.open("rb") as file:
        data = file.read()
    headings = {name: (column.heading, *column.aliases) for name, column in columns.items()}
    required = [name for name, column in columns.items() if column.required]
    with open_table(data, run.file.name, headings, required=required) as table:
        _note_table(run, table)
        given = [columns[name] for name in table.positions]
        staged = run.rows.aggregate(last=Max("line"))["last"] or 0
        lines = (line for line in table.lines if line[0] > staged)
        while chunk := list(islice(lines, settings.IMPORT_CHUNK)):
            _stage(job, run, register, given, chunk, table.last_line)
    _finish(job, run, register)


def _note_table(run: ImportRun, table: Table) -> None:
    notes = list(table.notes)
    if table.unknown:
        notes.append(f"以下列不在登记内容之中，未读取：{'、'.join(table.unknown)}。")
    run.sheet, run.columns, run.notes = table.sheet, table.positions, notes
    run.save(update_fields=["sheet", "columns", "notes"])


@transaction.atomic
def _stage(
    job: BackgroundJob,
    run: ImportRun,
    register: Register,
    columns: list[Column],
    lines: Sequence[tuple[int, Sequence[Any]]],
    last_line: int,
) -> None:
    last = lines[-1][0]
    jobs.advance(job, done=last, total=max(last_line, last))
    # Whoever throws the run away waits for this chunk, or has done so already.
    ImportRun.objects.select_for_update().get(pk=run.pk)
    parsed = [parse(columns, cells) for _, cells in lines]
    existing = register.match([values for values, _ in parsed])
    with connection.cursor() as cursor, cursor.copy(COPY) as copy:
        for (line, _), (values, errors), known in zip(lines, parsed, existing, strict=True):
            copy.write_row((run.pk, line, *_judged(register, values, errors, known)))


def parse(columns: Iterable[Column], cells: Sequence[Any]) -> tuple[Values, dict[str, list[str]]]:
    """The row's values, and field → [what the cell shows, what is wrong with it]."""
    values: Values = {}
    errors: dict[str, list[str]] = {}
    for column, cell in zip(columns, cells, strict=True):
        if cell is None or cell == "" or (type(cell) is str and not cell.strip()):
            if column.required:
                errors[column.name] = ["", "必填，不能为空"]
        elif cell == CLEAR and (column.required or column.lasting):
            errors[column.name] = [CLEAR, "不能清空"]
        elif cell == CLEAR:
            values[column.name] = column.kind.empty
        else:
            try:
                values[column.name] = column.kind.parse(cell)
            except ValueError as reason:
                errors[column.name] = [CONTROL.sub("", printed(cell))[:SHOWN], str(reason)]
    return values, errors


def _judged(register: Register, values: Values, errors: dict, known: Existing | None) -> Iterator[str]:
    """The rest of a staged row: key, verdict and what there is to show, as COPY takes them."""
    found = judge(register, values, errors, known)
    # Two rows that lead to one thing of the register are double, by whatever key they found it.
    yield f"#{known.pk}" if known and known.pk else register.key(values)
    yield found.verdict.value
    for part in (values, found.before, found.errors, found.remarks):
        yield encode(part) if part else "{}"


@transaction.atomic
def _finish(job: BackgroundJob, run: ImportRun, register: Register) -> None:
    jobs.advance(job, done=job.done, total=job.done)
    _mark_doubled(run, register)
    for line, errors in list(register.check_together(run)):
        wrong = {name: ["", reason] for name, reason in errors.items()}
        run.rows.filter(line=line).update(verdict=Verdict.FAULTY, before={}, errors=wrong)
    counts = dict(run.rows.values_list("verdict").annotate(Count("line")))
    if not counts:
        raise DomainError(f"文件“{run.file.name}”工作表“{run.sheet}”的表头下面没有内容。")
    run.new, run.changed, run.unchanged, run.faulty = (counts.get(verdict, 0) for verdict in Verdict)
    run.state = ImportState.READY
    run.save(update_fields=["new", "changed", "unchanged", "faulty", "state"])
    jobs.finish(job)


def _mark_doubled(run: ImportRun, register: Register) -> None:
    """Rows with the same key are errors, each naming the others' lines."""
    keyed = run.rows.exclude(key="").order_by().values("key")
    doubled = keyed.annotate(lines=ArrayAgg("line", order_by="line")).filter(lines__len__gt=1)
    reasons = {}
    for group in doubled.values_list("lines", flat=True):
        for line in group:
            others = [other for other in group[: NAMED + 1] if other != line][:NAMED]
            more = "等" if len(group) > NAMED + 1 else ""
            reasons[line] = f"与第{'、'.join(map(str, others))}行{more}重复"
    if not reasons:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            MARK,
            {
                "run": run.pk,
                "fields": list(register.key_fields),
                "lines": list(reasons),
                "reasons": list(reasons.values()),
            },
        )


@transaction.atomic
def _refuse(job: BackgroundJob, run: ImportRun, reason: str) -> None:
    StagedRow.objects.filter(run=run).delete()
    run.state, run.refusal = ImportState.REFUSED, reason
    run.save(update_fields=["state", "refusal"])
    jobs.finish(job)
