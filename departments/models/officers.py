"""执法人员: certificates, what they may inspect, when they are away, and what they were told of it."""

from datetime import date, timedelta

from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from departments.enums import Absence, Role, Validity, Warned
from departments.models.accounts import User
from departments.models.departments import Department, Sector, available


class OfficerQuerySet(models.QuerySet):
    def visible_to(self, user: User) -> "OfficerQuerySet":
        """Whose 执法证 is no secret: every officer at work; those with a closed account only to who keeps them."""
        if user.oversees or user.holds(Role.SYSTEM_ADMIN, Role.SECURITY_ADMIN):
            return self
        return self.filter(
            Q(user__is_active=True) | Q(department__in=user.departments_as(Role.DEPARTMENT_ADMIN))
        )

    def available_between(self, first: date, last: date, sector: Sector | None = None) -> "OfficerQuerySet":
        """Officers who can be sent on every day from `first` to `last`: account open, 执法证 valid, not away.

        With a sector, only those who may inspect it; an officer without sectors may inspect all.
        """
        officers = self.filter(available(first, last))
        return officers if sector is None else officers.inspecting(sector)

    def available_on(self, day: date, sector: Sector | None = None) -> "OfficerQuerySet":
        """As `available_between`, for one day."""
        return self.available_between(day, day, sector)

    def inspecting(self, sector: Sector) -> "OfficerQuerySet":
        """Those who may inspect the sector: it is among theirs, or they have none named."""
        named = Officer.sectors.through.objects.filter(officer=OuterRef("pk"))
        return self.filter(Exists(named.filter(sector=sector)) | ~Exists(named))

    def present_on(self, day: date) -> "OfficerQuerySet":
        """Those not away that day, whatever their certificates."""
        return self.filter(Q(away_from=None) | Q(away_from__gt=day) | Q(away_until__lt=day))

    def to_renew(self, day: date) -> "OfficerQuerySet":
        """Officers at work whose certificate has ended by `day` or ends within CERTIFICATE_WARNING_DAYS."""
        soon = day + timedelta(days=settings.CERTIFICATE_WARNING_DAYS)
        return self.present_on(day).filter(user__is_active=True, certified_until__lte=soon)

    def of_validity(self, validity: Validity, day: date) -> "OfficerQuerySet":
        """Those for whom `validity_on(day)` says so."""
        present = self.present_on(day)
        if validity == Validity.OFF_DUTY:
            return self.exclude(pk__in=present.values("pk"))
        soon = day + timedelta(days=settings.CERTIFICATE_WARNING_DAYS)
        return present.filter(
            **{
                Validity.EXPIRED: {"certified_until__lt": day},
                Validity.NOT_YET: {"certified_from__gt": day},
                Validity.EXPIRING: {"certified_from__lte": day, "certified_until__range": (day, soon)},
                Validity.VALID: {"certified_from__lte": day, "certified_until__gt": soon},
            }[validity]
        )


class Officer(models.Model):
    """执法人员: an account with a 执法证 of its department."""

    user = models.OneToOneField(User, on_delete=models.PROTECT, related_name="officer")
    department = models.ForeignKey(Department, on_delete=models.PROTECT, related_name="officers")
    certificate_number = models.CharField("执法证号", max_length=32, unique=True)
    certified_from = models.DateField("有效期自")
    certified_until = models.DateField("有效期至")
    sectors = models.ManyToManyField(Sector, blank=True, related_name="officers", verbose_name="可检查条线")
    absence = models.CharField("不在岗", max_length=12, choices=Absence, blank=True)
    away_from = models.DateField("不在岗自", null=True, blank=True)
    away_until = models.DateField("不在岗至", null=True, blank=True)

    objects = OfficerQuerySet.as_manager()

    class Meta:
        ordering = ["department__order", "certificate_number"]
        constraints = [
            models.CheckConstraint(
                condition=Q(certified_until__gte=models.F("certified_from")),
                name="departments_certificate_dates_in_order",
            ),
            models.CheckConstraint(
                condition=Q(absence="", away_from=None, away_until=None)
                | (
                    ~Q(absence="")
                    & Q(away_from__isnull=False)
                    & (Q(away_until=None) | Q(away_until__gte=models.F("away_from")))
                ),
                name="departments_absence_has_its_days",
            ),
        ]
        indexes = [models.Index(fields=["certified_until"], name="departments_officer_expiry")]

    def __str__(self) -> str:
        return self.user.name

    @property
    def key(self) -> str:
        """How the ledger names this officer, and the subject of messages about the certificate."""
        return f"officer:{self.pk}"

    def is_away_on(self, day: date) -> bool:
        return (
            self.away_from is not None
            and self.away_from <= day
            and (self.away_until is None or day <= self.away_until)
        )

    def is_certified_on(self, day: date) -> bool:
        """Whether this officer may take part in an inspection on `day`; as `available_on`."""
        return (
            self.user.is_active
            and self.certified_from <= day <= self.certified_until
            and not self.is_away_on(day)
        )

    def validity_on(self, day: date) -> Validity:
        """In words; EXPIRING from CERTIFICATE_WARNING_DAYS before the last day."""
        if self.is_away_on(day):
            return Validity.OFF_DUTY
        if day > self.certified_until:
            return Validity.EXPIRED
        if day < self.certified_from:
            return Validity.NOT_YET
        soon = (self.certified_until - day).days <= settings.CERTIFICATE_WARNING_DAYS
        return Validity.EXPIRING if soon else Validity.VALID


class DutyChange(models.Model):
    """离岗、离职、调离, or back on duty (no absence): from which day, why, and who said so.

    The reason may be private (illness), so the ledger has its digest only.
    """

    officer = models.ForeignKey(Officer, on_delete=models.CASCADE, related_name="duty_changes")
    absence = models.CharField("不在岗", max_length=12, choices=Absence, blank=True)
    on = models.DateField("自")
    reason = models.CharField("原因", max_length=200, blank=True)
    changed_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    changed_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-changed_at", "-pk"]

    def __str__(self) -> str:
        return f"{self.officer} {self.get_absence_display() or '在岗'} {self.on}"


class CertificateWarning(models.Model):
    """That officer and department were told about a certificate's end; the row keeps it from being told twice."""

    officer = models.ForeignKey(Officer, on_delete=models.CASCADE, related_name="warnings")
    kind = models.CharField(max_length=10, choices=Warned)
    certified_until = models.DateField()
    told_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["officer", "kind", "certified_until"], name="departments_one_warning_each"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.officer_id} {self.kind} {self.certified_until}"
