"""Celery, configured by the settings' CELERY_ names."""

import os

from celery import Celery
from celery.signals import worker_ready

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")

app = Celery("portal")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@worker_ready.connect
def beat_at_once(**_) -> None:
    """Show up in /healthz as soon as the worker is ready, not at beat's next tick."""
    app.send_task("core.tasks.record_worker_heartbeat")
