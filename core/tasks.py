from celery import shared_task
from django.utils import timezone

from core import jobs
from core.models import WorkerHeartbeat
from core.registers import runs


@shared_task(name="core.tasks.record_worker_heartbeat", bind=True, expires=10)
def record_worker_heartbeat(self) -> None:
    """Proof that beat, broker, worker and database work together; read by /healthz."""
    WorkerHeartbeat.objects.update_or_create(
        name=self.request.hostname or "worker", defaults={"beat_at": timezone.now()}
    )


@shared_task(name="core.tasks.sweep_jobs", expires=10)
def sweep_jobs() -> int:
    """Re-enqueue jobs whose message or worker was lost."""
    return jobs.sweep()


@shared_task(name="core.tasks.expire_imports", expires=600)
def expire_imports() -> int:
    """Throw away imports nobody confirmed."""
    return runs.expire()
