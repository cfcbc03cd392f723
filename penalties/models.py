"""处罚案件: what the penalty body made of a referral."""

from datetime import date, timedelta
from decimal import Decimal

from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from core.workdays import add_workdays
from departments.models import Department, User
from inspections.models import Referral
from institutions.models import Institution
from penalties.enums import FINING, CaseState, Decision, LegalReview

# 行政处罚法60条：立案之日起九十日内作出决定；61条：七日（工作日，85条）内送达；67条：收到决定书十五日内缴款。
DAYS_TO_DECIDE = 90
WORKDAYS_TO_SERVE = 7
DAYS_TO_PAY = 15


def end_of_term(start: date, days: int) -> date:
    """The last of `days` natural days after `start`; a holiday moves it to the next working day (85条、民诉法85条)."""
    return add_workdays(start + timedelta(days=days - 1), 1)


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
    drafted_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    facts = models.TextField("违法事实", blank=True)
    basis = models.TextField("处罚依据", blank=True)
    decision = models.CharField("处罚决定", max_length=20, choices=Decision, blank=True)
    fine_amount = models.DecimalField(
        "罚款金额（元）", max_digits=12, decimal_places=2, null=True, blank=True
    )
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
                | Q(
                    legal_review__in=[LegalReview.NOT_REQUIRED, LegalReview.PASSED], decided_on__isnull=False
                ),
                name="penalties_no_decision_without_review",
            ),
            models.CheckConstraint(
                condition=Q(decision__in=FINING, fine_amount__gt=0)
                | (~Q(decision__in=FINING) & Q(fine_amount=None)),
                name="penalties_fine_has_amount",
            ),
            models.CheckConstraint(
                condition=Q(served_on__isnull=True) | Q(served_on__gte=F("decided_on")),
                name="penalties_served_after_decision",
            ),
            models.CheckConstraint(
                condition=Q(reviewed_by=None) | Q(drafted_by=None) | ~Q(reviewed_by=F("drafted_by")),
                name="penalties_nobody_reviews_own_draft",
            ),
            models.CheckConstraint(
                condition=Q(state__in=[CaseState.FILED, CaseState.LEGAL_REVIEW])
                | (~Q(facts="") & ~Q(basis="") & ~Q(decision="")),
                name="penalties_decision_says_why",
            ),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def subject(self) -> str:
        """How notifications name this case."""
        return f"case:{self.pk}"

    @property
    def is_drafted(self) -> bool:
        return bool(self.decision)

    @property
    def is_fining(self) -> bool:
        """Whether the drafted decision asks for money."""
        return self.decision in FINING

    @property
    def paid(self) -> Decimal:
        """元 paid so far; uses prefetched payments."""
        return sum((payment.amount for payment in self.payments.all()), Decimal(0))

    @property
    def unpaid(self) -> Decimal:
        """元 of the fine still open; 0 without a fine."""
        return (self.fine_amount or Decimal(0)) - self.paid

    @property
    def decide_by(self) -> date:
        return end_of_term(self.filed_on, DAYS_TO_DECIDE)

    @property
    def serve_by(self) -> date | None:
        return add_workdays(self.decided_on, WORKDAYS_TO_SERVE) if self.decided_on else None

    @property
    def pay_by(self) -> date | None:
        return end_of_term(self.served_on, DAYS_TO_PAY) if self.served_on and self.is_fining else None

    @property
    def due_on(self) -> date | None:
        """The day by which the next step is due; None when the law sets none."""
        match self.state:
            case CaseState.FILED | CaseState.LEGAL_REVIEW:
                return self.decide_by
            case CaseState.DECIDED:
                return self.serve_by
            case CaseState.SERVED:
                return self.pay_by if self.unpaid else None
        return None


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
