"""年度联合抽查计划: what a lead department means to inspect in a year, round by round."""

from datetime import date, timedelta

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from departments.models import Department, User
from inspections.enums import InspectionKind

MONTH = [MinValueValidator(1), MaxValueValidator(12)]


class PlanQuerySet(models.QuerySet):
    def visible_to(self, user: User) -> "PlanQuerySet":
        """Whoever holds a post: a plan is there for the departments to arrange themselves by."""
        return self if user.held_posts else self.none()


class Plan(models.Model):
    year = models.PositiveSmallIntegerField("年度")
    lead_department = models.ForeignKey(
        Department, on_delete=models.PROTECT, related_name="plans", verbose_name="牵头部门"
    )
    name = models.CharField("名称", max_length=128)
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = PlanQuerySet.as_manager()

    class Meta:
        ordering = ["-year", "lead_department__order"]
        constraints = [
            models.UniqueConstraint(fields=["year", "lead_department"], name="inspections_one_plan_a_year"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def subject(self) -> str:
        """The subject of this plan's ledger chain."""
        return f"plan:{self.pk}"


class PlanRound(models.Model):
    """One round of the plan; the joint inspections launched for it name it."""

    plan = models.ForeignKey(Plan, on_delete=models.CASCADE, related_name="rounds")
    name = models.CharField("名称", max_length=128)
    month_from = models.PositiveSmallIntegerField("开始月份", validators=MONTH)
    month_until = models.PositiveSmallIntegerField("结束月份", validators=MONTH)
    kind = models.CharField("检查类型", max_length=10, choices=InspectionKind)
    scope = models.CharField("检查范围", max_length=300)
    rule = models.CharField("抽查比例和频次", max_length=300, blank=True)

    class Meta:
        ordering = ["month_from", "month_until", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(month_from__gte=1, month_until__lte=12, month_until__gte=F("month_from")),
                name="inspections_round_months_in_order",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def first_day(self) -> date:
        return date(self.plan.year, self.month_from, 1)

    @property
    def last_day(self) -> date:
        return date(self.plan.year + self.month_until // 12, self.month_until % 12 + 1, 1) - timedelta(days=1)
