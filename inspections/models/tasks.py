"""检查任务: one visit to one institution, its one form, and what was written on it."""

import uuid

from django.contrib.postgres.functions import RandomUUID
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from core.models import StoredFile
from departments.models import Department, Officer, User
from inspections.enums import AnswerValue, SignerKind, TaskState
from inspections.models.launch import JointInspection
from institutions.models import Institution
from scenarios.models import CheckItem, MatrixRow, PublishedItem


class TaskQuerySet(models.QuerySet):
    def visible_to(self, user: User) -> "TaskQuerySet":
        """Whoever sees a joint inspection the visit serves sees the visit."""
        inspections = JointInspection.objects.visible_to(user).values("pk")
        origins = TaskOrigin.objects.filter(task=OuterRef("pk"), joint_inspection__in=inspections)
        return self.filter(Exists(origins))

    def assigned_to(self, user: User) -> "TaskQuerySet":
        """Visits this account is an assigned officer of."""
        return self.filter(officers__officer__user=user)


class Task(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, db_default=RandomUUID(), editable=False)
    institution = models.ForeignKey(Institution, on_delete=models.PROTECT, related_name="tasks")
    state = models.CharField("状态", max_length=10, choices=TaskState, default=TaskState.ASSIGNED)
    window_from = models.DateField("检查开始日期")
    window_until = models.DateField("检查截止日期")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    started_at = models.DateTimeField("到场时间", null=True, blank=True)
    submitted_at = models.DateTimeField("提交时间", null=True, blank=True)
    submitted_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    # 备案信息核实: whether what was filed agrees with what was found; asked by first checks only.
    filing_agrees = models.BooleanField("备案信息与现场一致", null=True, blank=True)
    answers_digest = models.CharField("表单摘要", max_length=128, blank=True)
    digest_algorithm = models.CharField(max_length=16, blank=True)

    objects = TaskQuerySet.as_manager()

    class Meta:
        ordering = ["window_until", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(state=TaskState.SUBMITTED)
                | (Q(submitted_at__isnull=False, submitted_by__isnull=False) & ~Q(answers_digest="")),
                name="inspections_submitted_is_signed_off",
            ),
        ]
        indexes = [
            models.Index(fields=["window_until", "id"], name="inspections_task_due"),
            models.Index(fields=["state", "window_until"], name="inspections_task_state"),
        ]

    def __str__(self) -> str:
        return f"{self.institution} {self.get_state_display()}"

    @property
    def is_open(self) -> bool:
        """Whether the form may still be written on."""
        return self.state in (TaskState.ASSIGNED, TaskState.UNDER_WAY)


class TaskOrigin(models.Model):
    """Which joint inspections a visit serves. One visit to an institution for each, ever: merge relies on it."""

    task = models.ForeignKey(Task, on_delete=models.CASCADE, related_name="origins")
    joint_inspection = models.ForeignKey(
        JointInspection, on_delete=models.PROTECT, related_name="origins", db_index=False
    )
    institution = models.ForeignKey(Institution, on_delete=models.PROTECT, related_name="+", db_index=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["joint_inspection", "institution"], name="inspections_one_visit_an_institution"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.joint_inspection_id} → {self.task_id}"


class TakenOver(models.Model):
    """结果互认: the result of another visit stands for a joint inspection's own; its institution left the scope."""

    joint_inspection = models.ForeignKey(JointInspection, on_delete=models.CASCADE, related_name="taken_over")
    institution = models.ForeignKey(Institution, on_delete=models.PROTECT, related_name="+")
    task = models.ForeignKey(Task, on_delete=models.PROTECT, related_name="+")
    taken_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    taken_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["joint_inspection", "institution"], name="inspections_taken_over_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.joint_inspection_id} ← {self.task_id}"


class TaskItem(models.Model):
    """表单项: one check item on the form, answered by the department that implements it."""

    # Bulk tables carry no index a query does not use: the unique constraint serves `task`.
    task = models.ForeignKey(Task, on_delete=models.CASCADE, related_name="items", db_index=False)
    department = models.ForeignKey(Department, on_delete=models.PROTECT, related_name="+", db_index=False)
    check_item = models.ForeignKey(CheckItem, on_delete=models.PROTECT, related_name="+")
    item = models.ForeignKey(PublishedItem, on_delete=models.PROTECT, related_name="+", db_index=False)
    value = models.CharField(
        "结果", max_length=16, choices=AnswerValue, blank=True, default="", db_default=""
    )
    note = models.TextField("情况", blank=True, default="", db_default="")
    rev = models.PositiveIntegerField(default=0, db_default=0)
    answered_at = models.DateTimeField(null=True, blank=True)
    answered_by = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )

    class Meta:
        ordering = ["department__order", "item"]
        constraints = [
            models.UniqueConstraint(fields=["task", "check_item"], name="inspections_item_once_a_form"),
        ]

    def __str__(self) -> str:
        return f"{self.check_item_id} {self.get_value_display()}"


