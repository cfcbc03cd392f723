"""From staged rows into the register, without reading the file again. A background job like `reading`:
a chunk of rows is one transaction with its ledger entries and its progress."""

import logging
from uuid import UUID

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Count
from django.utils import timezone

from core import jobs
from core.enums import ImportState, Verdict
from core.errors import DomainError
from core.models import BackgroundJob, ImportRun
from core.registers.register import Register, Row

logger = logging.getLogger(__name__)


def write(job_id: str | UUID, register: Register) -> None:
    """Write the run's rows from where the job stands; safe to call twice, at once, and after a crash."""
    job = jobs.claim(job_id)
    if job is None:
        return
    try:
        run = ImportRun.objects.select_related("file").get(pk=job.params["run"])
        _write(job, run, register)
    except jobs.LeaseLostError:
        logger.info("导入由另一进程接管：%s", job_id)
    except Exception as error:
        logger.exception("导入中断：%s", job_id)
        jobs.release(job, str(error))


def _write(job: BackgroundJob, run: ImportRun, register: Register) -> None:
    """To the end, or to the chunk with a line that may not be written any more: trying again would not help."""
    try:
        while job.done < job.total:
            _write_chunk(job, run, register)
    except (DomainError, PermissionDenied) as refusal:
        _stop(job, run, register, str(refusal) or "您无权写入。")
    else:
        _finish(job, run, register)


@transaction.atomic
def _write_chunk(job: BackgroundJob, run: ImportRun, register: Register) -> None:
    """The next lines; `done` counts lines of the sheet, so that it is exact whatever they hold."""
    first, last = job.done, min(job.done + settings.IMPORT_CHUNK, job.total)
    jobs.advance(job, done=last)
    rows = run.rows.filter(line__gt=first, line__lte=last, verdict__in=[Verdict.NEW, Verdict.CHANGED])
    rows = [Row(*row) for row in rows.order_by("line").values_list("line", "verdict", "values", "before")]
    if rows:
        register.write(run, rows)


@transaction.atomic
def _finish(job: BackgroundJob, run: ImportRun, register: Register) -> None:
    jobs.finish(job)
    run.state, run.finished_at = ImportState.DONE, timezone.now()
    run.save(update_fields=["state", "finished_at"])
    register.finish(run)


@transaction.atomic
def _stop(job: BackgroundJob, run: ImportRun, register: Register, reason: str) -> None:
    """End the run where it stands: chunks that were written stay, and are what the run is said to have done."""
    job.refresh_from_db(fields=["done"])
    jobs.finish(job)
    rows = run.rows.filter(verdict__in=[Verdict.NEW, Verdict.CHANGED])
    run.unwritten, _ = rows.filter(line__gt=job.done).delete()
    counts = dict(rows.values_list("verdict").annotate(Count("line")))
    run.new, run.changed = counts.get(Verdict.NEW, 0), counts.get(Verdict.CHANGED, 0)
    run.state, run.refusal, run.finished_at = ImportState.STOPPED, reason, timezone.now()
    run.save(update_fields=["new", "changed", "unwritten", "state", "refusal", "finished_at"])
    if run.rows_written:
        register.finish(run)
