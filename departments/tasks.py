"""Celery's doors into this app: thin, ids only, safe to run twice."""

from celery import shared_task

from departments.services import certificates


@shared_task(name="departments.tasks.warn_of_certificates", expires=600)
def warn_of_certificates() -> int:
    return certificates.warn()