class TaskItemRow(models.Model):
    """Why an item is on the form: the matrix rows, and so the penalties, it can lead to."""

    task_item = models.ForeignKey(TaskItem, on_delete=models.CASCADE, related_name="rows", db_index=False)
    row = models.ForeignKey(MatrixRow, on_delete=models.PROTECT, related_name="+", db_index=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["task_item", "row"], name="inspections_row_once_an_item")
        ]

    def __str__(self) -> str:
        return f"{self.task_item_id} ← {self.row_id}"


class TaskOfficer(models.Model):
    """An officer sent to the visit, for the department they were sent by."""

    task = models.ForeignKey(Task, on_delete=models.CASCADE, related_name="officers", db_index=False)
    officer = models.ForeignKey(Officer, on_delete=models.PROTECT, related_name="visits")
    department = models.ForeignKey(Department, on_delete=models.PROTECT, related_name="+", db_index=False)

    class Meta:
        ordering = ["department__order", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["task", "officer"], name="inspections_officer_once_a_visit")
        ]

    def __str__(self) -> str:
        return f"{self.officer_id} → {self.task_id}"


class OfficerSwap(models.Model):
    """更换执法人员: who went in whose place, and why; the first one was drawn."""

    task = models.ForeignKey(Task, on_delete=models.PROTECT, related_name="swaps")
    department = models.ForeignKey(Department, on_delete=models.PROTECT, related_name="+")
    replaced = models.ForeignKey(Officer, on_delete=models.PROTECT, related_name="+")
    replacement = models.ForeignKey(Officer, on_delete=models.PROTECT, related_name="+")
    reason = models.CharField("理由", max_length=300)
    swapped_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    swapped_at = models.DateTimeField("更换时间", default=timezone.now)

    class Meta:
        ordering = ["-swapped_at", "-pk"]
        constraints = [
            models.CheckConstraint(condition=~Q(reason=""), name="inspections_swap_says_why"),
        ]

    def __str__(self) -> str:
        return f"{self.replaced_id} → {self.replacement_id}"


class Answer(models.Model):
    """One operation of one phone on one item, kept for ever; its client-made id makes replays harmless."""

    id = models.UUIDField(primary_key=True, editable=False)
    task_item = models.ForeignKey(TaskItem, on_delete=models.CASCADE, related_name="answers")
    base_rev = models.PositiveIntegerField()
    rev = models.PositiveIntegerField()
    value = models.CharField(max_length=16, choices=AnswerValue)
    note = models.TextField(blank=True)
    # [{"row": 24, "severity": …, "disposition": …, "days": 15, "fact": …}], row by MatrixRow id
    findings = models.JSONField(default=list)
    answered_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    answered_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["task_item", "rev"]
        constraints = [
            models.UniqueConstraint(fields=["task_item", "rev"], name="inspections_one_answer_a_rev")
        ]

    def __str__(self) -> str:
        return f"{self.task_item_id} r{self.rev} {self.get_value_display()}"


class Photo(models.Model):
    """Evidence for one item; the id is made by the phone."""

    id = models.UUIDField(primary_key=True, editable=False)
    task_item = models.ForeignKey(TaskItem, on_delete=models.CASCADE, related_name="photos")
    file = models.ForeignKey(StoredFile, on_delete=models.PROTECT, related_name="+")
    taken_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    uploaded_at = models.DateTimeField(default=timezone.now)
    removed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["uploaded_at"]

    def __str__(self) -> str:
        return str(self.pk)


class Signature(models.Model):
    """Who signed what: `answers_digest` is the digest over the answers as they stood."""

    task = models.ForeignKey(Task, on_delete=models.CASCADE, related_name="signatures")
    kind = models.CharField(max_length=12, choices=SignerKind)
    officer = models.ForeignKey(Officer, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    department = models.ForeignKey(
        Department, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    signer_name = models.CharField("签名人", max_length=64)
    image = models.ForeignKey(StoredFile, on_delete=models.PROTECT, related_name="+")
    answers_digest = models.CharField(max_length=128)
    signed_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["signed_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["task", "officer"],
                condition=Q(kind=SignerKind.OFFICER),
                name="inspections_officer_signs_once",
            ),
            models.UniqueConstraint(
                fields=["task"],
                condition=Q(kind=SignerKind.INSTITUTION),
                name="inspections_institution_signs_once",
            ),
            models.CheckConstraint(
                condition=Q(kind=SignerKind.INSTITUTION, officer__isnull=True, department__isnull=True)
                | Q(kind=SignerKind.OFFICER, officer__isnull=False, department__isnull=False),
                name="inspections_signer_is_officer_or_institution",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.signer_name} {self.get_kind_display()}"
