"""赋权: what towns were given, in entries that never change."""

from datetime import date

from django.contrib.postgres.constraints import ExclusionConstraint
from django.db import models
from django.db.models import Q
from django.utils import timezone

from core.models import StoredFile
from departments.models import Town, User
from scenarios.enums import DelegationAct, DelegationList
from scenarios.models.library import PenaltyItem


class DelegationQuerySet(models.QuerySet):
    def visible_to(self, user: User) -> "DelegationQuerySet":
        """赋权 has to be made public (处罚法24条): every account reads all of it."""
        return self

    def current(self) -> "DelegationQuerySet":
        """The entries nothing has replaced: what the portal goes by."""
        return self.filter(is_current=True)

    def in_force(self, day: date) -> "DelegationQuerySet":
        """Delegations that hold on `day`, both ends included."""
        until = Q(valid_until=None) | Q(valid_until__gte=day)
        return self.current().filter(until, valid_from__lte=day)

    def overlapping(self, valid_from: date, valid_until: date | None) -> "DelegationQuerySet":
        """Delegations that hold on some day of a period, both ends included."""
        shared = Q(valid_until=None) | Q(valid_until__gte=valid_from)
        if valid_until:
            shared &= Q(valid_from__lte=valid_until)
        return self.current().filter(shared)


class Delegation(models.Model):
    """赋权: from a date (to a date) this town implements this penalty item.

    An entry never changes: whoever ends, prolongs or corrects a delegation writes a new one that
    `replaces` it, and only the newest is current. Triggers keep it so, and no two current periods of
    one town and item share a day.
    """

    town = models.ForeignKey(Town, on_delete=models.PROTECT, related_name="delegations")
    penalty_item = models.ForeignKey(PenaltyItem, on_delete=models.PROTECT, related_name="delegations")
    delegation_list = models.CharField("赋权清单", max_length=10, choices=DelegationList)
    valid_from = models.DateField("自")
    valid_until = models.DateField("至", null=True, blank=True)
    confirmation = models.ForeignKey(
        StoredFile,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name="承接确认书",
    )
    confirmation_number = models.CharField("确认书编号", max_length=64, blank=True)

    act = models.CharField("事由", max_length=10, choices=DelegationAct, default=DelegationAct.GRANTED)
    reason = models.TextField("理由", blank=True)
    replaces = models.OneToOneField(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="replaced_by"
    )
    is_current = models.BooleanField("现行", default=True)
    recorded_at = models.DateTimeField("登记时间", default=timezone.now, editable=False)
    recorded_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")

    objects = DelegationQuerySet.as_manager()

    class Meta:
        ordering = ["town", "penalty_item", "valid_from", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(valid_until__isnull=True) | Q(valid_until__gte=models.F("valid_from")),
                name="scenarios_delegation_dates_in_order",
            ),
            models.CheckConstraint(
                condition=~Q(act=DelegationAct.WITHDRAWN) | Q(is_current=False),
                name="scenarios_withdrawn_is_not_current",
            ),
            # Ids as ranges of one, so that no extension of PostgreSQL is needed.
            ExclusionConstraint(
                name="scenarios_one_delegation_a_day",
                expressions=[
                    (models.Func("town", "town", models.Value("[]"), function="int8range"), "&&"),
                    (
                        models.Func("penalty_item", "penalty_item", models.Value("[]"), function="int8range"),
                        "&&",
                    ),
                    (
                        models.Func("valid_from", "valid_until", models.Value("[]"), function="daterange"),
                        "&&",
                    ),
                ],
                condition=Q(is_current=True),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.town} {self.penalty_item_id}"

    @property
    def period(self) -> str:
        """自 2023-01-01 起, with its last day when it has one."""
        if self.valid_until:
            return f"自 {self.valid_from} 至 {self.valid_until}"
        return f"自 {self.valid_from} 起"

    def holds_on(self, day: date) -> bool:
        """Whether `day` lies within the period."""
        return self.valid_from <= day and (self.valid_until is None or day <= self.valid_until)

    def shares_a_day(self, first: date, last: date | None) -> bool:
        """Whether some day lies in both periods."""
        return (last is None or self.valid_from <= last) and (
            self.valid_until is None or first <= self.valid_until
        )

    @property
    def wording(self) -> str:
        """Why a town receives something, in one sentence without a full stop."""
        number = self.confirmation_number or ("已归档" if self.confirmation_id else "未归档")
        listing = self.get_delegation_list_display()
        return f"{self.town.name}{self.period}承接该项处罚权（{listing}赋权清单，承接确认书：{number}）"
