"""Celery's doors into this app: thin, ids only, safe to run twice."""

from celery import shared_task

from inspections.services import contributions, due_checks, merge, ticking


@shared_task(name="inspections.tasks.generate_tasks")
def generate_tasks(job_id: str) -> None:
    merge.generate(job_id)


@shared_task(name="inspections.tasks.close_due_ticking", expires=10)
def close_due_ticking() -> int:
    return ticking.close_due()


@shared_task(name="inspections.tasks.remind_due_ticking", expires=300)
def remind_due_ticking() -> int:
    return ticking.remind_due()


@shared_task(name="inspections.tasks.advance_due_draws", expires=10)
def advance_due_draws() -> int:
    return contributions.advance_due()


@shared_task(name="inspections.tasks.open_due_checks", expires=3600)
def open_due_checks() -> int:
    return due_checks.open_due_checks()
