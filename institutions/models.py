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
from institutions.enums import (
    CreditClass,
    Feature,
    FilingState,
    FireApproval,
    InstitutionKind,
    LegalForm,
    MedicalService,
    OperatingState,
)

# Degrees between which China lies.
LONGITUDES, LATITUDES = (73, 136), (3, 54)


class InstitutionQuerySet(models.QuerySet):
    def visible_to(self, user: User) -> "InstitutionQuerySet":
        """Bureaus and overseers see the whole register, a town its own territory; nobody what was merged away."""
        departments = user.departments_as()
        if departments and all(d.is_town for d in departments) and not user.oversees:
            return self.current().filter(town__in=[d.town_id for d in departments])
        return self.current() if user.held_posts else self.none()

    def current(self) -> "InstitutionQuerySet":
        """Without temporary registrations that were merged into another."""
        return self.filter(merged_into=None)

    def in_operation(self) -> "InstitutionQuerySet":
        return self.current().filter(operating_state=OperatingState.OPERATING)

    def history_of(self, institution: "Institution") -> "InstitutionQuerySet":
        """The institution, and the temporary registrations merged into it."""
        return self.filter(Q(pk=institution.pk) | Q(merged_into=institution))


class Institution(models.Model):
    """养老服务机构, keyed by its 统一社会信用代码, or by a 临时编号 until it has one; `key` stands for it in
    URLs and in the ledger. docs/registers.md explains every field."""

    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    uscc = models.CharField("统一社会信用代码", max_length=18, unique=True, null=True, blank=True)
    temporary_number = models.CharField("临时编号", max_length=16, null=True, blank=True, editable=False)
    merged_into = models.ForeignKey(
        "self",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        editable=False,
        related_name="absorbed",
        db_index=False,
        verbose_name="并入",
    )
    name = models.CharField("机构名称", max_length=128)
    kind = models.CharField("机构类型", max_length=32, choices=InstitutionKind)
    legal_form = models.CharField("机构性质", max_length=32, choices=LegalForm, blank=True)
    registered_with = models.CharField("登记机关", max_length=64, blank=True)
    town = models.ForeignKey(
        Town, on_delete=models.PROTECT, related_name="institutions", db_index=False, verbose_name="所属镇街"
    )
    address = models.CharField("地址", max_length=200)
    longitude = models.DecimalField("经度", max_digits=9, decimal_places=6, null=True, blank=True)
    latitude = models.DecimalField("纬度", max_digits=8, decimal_places=6, null=True, blank=True)
    legal_representative = models.CharField("法定代表人（负责人）", max_length=64, blank=True)
    contact_name = models.CharField("联系人", max_length=64, blank=True)
    contact_phone = models.CharField("联系电话", max_length=32, blank=True)

    filing_state = models.CharField("备案状态", max_length=16, choices=FilingState)
    filing_number = models.CharField("备案编号", max_length=64, blank=True)
    filed_on = models.DateField("备案日期", null=True, blank=True)
    opened_on = models.DateField("开业日期", null=True, blank=True)
    credit_class = models.CharField("信用等级", max_length=1, choices=CreditClass, blank=True)
    rating = models.PositiveSmallIntegerField("等级评定（星）", null=True, blank=True)
    rated_on = models.DateField("等级评定日期", null=True, blank=True)

    beds = models.PositiveIntegerField("床位数", default=0)
    nursing_beds = models.PositiveIntegerField("护理型床位数", null=True, blank=True)
    # A number only: who lives there is no business of this register.
    residents = models.PositiveIntegerField("在住老人数", null=True, blank=True)
    floor_area = models.DecimalField(
        "建筑面积（平方米）", max_digits=10, decimal_places=2, null=True, blank=True
    )
    features = ArrayField(
        models.CharField(max_length=32, choices=Feature), verbose_name="特征", default=list, blank=True
    )

    fire_approval = models.CharField("消防审验", max_length=16, choices=FireApproval, blank=True)
    fire_document = models.CharField("消防审验文号", max_length=64, blank=True)
    food_licence = models.CharField("食品经营许可证号", max_length=64, blank=True)
    food_licence_until = models.DateField("食品经营许可有效期至", null=True, blank=True)

    medical_service = models.CharField("医疗服务方式", max_length=16, choices=MedicalService, blank=True)
    combines_medical = models.BooleanField("医养结合机构", null=True, blank=True)
    takes_insurance = models.BooleanField("医保定点", null=True, blank=True)
    meets_safety_standard = models.BooleanField("达到 GB 38600", null=True, blank=True)
    takes_prepayment = models.BooleanField("预收费", null=True, blank=True)

    operating_state = models.CharField(
        "运营状态", max_length=16, choices=OperatingState, default=OperatingState.OPERATING
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    changed_at = models.DateTimeField(auto_now=True)

    objects = InstitutionQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                fields=["temporary_number"],
                condition=Q(temporary_number__isnull=False),
                name="institutions_one_temporary_number",
            ),
            models.CheckConstraint(
                condition=~Q(filing_state=FilingState.FILED) | Q(filed_on__isnull=False),
                name="institutions_filed_has_date",
            ),
            models.CheckConstraint(
                condition=Q(rating__isnull=True) | Q(rating__gte=1, rating__lte=5),
                name="institutions_rating_1_to_5",
            ),
            models.CheckConstraint(
                condition=Q(uscc__isnull=False) | Q(temporary_number__isnull=False),
                name="institutions_code_or_number",
            ),
            models.CheckConstraint(
                condition=Q(nursing_beds__isnull=True) | Q(nursing_beds__lte=models.F("beds")),
                name="institutions_nursing_beds_are_beds",
            ),
            models.CheckConstraint(
                condition=Q(longitude__isnull=True, latitude__isnull=True)
                | Q(longitude__isnull=False, latitude__isnull=False)
                & Q(longitude__range=LONGITUDES, latitude__range=LATITUDES),
                name="institutions_place_in_china",
            ),
            # So a merge goes one step: what was merged away has no code, and what it went into has one.
            models.CheckConstraint(
                condition=Q(merged_into__isnull=True) | Q(uscc__isnull=True),
                name="institutions_merged_has_no_code",
            ),
        ]
        indexes = [
            GinIndex(fields=["features"], name="institutions_features"),
            models.Index(fields=["name", "id"], name="institutions_by_name"),
            models.Index(fields=["town", "kind"], name="institutions_by_town"),
            models.Index(fields=["beds", "id"], name="institutions_by_beds"),
            models.Index(
                fields=["merged_into"],
                condition=Q(merged_into__isnull=False),
                name="institutions_merged",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def subject(self) -> str:
        """The subject of this institution's ledger chain."""
        return f"institution:{self.key}"

    @property
    def code(self) -> str:
        """What it is known by: its 统一社会信用代码, else its 临时编号."""
        return self.uscc or self.temporary_number or ""

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
