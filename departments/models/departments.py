"""Bureaus and towns, the names they go by, and the lines of work (条线)."""

from datetime import date

from django.contrib.auth.models import Group
from django.db import models
from django.db.models import Q
from django.utils import timezone

from departments.enums import AliasOrigin, DepartmentKind


class Town(models.Model):
    code = models.CharField("行政区划代码", max_length=12, unique=True)
    name = models.CharField("名称", max_length=64, unique=True)

    class Meta:
        ordering = ["code"]

    def __str__(self) -> str:
        return self.name


class DepartmentQuerySet(models.QuerySet):
    def with_certified(self, day: date) -> "DepartmentQuerySet":
        """Each, in order, with `certified`: how many of its officers may inspect on `day`."""
        return self.annotate(
            certified=models.Count("officers", filter=available(day, day, prefix="officers__"))
        ).order_by(*Department._meta.ordering)  # a grouped query forgets Meta.ordering


def available(first: date, last: date, *, prefix: str = "") -> Q:
    """Officers who can go on every day of a period: account open, 执法证 valid throughout, away on none."""
    return Q(
        Q(**{f"{prefix}away_from": None})
        | Q(**{f"{prefix}away_from__gt": last})
        | Q(**{f"{prefix}away_until__lt": first}),
        **{
            f"{prefix}user__is_active": True,
            f"{prefix}certified_from__lte": first,
            f"{prefix}certified_until__gte": last,
        },
    )


class Department(models.Model):
    """A bureau of the city, or a town acting as one (`town` set)."""

    code = models.SlugField("代号", max_length=32, unique=True)
    name = models.CharField("全称", max_length=128, unique=True)
    short_name = models.CharField("简称", max_length=64, unique=True)
    kind = models.CharField("类别", max_length=10, choices=DepartmentKind)
    town = models.OneToOneField(
        Town, on_delete=models.PROTECT, null=True, blank=True, related_name="department", verbose_name="镇街"
    )
    duties = models.TextField("职责", max_length=1000, blank=True)
    agency_code = models.CharField("机关代字", max_length=32, blank=True)
    contact_section = models.CharField("业务科室", max_length=64, blank=True)
    contact_name = models.CharField("联系人", max_length=64, blank=True)
    contact_phone = models.CharField("联系电话", max_length=32, blank=True)
    order = models.PositiveSmallIntegerField("排序", default=0)
    group = models.OneToOneField(Group, on_delete=models.PROTECT, related_name="department")

    objects = DepartmentQuerySet.as_manager()

    class Meta:
        ordering = ["order", "code"]
        constraints = [
            models.CheckConstraint(
                condition=Q(kind=DepartmentKind.TOWN, town__isnull=False)
                | Q(kind=DepartmentKind.BUREAU, town__isnull=True),
                name="departments_town_iff_kind_town",
            ),
        ]

    def __str__(self) -> str:
        return self.short_name

    @property
    def key(self) -> str:
        """How the ledger names this department, and the subject of its own chain."""
        return f"department:{self.code}"

    @property
    def is_town(self) -> bool:
        return self.kind == DepartmentKind.TOWN


class DepartmentAlias(models.Model):
    """Another name documents use for a department, e.g. 消防部门 for 消防救援大队; kept as `plain_name` makes it."""

    department = models.ForeignKey(Department, on_delete=models.CASCADE, related_name="aliases")
    alias = models.CharField("别名", max_length=128, unique=True)
    origin = models.CharField("来源", max_length=10, choices=AliasOrigin, default=AliasOrigin.REGISTERED)
    added_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(condition=~Q(alias__regex=r"\s"), name="departments_alias_without_spaces"),
        ]

    def __str__(self) -> str:
        return self.alias


class Sector(models.Model):
    """条线"""

    name = models.CharField("名称", max_length=64, unique=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name
