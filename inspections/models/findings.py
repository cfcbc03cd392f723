"""问题 and what becomes of each: corrected on the spot, rectification, referral to a penalty body."""

import uuid

from django.db import models
from django.db.models import Q
from django.utils import timezone

from departments.models import Department, User
from inspections.enums import (
    Disposition,
    FindingState,
    RectificationState,
    ReferralRoute,
    ReferralState,
    Severity,
)
from inspections.models.tasks import Task, TaskItem
from institutions.models import Institution
from scenarios.models import Delegation, MatrixRow


class FindingQuerySet(models.QuerySet):
    def visible_to(self, user: User) -> "FindingQuerySet":
        """Whoever sees the visit; and the department a finding was referred to, from then on."""
        departments = [department.pk for department in user.departments_as()]
        referred = Referral.objects.filter(to_department__in=departments).values("finding")
        return self.filter(Q(task__in=Task.objects.visible_to(user).values("pk")) | Q(pk__in=referred))


class Finding(models.Model):
    """One problem under exactly one matrix row. PENDING while the form is open; submit makes it effective."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    task = models.ForeignKey(Task, on_delete=models.CASCADE, related_name="findings")
    task_item = models.ForeignKey(TaskItem, on_delete=models.CASCADE, related_name="findings")
    institution = models.ForeignKey(Institution, on_delete=models.PROTECT, related_name="findings")
    department = models.ForeignKey(
        Department, on_delete=models.PROTECT, related_name="findings", verbose_name="检查部门"
    )
    row = models.ForeignKey(
        MatrixRow, on_delete=models.PROTECT, related_name="findings", verbose_name="矩阵行"
    )
    severity = models.CharField("严重程度", max_length=10, choices=Severity)
    disposition = models.CharField("处置", max_length=16, choices=Disposition)
    days = models.PositiveSmallIntegerField("整改天数", null=True, blank=True)
    fact = models.TextField("事实")
    state = models.CharField("状态", max_length=12, choices=FindingState, default=FindingState.PENDING)
    found_on = models.DateField("发现日期")
    recorded_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")

    objects = FindingQuerySet.as_manager()

    class Meta:
        ordering = ["-found_on", "row__position"]
        constraints = [
            models.UniqueConstraint(fields=["task_item", "row"], name="inspections_one_finding_a_row"),
            models.CheckConstraint(
                condition=~Q(disposition=Disposition.RECTIFICATION) | Q(days__gte=1),
                name="inspections_rectification_has_days",
            ),
        ]
        indexes = [models.Index(fields=["-found_on", "id"], name="inspections_finding_newest")]

    def __str__(self) -> str:
        return f"{self.institution} {self.row}"


class Rectification(models.Model):
    """限期整改 of one finding, ordered and re-checked by the department that found it."""

    finding = models.OneToOneField(Finding, on_delete=models.CASCADE, related_name="rectification")
    department = models.ForeignKey(Department, on_delete=models.PROTECT, related_name="rectifications")
    ordered_on = models.DateField("责令日期")
    due_on = models.DateField("整改期限")
    state = models.CharField(
        "状态", max_length=10, choices=RectificationState, default=RectificationState.ORDERED
    )
    result = models.TextField("复查情况", blank=True)
    checked_on = models.DateField("复查日期", null=True, blank=True)
    checked_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        ordering = ["due_on"]
        constraints = [
            models.CheckConstraint(
                condition=Q(state=RectificationState.ORDERED)
                | (Q(checked_on__isnull=False, checked_by__isnull=False) & ~Q(result="")),
                name="inspections_recheck_says_what_was_seen",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.finding_id} {self.get_state_display()}"


class ReferralQuerySet(models.QuerySet):
    def visible_to(self, user: User) -> "ReferralQuerySet":
        """Sender and receiver, and whoever sees the finding."""
        departments = [department.pk for department in user.departments_as()]
        return self.filter(
            Q(to_department__in=departments)
            | Q(from_department__in=departments)
            | Q(finding__in=Finding.objects.visible_to(user).values("pk"))
        )


class Referral(models.Model):
    """移送: a finding sent to whoever may punish it. `due_on` is the day by which it must be taken up."""

    finding = models.ForeignKey(Finding, on_delete=models.PROTECT, related_name="referrals")
    institution = models.ForeignKey(Institution, on_delete=models.PROTECT, related_name="referrals")
    from_department = models.ForeignKey(Department, on_delete=models.PROTECT, related_name="sent_referrals")
    to_department = models.ForeignKey(Department, on_delete=models.PROTECT, related_name="received_referrals")
    route = models.CharField("依据", max_length=16, choices=ReferralRoute)
    warning = models.CharField("提醒", max_length=300, blank=True)
    # The entry in force on the day of the finding, as it stood when this was sent.
    delegation = models.ForeignKey(
        Delegation, on_delete=models.PROTECT, null=True, blank=True, related_name="+", verbose_name="赋权"
    )
    state = models.CharField("状态", max_length=10, choices=ReferralState, default=ReferralState.SENT)
    sent_at = models.DateTimeField("移送时间", default=timezone.now)
    sent_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    due_on = models.DateField("受理期限")
    taken_up_at = models.DateTimeField("接收时间", null=True, blank=True)
    taken_up_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    return_reason = models.TextField("退回理由", blank=True)

    objects = ReferralQuerySet.as_manager()

    class Meta:
        ordering = ["-sent_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["finding"],
                condition=Q(state__in=[ReferralState.SENT, ReferralState.TAKEN_UP]),
                name="inspections_one_live_referral_a_finding",
            ),
            models.CheckConstraint(
                condition=~Q(state=ReferralState.RETURNED) | ~Q(return_reason=""),
                name="inspections_returned_says_why",
            ),
        ]
        indexes = [
            models.Index(fields=["to_department", "state", "due_on"], name="inspections_referral_inbox")
        ]

    def __str__(self) -> str:
        return f"{self.finding_id} → {self.to_department}"


class ReferralStep(models.Model):
    """What happened to a referral, as the department that sent it reads it (also the case's steps)."""

    referral = models.ForeignKey(Referral, on_delete=models.CASCADE, related_name="steps")
    at = models.DateTimeField(default=timezone.now)
    kind = models.CharField(max_length=64)
    label = models.CharField("事项", max_length=64)
    detail = models.TextField("说明", blank=True)
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["at", "pk"]

    def __str__(self) -> str:
        return self.label
