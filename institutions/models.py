"""The register of whom we inspect (名录库), and who must not inspect whom."""

import uuid
from datetime import date

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Q
from django.utils import timezone

from departments.enums import Role
from departments.models import Officer, Town, User
from institutions.enums import CreditClass, Feature, FilingState, InstitutionKind, OperatingState


class InstitutionQuerySet(models.QuerySet):
    def visible_to(self, user: User) -> "InstitutionQuerySet":
        """Bureaus and overseers see the whole register, a town its own territory."""
        departments = user.departments_as()
        if departments and all(d.is_town for d in departments) and not user.oversees:
            return self.filter(town__in=[d.town_id for d in departments])
        return self if user.held_posts else self.none()

    def in_operation(self) -> "InstitutionQuerySet":
        return self.filter(operating_state=OperatingState.OPERATING)


class Institution(models.Model):
    """养老服务机构, keyed by its 统一社会信用代码; `key` stands for it until it has one and for ever in
    URLs and in the ledger."""

    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    uscc = models.CharField("统一社会信用代码", max_length=18, unique=True, null=True, blank=True)
    name = models.CharField("机构名称", max_length=128)
    kind = models.CharField("机构类型", max_length=32, choices=InstitutionKind)
    town = models.ForeignKey(
        Town, on_delete=models.PROTECT, related_name="institutions", verbose_name="所属镇街"
    )
    address = models.CharField("地址", max_length=200)
    beds = models.PositiveIntegerField("床位数", default=0)
    floor_area = models.DecimalField(
        "建筑面积（平方米）", max_digits=10, decimal_places=2, null=True, blank=True
    )
    contact_name = models.CharField("联系人", max_length=64, blank=True)
    contact_phone = models.CharField("联系电话", max_length=32, blank=True)
    legal_representative = models.CharField("法定代表人（负责人）", max_length=64, blank=True)
    filing_state = models.CharField("备案状态", max_length=16, choices=FilingState)
    filed_on = models.DateField("备案日期", null=True, blank=True)
    opened_on = models.DateField("开业日期", null=True, blank=True)
    operating_state = models.CharField(
        "运营状态", max_length=16, choices=OperatingState, default=OperatingState.OPERATING
    )
    features = ArrayField(
        models.CharField(max_length=32, choices=Feature), verbose_name="特征", default=list, blank=True
    )
    credit_class = models.CharField("信用等级", max_length=1, choices=CreditClass, blank=True)
    rating = models.PositiveSmallIntegerField("等级评定（星）", null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    changed_at = models.DateTimeField(auto_now=True)

    objects = InstitutionQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(filing_state=FilingState.FILED) | Q(filed_on__isnull=False),
                name="institutions_filed_has_date",
            ),
            models.CheckConstraint(
                condition=Q(rating__isnull=True) | Q(rating__gte=1, rating__lte=5),
                name="institutions_rating_1_to_5",
            ),
        ]
        indexes = [
            GinIndex(fields=["features"], name="institutions_features"),
            models.Index(fields=["name", "id"], name="institutions_by_name"),
            models.Index(fields=["town", "kind"], name="institutions_by_town"),
            models.Index(fields=["beds", "id"], name="institutions_by_beds"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def subject(self) -> str:
        """The subject of this institution's ledger chain."""
        return f"institution:{self.key}"

    @property
    def feature_labels(self) -> list[str]:
        return [Feature(feature).label for feature in self.features]


class StateChange(models.Model):
    """暂停、终止、恢复运营: from which day and why; the ledger holds only the reason's digest."""

    institution = models.ForeignKey(Institution, on_delete=models.CASCADE, related_name="state_changes")
    from_state = models.CharField("原状态", max_length=16, choices=OperatingState)
    to_state = models.CharField("现状态", max_length=16, choices=OperatingState)
    on = models.DateField("生效日期")
    reason = models.CharField("原因", max_length=300)
    changed_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    changed_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-changed_at", "-pk"]

    def __str__(self) -> str:
        return f"{self.institution} {self.get_to_state_display()}"


class RecusalQuerySet(models.QuerySet):
    def visible_to(self, user: User) -> "RecusalQuerySet":
        """The officer's own, those of officers of the user's departments, and all of them to overseers."""
        if user.oversees or user.holds(Role.SYSTEM_ADMIN):
            return self
        return self.filter(Q(officer__user=user) | Q(officer__department__in=user.departments_as()))


class Recusal(models.Model):
    """回避: this officer must not inspect this institution."""

    officer = models.ForeignKey(Officer, on_delete=models.CASCADE, related_name="recusals")
    institution = models.ForeignKey(Institution, on_delete=models.CASCADE, related_name="recusals")
    reason = models.CharField("事由", max_length=200)
    since = models.DateField("自", default=date.today)

    objects = RecusalQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["officer", "institution"], name="institutions_one_recusal_each"),
        ]

    def __str__(self) -> str:
        return f"{self.officer} 回避 {self.institution}"
