"""The item library: what each check and penalty item says."""

from django.contrib.postgres.fields import ArrayField
from django.db import models

from departments.models import Department
from institutions.enums import Feature, InstitutionKind
from scenarios.enums import BasisState


class ItemText(models.Model):
    """What an item says; the library holds the living text, a published version its own copy."""

    name = models.TextField("事项名称")
    law = models.TextField("法律法规", blank=True)
    article = models.TextField("条款", blank=True)
    basis = models.TextField("依据", blank=True)
    basis_state = models.CharField(
        "依据状态", max_length=12, choices=BasisState, default=BasisState.UNVERIFIED
    )

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.name

    @property
    def citation(self) -> str:
        """Law and article in one breath, e.g. 《消防法》第六十条第一款第三项."""
        return f"{self.law}{self.article}"

    @property
    def grounds(self) -> str:
        """The basis as a reader wants it: law and article first, and nothing said twice."""
        if self.citation in self.basis:
            return self.basis
        return f"{self.citation}。{self.basis}" if self.basis else self.citation


class CheckItemText(ItemText):
    content = models.TextField("检查内容", blank=True)
    method = models.TextField("检查方式", blank=True)
    procedure = models.TextField("检查流程", blank=True)
    guide = models.TextField("现场看什么", blank=True)
    required_features = ArrayField(
        models.CharField(max_length=32, choices=Feature),
        verbose_name="适用条件（机构须具备）",
        default=list,
        blank=True,
    )
    institution_kinds = ArrayField(
        models.CharField(max_length=32, choices=InstitutionKind),
        verbose_name="适用机构类型",
        default=list,
        blank=True,
    )
    # Ticked for a department that never answers, where the lead chose so at launch.
    mandatory = models.BooleanField("必查事项", default=False)
    rectification_days = models.PositiveSmallIntegerField("默认整改天数", null=True, blank=True)

    class Meta:
        abstract = True

    @property
    def applicability(self) -> str:
        """One phrase on whom the item concerns, e.g. 设有食堂的机构; 全部机构 without a condition."""
        features = "且".join(Feature(value).label for value in self.required_features)
        if features and not features.endswith("单位"):
            features += "的机构"
        return "，".join(part for part in (features, self._kinds_in_words()) if part) or "全部机构"

    def _kinds_in_words(self) -> str:
        """The shorter of what is meant and what is not."""
        meant = [kind for kind in InstitutionKind if kind in self.institution_kinds]
        others = [kind for kind in InstitutionKind if kind not in self.institution_kinds]
        if meant and len(meant) > len(others):
            return "不含" + "、".join(kind.label for kind in others) if others else ""
        return "、".join(kind.label for kind in meant)


class PenaltyItemText(ItemText):
    penalty_range = models.TextField("处罚种类与幅度", blank=True)

    class Meta:
        abstract = True


class LibraryQuerySet(models.QuerySet):
    def in_use(self) -> "LibraryQuerySet":
        """Items that new drafts may take up."""
        return self.filter(retired_at=None)


class LibraryItem(models.Model):
    """Life of an item in the library: in use until its keepers retire it, which versions never notice."""

    retired_at = models.DateTimeField("停用时间", null=True, blank=True)

    objects = LibraryQuerySet.as_manager()

    class Meta:
        abstract = True

    @property
    def is_retired(self) -> bool:
        return self.retired_at is not None


class CheckItem(LibraryItem, CheckItemText):
    """检查事项 of the item library; implemented, and edited, by one department."""

    department = models.ForeignKey(Department, on_delete=models.PROTECT, related_name="check_items")

    class Meta:
        ordering = ["department__order", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["department", "name"], name="scenarios_one_check_item_of_a_name"),
        ]

    @property
    def subject(self) -> str:
        """The subject of this item's own ledger chain."""
        return f"check_item:{self.pk}"


class PenaltyItem(LibraryItem, PenaltyItemText):
    """处罚事项 of the item library; whom the matrix does not tell to keep it, the one that registered it does."""

    department = models.ForeignKey(
        Department,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="penalty_items",
        verbose_name="登记部门",
    )

    class Meta:
        ordering = ["pk"]
        constraints = [models.UniqueConstraint(fields=["name"], name="scenarios_one_penalty_item_of_a_name")]

    @property
    def subject(self) -> str:
        """The subject of this item's own ledger chain."""
        return f"penalty_item:{self.pk}"
