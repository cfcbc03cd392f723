"""An import from its upload to its end: begin, confirm, throw away, expire."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.db.models import Max, QuerySet
from django.utils import timezone

from core import files, jobs
from core.enums import IMPORT_TRANSITIONS, ImportState
from core.errors import DomainError
from core.models import BackgroundJob, ImportRun, StagedRow, StoredFile
from core.registers.register import Register

DISCARDABLE = (ImportState.READING, ImportState.READY, ImportState.REFUSED)
ENDED = (ImportState.DONE, ImportState.STOPPED)


def of(register: Register, actor: str) -> QuerySet[ImportRun]:
    """The account's own imports into this register; nobody else sees what a workbook said."""
    return ImportRun.objects.filter(register=register.name, actor=actor).select_related("file")


@transaction.atomic
def begin(register: Register, upload: UploadedFile, *, actor: Any) -> ImportRun:
    """Keep the workbook and have it read in the background; the register stays as it is.

    Raises PermissionDenied, or DomainError for an empty or too large file.
    """
    register.require(actor)
    data = files.read_upload(upload)
    stored = files.store(data, name=upload.name, content_type=files.WORKBOOK_TYPE)
    run = ImportRun.objects.create(register=register.name, actor=actor.key, file=stored)
    jobs.start(kind="read_import", subject=run.subject, task=register.read_task, params={"run": str(run.pk)})
    return run


@transaction.atomic
def confirm(run: ImportRun, register: Register, *, actor: Any, leave_out: bool = False) -> BackgroundJob:
    """Have the staged rows written in the background: all of them, or with `leave_out` those without errors.

    Raises DomainError when rows are faulty and nobody said to leave them out, or nothing would change.
    """
    register.require(actor)
    run = ImportRun.objects.select_for_update().get(pk=run.pk)
    if ImportState.WRITING not in IMPORT_TRANSITIONS[run.state]:
        raise DomainError(f"此次导入{run.get_state_display()}，不能再确认。")
    if run.faulty and not leave_out:
        raise DomainError(
            f"有 {run.faulty:,} 行有误，没有导入任何一行。请更正后重新上传，或选择只导入没有错误的行。"
        )
    if not run.new + run.changed:
        raise DomainError("没有需要新增或更新的行，不必导入。")
    run.state, run.leaves_out = ImportState.WRITING, bool(run.faulty)
    run.save(update_fields=["state", "leaves_out"])
    return jobs.start(
        kind="write_import",
        subject=run.subject,
        task=register.write_task,
        params={"run": str(run.pk)},
        total=run.rows.aggregate(last=Max("line"))["last"],
    )


@transaction.atomic
def discard(run: ImportRun) -> None:
    """Throw away what was read, and the file. Raises DomainError once writing began."""
    run = ImportRun.objects.select_for_update().select_related("file").get(pk=run.pk)
    if run.state not in DISCARDABLE:
        raise DomainError(f"此次导入{run.get_state_display()}，不能放弃。")
    _delete(run)


@transaction.atomic
def retry(run: ImportRun) -> None:
    """Have a job that gave up go on from where it stands."""
    job = newest_job(run)
    if job is None:
        raise DomainError("没有可以继续的导入。")
    jobs.retry(job)


def newest_job(run: ImportRun) -> BackgroundJob | None:
    return BackgroundJob.objects.filter(subject=run.subject).order_by("-created_at").first()


def imported_before(run: ImportRun) -> ImportRun | None:
    """The newest import of a file with the same content that was finished, whoever did it."""
    return (
        ImportRun.objects.filter(
            register=run.register,
            state=ImportState.DONE,
            file__digest=run.file.digest,
            file__algorithm=run.file.algorithm,
        )
        .exclude(pk=run.pk)
        .first()
    )


def expire() -> int:
    """Throw away what nobody confirmed in IMPORT_KEPT_DAYS, and the staged rows of what was imported by then.

    Of an import that ended the file, its digest and the counts stay.
    """
    old = timezone.now() - timedelta(days=settings.IMPORT_KEPT_DAYS)
    StagedRow.objects.filter(run__state__in=ENDED, run__finished_at__lt=old).delete()
    expired = ImportRun.objects.filter(state__in=DISCARDABLE, created_at__lt=old)
    count = 0
    for pk in list(expired.values_list("pk", flat=True)):
        with transaction.atomic():
            run = expired.select_for_update(skip_locked=True, of=("self",)).select_related("file")
            for found in run.filter(pk=pk):
                _delete(found)
                count += 1
    return count


def _delete(run: ImportRun) -> None:
    stored: StoredFile = run.file
    run.delete()
    stored.delete()
    transaction.on_commit(lambda: stored.file.storage.delete(stored.file.name))
