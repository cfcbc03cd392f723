"""Celery's doors into this app: thin, ids only, safe to run twice."""

from celery import shared_task

from core.registers import reading, writing
from scenarios.services import uploads
from scenarios.services.delegations.register import DELEGATIONS


@shared_task(name=DELEGATIONS.read_task)
def read_delegations(job_id: str) -> None:
    reading.read(job_id, DELEGATIONS)


@shared_task(name=DELEGATIONS.write_task)
def write_delegations(job_id: str) -> None:
    writing.write(job_id, DELEGATIONS)


@shared_task(name="scenarios.tasks.forget_uploads", expires=600)
def forget_uploads() -> int:
    """Give up uploads nobody came back to."""
    return uploads.forget_old()
