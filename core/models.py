"""Technical models only; nothing here knows a domain noun."""

import uuid

from django.db import models
from django.utils import timezone

from core.enums import JobState


def upload_path(stored: "StoredFile", name: str) -> str:
    """Files lie under their month and id; the user's own file name is data, never a path."""
    return f"{stored.created_at:%Y/%m}/{stored.pk}"


class StoredFile(models.Model):
    """An uploaded file with its digest. Reached only through the view of the object that owns it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    file = models.FileField(upload_to=upload_path)
    name = models.CharField("文件名", max_length=255)
    content_type = models.CharField(max_length=100)
    size = models.PositiveBigIntegerField("字节数")
    digest = models.CharField("摘要", max_length=128)
    algorithm = models.CharField("摘要算法", max_length=16)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    def __str__(self) -> str:
        return self.name


class NumberSeries(models.Model):
    """The last number given out by an issuer for one kind of paper in one year."""

    issuer = models.CharField(max_length=64)
    kind = models.CharField(max_length=64)
    year = models.PositiveSmallIntegerField()
    last = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["issuer", "kind", "year"], name="core_one_series_per_year"),
        ]

    def __str__(self) -> str:
        return f"{self.issuer} {self.kind} {self.year}: {self.last}"


class BackgroundJob(models.Model):
    """A long piece of work that knows its own state; the queue is only a hint (core/jobs.py)."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=64)
    subject = models.CharField("对象键", max_length=128)
    task = models.CharField("Celery 任务名", max_length=200)
    params = models.JSONField(default=dict)
    state = models.CharField(max_length=10, choices=JobState, default=JobState.QUEUED)
    done = models.PositiveIntegerField("已完成", default=0)
    total = models.PositiveIntegerField("总数", default=0)
    error = models.TextField(blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    lease_token = models.UUIDField(null=True)
    lease_until = models.DateTimeField(null=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "subject"],
                condition=models.Q(state__in=[JobState.QUEUED, JobState.RUNNING]),
                name="core_one_active_job_per_subject",
            ),
        ]
        indexes = [
            models.Index(
                fields=["lease_until"],
                condition=models.Q(state__in=[JobState.QUEUED, JobState.RUNNING]),
                name="core_active_jobs",
            ),
            models.Index(fields=["subject", "kind"], name="core_job_subject"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.subject} {self.state}"

    @property
    def is_active(self) -> bool:
        return self.state in (JobState.QUEUED, JobState.RUNNING)


class WorkerHeartbeat(models.Model):
    """When a Celery worker last ran the beat's task; /healthz reads it."""

    name = models.CharField(max_length=200, primary_key=True)
    beat_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.name} {self.beat_at:%H:%M:%S}"
