"""自建系统结果备案: what a department found through its own platform (JJ 三(三))."""

from django.db import models
from django.db.models import Q
from django.utils import timezone

from core.models import StoredFile
from departments.models import Department, User
from inspections.enums import Outcome, OwnResultState
from inspections.models.launch import JointInspection
from institutions.models import Institution
from scenarios.models import CheckItem


class OwnResultQuerySet(models.QuerySet):
    def visible_to(self, user: User) -> "OwnResultQuerySet":
        """The department that filed it, the lead it was filed with, and overseers; once confirmed, whoever
        sees the institution: it is part of the dossier."""
        if user.oversees:
            return self
        own = user.departments_as()
        shared = Q(
            state=OwnResultState.CONFIRMED, institution__in=Institution.objects.visible_to(user).values("pk")
        )
        return self.filter(Q(department__in=own) | Q(lead_department__in=own) | shared)

    def on_site_in(self, year: int) -> "OwnResultQuerySet":
        """Confirmed checks on site in that calendar year: those that count towards the yearly coverage."""
        return self.filter(state=OwnResultState.CONFIRMED, on_site=True, checked_on__year=year)


class OwnResult(models.Model):
    department = models.ForeignKey(
        Department, on_delete=models.PROTECT, related_name="own_results", verbose_name="报备部门"
    )
    lead_department = models.ForeignKey(
        Department, on_delete=models.PROTECT, related_name="results_filed_with", verbose_name="牵头部门"
    )
    joint_inspection = models.ForeignKey(
        JointInspection, on_delete=models.PROTECT, null=True, blank=True, related_name="own_results"
    )
    number = models.CharField("检查编号", max_length=64)
    institution = models.ForeignKey(Institution, on_delete=models.PROTECT, related_name="own_results")
    checked_on = models.DateField("检查日期")
    on_site = models.BooleanField("现场检查", default=True)
    items = models.ManyToManyField(CheckItem, related_name="+")
    outcome = models.CharField("检查结果", max_length=10, choices=Outcome)
    summary = models.TextField("情况说明", blank=True)
    attachment = models.ForeignKey(
        StoredFile, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    state = models.CharField("状态", max_length=10, choices=OwnResultState, default=OwnResultState.AWAITING)
    filed_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    filed_at = models.DateTimeField("报备时间", default=timezone.now)
    decided_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    decided_at = models.DateTimeField("确认时间", null=True, blank=True)
    returned_reason = models.CharField("退回理由", max_length=500, blank=True)

    objects = OwnResultQuerySet.as_manager()

    class Meta:
        ordering = ["-filed_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["department", "number"], name="inspections_own_number_once_a_department"
            ),
            models.CheckConstraint(
                condition=~Q(state=OwnResultState.RETURNED) | ~Q(returned_reason=""),
                name="inspections_returned_result_says_why",
            ),
            models.CheckConstraint(
                condition=~Q(state=OwnResultState.CONFIRMED)
                | Q(decided_by__isnull=False, decided_at__isnull=False),
                name="inspections_somebody_confirms_a_result",
            ),
            models.CheckConstraint(
                condition=~Q(outcome=Outcome.PROBLEMS) | ~Q(summary=""),
                name="inspections_problems_are_described",
            ),
        ]
        indexes = [models.Index(fields=["-filed_at", "id"], name="inspections_own_newest")]

    def __str__(self) -> str:
        return f"{self.department} {self.number}"

    @property
    def subject(self) -> str:
        """How notifications name it; its ledger entries stand on the institution's chain."""
        return f"own_result:{self.pk}"
