"""Celery's doors into this app: thin, ids only, safe to run twice."""

from celery import shared_task

from core.registers import reading, writing
from departments.services import certificates, channels
from departments.services.roster import OFFICERS


@shared_task(name="departments.tasks.warn_of_certificates", expires=600)
def warn_of_certificates() -> int:
    return certificates.warn()


@shared_task(name="departments.tasks.carry_messages", expires=60)
def carry_messages() -> int:
    return channels.carry()


@shared_task(name=OFFICERS.read_task)
def read_officers(job_id: str) -> None:
    reading.read(job_id, OFFICERS)


@shared_task(name=OFFICERS.write_task)
def write_officers(job_id: str) -> None:
    writing.write(job_id, OFFICERS)
