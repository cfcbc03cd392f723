"""Background jobs: a row is the truth, a Celery message only a hint that there is work.

A worker claims a job with a lease; every chunk renews it in the chunk's own transaction
(`advance`), so a worker whose lease was taken over cannot write another row. `sweep` re-enqueues
what was lost: never claimed, or claimed by a worker that died.
"""

import uuid
from datetime import timedelta

from celery import current_app
from django.conf import settings
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from core.enums import JobState
from core.models import BackgroundJob

ACTIVE = [JobState.QUEUED, JobState.RUNNING]
GIVEN_UP = "处理进程多次中途退出，已停止重试。"


class LeaseLostError(Exception):
    """Another worker took the job over; the caller's transaction must roll back."""


def start(*, kind: str, subject: str, task: str, params: dict | None = None, total: int = 0) -> BackgroundJob:
    """Create the job, or return the active one of this kind and subject; enqueued on commit."""
    job, created = BackgroundJob.objects.get_or_create(
        kind=kind,
        subject=subject,
        state__in=ACTIVE,
        defaults={"task": task, "params": params or {}, "total": total, "state": JobState.QUEUED},
    )
    if created:
        transaction.on_commit(lambda: enqueue(job), robust=True)
    return job


def enqueue(job: BackgroundJob) -> None:
    """Hint the queue. With the broker down this raises; `sweep` hints again later."""
    current_app.send_task(job.task, [str(job.pk)])


def claim(job_id: str | uuid.UUID) -> BackgroundJob | None:
    """Take the lease of an unclaimed or abandoned job; None when there is nothing to do.

    One that took its workers with it JOB_MAX_ATTEMPTS times, so that none could `release` it, is FAILED.
    """
    now = timezone.now()
    free = BackgroundJob.objects.filter(pk=job_id, state__in=ACTIVE).filter(
        Q(lease_until=None) | Q(lease_until__lt=now)
    )
    free.filter(attempts__gte=settings.JOB_MAX_ATTEMPTS).update(
        state=JobState.FAILED, error=GIVEN_UP, lease_until=None, finished_at=now
    )
    claimed = free.update(
        state=JobState.RUNNING,
        lease_token=uuid.uuid4(),
        lease_until=now + timedelta(seconds=settings.JOB_LEASE_SECONDS),
        attempts=F("attempts") + 1,
    )
    return BackgroundJob.objects.get(pk=job_id) if claimed else None


def advance(job: BackgroundJob, *, done: int, total: int | None = None) -> None:
    """Record progress and renew the lease. Call it first in a chunk's transaction: it locks the job.

    Raises LeaseLostError when another worker holds the job by now.
    """
    values = {"done": done, "lease_until": timezone.now() + timedelta(seconds=settings.JOB_LEASE_SECONDS)}
    if total is not None:
        values["total"] = total
    if not _held(job).update(**values):
        raise LeaseLostError(str(job.pk))
    job.done = done
    if total is not None:
        job.total = total


def finish(job: BackgroundJob) -> None:
    """Mark the job done; raises LeaseLostError like `advance`."""
    if not _held(job).update(state=JobState.DONE, finished_at=timezone.now(), lease_until=None, error=""):
        raise LeaseLostError(str(job.pk))


def release(job: BackgroundJob, error: str) -> None:
    """Give the lease back after an error: tried again by the sweep, FAILED after JOB_MAX_ATTEMPTS."""
    failed = job.attempts >= settings.JOB_MAX_ATTEMPTS
    _held(job).update(
        state=JobState.FAILED if failed else JobState.QUEUED,
        error=error[:2000],
        # A short wait, so that a failing job does not spin.
        lease_until=None if failed else timezone.now() + timedelta(seconds=min(job.attempts * 2, 60)),
        finished_at=timezone.now() if failed else None,
    )


def retry(job: BackgroundJob) -> None:
    """Put a job that gave up back in the queue, from where it stands; enqueued on commit."""
    revived = BackgroundJob.objects.filter(pk=job.pk, state=JobState.FAILED).update(
        state=JobState.QUEUED, attempts=0, lease_until=None, finished_at=None
    )
    if revived:
        transaction.on_commit(lambda: enqueue(job), robust=True)


def sweep() -> int:
    """Re-enqueue every job nobody is working on; returns how many."""
    now = timezone.now()
    lost = BackgroundJob.objects.filter(state__in=ACTIVE).filter(
        Q(lease_until__lt=now)
        | Q(lease_until=None, created_at__lt=now - timedelta(seconds=settings.SWEEP_SECONDS))
    )
    jobs = list(lost)
    for job in jobs:
        enqueue(job)
    return len(jobs)


def _held(job: BackgroundJob) -> QuerySet[BackgroundJob]:
    return BackgroundJob.objects.filter(pk=job.pk, state=JobState.RUNNING, lease_token=job.lease_token)
