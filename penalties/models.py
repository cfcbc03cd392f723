"""处罚案件: what the penalty body made of a referral."""

from django.db import models
from django.db.models import Q
from django.utils import timezone

from departments.models import Department, User
from inspections.models import Referral
from institutions.models import Institution
from penalties.enums import FINING, CaseState, Decision, LegalReview


class PenaltyCaseQuerySet(models.QuerySet):
    def visible_to(self, user: User) -> "PenaltyCaseQuerySet":
        """The deciding department, and whoever sees the referral it came from."""
        departments = [department.pk for department in user.departments_as()]
        return self.filter(
            Q(department__in=departments) | Q(referral__in=Referral.objects.visible_to(user).values("pk"))
        )


class PenaltyCase(models.Model):
    """One case of one department, opened on one referral."""

    referral = models.OneToOneField(Referral, on_delete=models.PROTECT, related_name="case")
    institution = models.ForeignKey(Institution, on_delete=models.PROTECT, related_name="penalty_cases")
    department = models.ForeignKey(
        Department, on_delete=models.PROTECT, related_name="penalty_cases", verbose_name="处罚机关"
    )
    number = models.CharField("案号", max_length=64)
    state = models.CharField("状态", max_length=16, choices=CaseState, default=CaseState.FILED)
    filed_on = models.DateField("立案日期")
    filed_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    facts = models.TextField("违法事实", blank=True)
    basis = models.TextField("处罚依据", blank=True)
    decision = models.CharField("处罚决定", max_length=20, choices=Decision, blank=True)
    fine_amount = models.DecimalField("罚款金额（元）", max_digits=12, decimal_places=2, null=True, blank=True)
    legal_review = models.CharField(
        "法制审核", max_length=12, choices=LegalReview, default=LegalReview.NOT_REQUIRED
    )
    reviewed_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    reviewed_on = models.DateField("审核日期", null=True, blank=True)
    review_opinion = models.TextField("审核意见", blank=True)
    decided_on = models.DateField("决定日期", null=True, blank=True)
    served_on = models.DateField("送达日期", null=True, blank=True)
    closed_on = models.DateField("结案日期", null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = PenaltyCaseQuerySet.as_manager()

    class Meta:
        ordering = ["-filed_on", "-pk"]
        constraints = [
            models.UniqueConstraint(fields=["department", "number"], name="penalties_one_case_of_a_number"),
            models.CheckConstraint(
                condition=~Q(state__in=[CaseState.DECIDED, CaseState.SERVED, CaseState.CLOSED])
                | Q(legal_review__in=[LegalReview.NOT_REQUIRED, LegalReview.PASSED], decided_on__isnull=False),
                name="penalties_no_decision_without_review",
            ),
            models.CheckConstraint(
                condition=Q(decision__in=FINING, fine_amount__gt=0) | (~Q(decision__in=FINING) & Q(fine_amount=None)),
                name="penalties_fine_has_amount",
            ),
            models.CheckConstraint(
                condition=Q(served_on__isnull=True) | Q(served_on__gte=models.F("decided_on")),
                name="penalties_served_after_decision",
            ),
        ]

    def __str__(self) -> str:
        return self.number


class Payment(models.Model):
    """缴款: one payment of a fine."""

    case = models.ForeignKey(PenaltyCase, on_delete=models.PROTECT, related_name="payments")
    amount = models.DecimalField("金额（元）", max_digits=12, decimal_places=2)
    paid_on = models.DateField("缴款日期")
    receipt = models.CharField("票据号", max_length=64)
    recorded_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["paid_on", "pk"]
        constraints = [
            models.CheckConstraint(condition=Q(amount__gt=0), name="penalties_payment_is_positive"),
            models.UniqueConstraint(fields=["case", "receipt"], name="penalties_receipt_once"),
        ]

    def __str__(self) -> str:
        return f"{self.amount} 元"
