"""Technical models only; nothing here knows a domain noun."""

import uuid

from django.db import models
from django.utils import timezone

from core.enums import ImportState, JobState, Verdict


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


class ImportRun(models.Model):
    """One workbook on its way into a register: read, looked at, confirmed (core/registers)."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    register = models.CharField("登记簿", max_length=32)
    actor = models.CharField("经办人键", max_length=64)
    file = models.ForeignKey(StoredFile, on_delete=models.PROTECT, related_name="import_runs")
    state = models.CharField("状态", max_length=10, choices=ImportState, default=ImportState.READING)
    sheet = models.CharField("工作表", max_length=255, blank=True)
    # Field → which column of the sheet, from 1: where a wrong cell stands.
    columns = models.JSONField(default=dict)
    notes = models.JSONField("读取说明", default=list)
    refusal = models.TextField("无法读取或中止的原因", blank=True)
    new = models.PositiveIntegerField("新增", default=0)
    changed = models.PositiveIntegerField("更新", default=0)
    unchanged = models.PositiveIntegerField("不变", default=0)
    faulty = models.PositiveIntegerField("有误", default=0)
    # Of a stopped run: new and changed rows behind the last one written, which `new` and `changed` leave out.
    unwritten = models.PositiveIntegerField("未写入", default=0)
    leaves_out = models.BooleanField("不导入有误的行", default=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.CheckConstraint(
                condition=~models.Q(state__in=[ImportState.WRITING, ImportState.DONE, ImportState.STOPPED])
                | models.Q(faulty=0)
                | models.Q(leaves_out=True),
                name="core_import_all_or_nothing",
            ),
            models.CheckConstraint(
                condition=~models.Q(state__in=[ImportState.REFUSED, ImportState.STOPPED])
                | ~models.Q(refusal=""),
                name="core_refused_import_says_why",
            ),
        ]
        indexes = [models.Index(fields=["register", "actor", "-created_at"], name="core_imports_of_actor")]

    def __str__(self) -> str:
        return f"{self.register} {self.created_at:%Y-%m-%d %H:%M}"

    @property
    def subject(self) -> str:
        """The subject of this run's background jobs."""
        return f"import:{self.pk}"

    @property
    def fields(self) -> list[str]:
        """The fields the sheet has, from left to right."""
        return sorted(self.columns, key=self.columns.__getitem__)

    @property
    def rows_read(self) -> int:
        return self.new + self.changed + self.unchanged + self.faulty + self.unwritten

    @property
    def rows_written(self) -> int:
        """Of a run that ended."""
        return self.new + self.changed


class StagedRow(models.Model):
    """A row of the workbook as it was understood; written by COPY, thrown away with its run."""

    pk = models.CompositePrimaryKey("run_id", "line")
    # The key has the index; that the run is there, each chunk makes sure of once and not for every row.
    run = models.ForeignKey(
        ImportRun, on_delete=models.CASCADE, related_name="rows", db_index=False, db_constraint=False
    )
    line = models.PositiveIntegerField("行号")
    key = models.CharField(max_length=300)
    verdict = models.CharField(max_length=10, choices=Verdict)
    # Field → value in its JSON form; a blank cell has no entry and leaves the register as it is.
    values = models.JSONField(default=dict)
    # Field → what the register says now, for the fields that would change.
    before = models.JSONField(default=dict)
    # Field → [what the cell shows, what is wrong with it].
    errors = models.JSONField(default=dict)
    # Field → what a reader should look at before confirming.
    remarks = models.JSONField(default=dict)

    def __str__(self) -> str:
        return f"{self.line} {self.verdict}"
