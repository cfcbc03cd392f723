"""Celery's doors into this app: thin, ids only, safe to run twice."""

from celery import shared_task

from core.registers import reading, writing
from institutions.services.importing import INSTITUTIONS


@shared_task(name="institutions.tasks.read_import")
def read_import(job_id: str) -> None:
    reading.read(job_id, INSTITUTIONS)


@shared_task(name="institutions.tasks.write_import")
def write_import(job_id: str) -> None:
    writing.write(job_id, INSTITUTIONS)
