"""The matrix: scenarios and their versions, delegations of penalty power to towns."""

import uuid
from datetime import date

from django.db import models
from django.db.models import Q
from django.utils import timezone
from guardian.models import GroupObjectPermissionBase, UserObjectPermissionBase
from guardian.shortcuts import get_objects_for_user

from core.models import StoredFile
from departments.models import Department, Sector, User
from scenarios.enums import DelegationList, ParticipantState, PenaltyBodyKind, RowPart, VersionState
from scenarios.models.library import CheckItem, CheckItemText, PenaltyItem, PenaltyItemText


class ScenarioQuerySet(models.QuerySet):
    def visible_to(self, user: User) -> "ScenarioQuerySet":
        """Scenarios with a published version are everybody's reading, others their editors' own and theirs
        whom the lead asked to take part."""
        if user.oversees or any(not post.department_id for post in user.held_posts):
            return self
        editable = self.editable_by(user).values("pk")
        published = ScenarioVersion.objects.exclude(state=VersionState.DRAFT).values("scenario")
        own = [department.pk for department in user.departments_as()]
        asked = Scenario.objects.filter(
            participants__department__in=own,
            participants__state__in=set(ParticipantState) - {ParticipantState.DECLINED},
        ).values("pk")
        return self.filter(Q(pk__in=published) | Q(pk__in=editable) | Q(pk__in=asked))

    def editable_by(self, user: User) -> "ScenarioQuerySet":
        """Scenarios whose lead department's group this account shares."""
        return get_objects_for_user(user, "edit_scenario", klass=self, accept_global_perms=False)


class Scenario(models.Model):
    """一件事（主题）, led by one department."""

    name = models.CharField("主题", max_length=128, unique=True)
    lead_department = models.ForeignKey(
        Department, on_delete=models.PROTECT, related_name="scenarios", verbose_name="牵头部门"
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = ScenarioQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        permissions = [("edit_scenario", "编辑一件事")]

    def __str__(self) -> str:
        return self.name

    @property
    def subject(self) -> str:
        return f"scenario:{self.pk}"


class ScenarioUserObjectPermission(UserObjectPermissionBase):
    content_object = models.ForeignKey(Scenario, on_delete=models.CASCADE)


class ScenarioGroupObjectPermission(GroupObjectPermissionBase):
    content_object = models.ForeignKey(Scenario, on_delete=models.CASCADE)


class ScenarioVersionQuerySet(models.QuerySet):
    def visible_to(self, user: User) -> "ScenarioVersionQuerySet":
        """Published and retired versions are everybody's reading; a draft only its editors'."""
        if user.oversees or any(not post.department_id for post in user.held_posts):
            return self
        editable = Scenario.objects.editable_by(user).values("pk")
        return self.filter(~Q(state=VersionState.DRAFT) | Q(scenario__in=editable))

    def in_force(self, day: date) -> "ScenarioVersionQuerySet":
        """Versions that were or are in force on `day`, both ends included; never a draft."""
        return self.exclude(state=VersionState.DRAFT).filter(
            Q(effective_until=None) | Q(effective_until__gte=day), effective_from__lte=day
        )


class ScenarioVersion(models.Model):
    """One version of the matrix; triggers keep a published one as it was."""

    scenario = models.ForeignKey(Scenario, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveSmallIntegerField("版本号")
    title = models.CharField("标题", max_length=200)
    state = models.CharField("状态", max_length=10, choices=VersionState, default=VersionState.DRAFT)
    source_file = models.ForeignKey(StoredFile, on_delete=models.PROTECT, null=True, blank=True)
    # How the attachment prints it: {"title": [[{text, colspan}]], "header": [[{text, colspan, rowspan}]],
    # "columns": [{text, role}], "repeat_header_after": [line, …], "merges": [[top, left, bottom, right], …]};
    # lines and columns count from 0.
    layout = models.JSONField(default=dict)
    digest = models.CharField("内容摘要", max_length=128, blank=True)
    effective_from = models.DateField("生效日期", null=True, blank=True)
    effective_until = models.DateField("失效日期", null=True, blank=True)
    # Why it was retired without a successor; "" when the next version took its place.
    retired_reason = models.CharField("停用原因", max_length=500, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    published_at = models.DateTimeField("发布时间", null=True, blank=True)
    published_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")

    objects = ScenarioVersionQuerySet.as_manager()

    class Meta:
        ordering = ["scenario", "-number"]
        constraints = [
            models.UniqueConstraint(fields=["scenario", "number"], name="scenarios_one_version_of_a_number"),
            models.UniqueConstraint(
                fields=["scenario"],
                condition=Q(state=VersionState.PUBLISHED),
                name="scenarios_one_version_in_force",
            ),
            models.CheckConstraint(
                condition=Q(state=VersionState.DRAFT)
                | Q(published_at__isnull=False, effective_from__isnull=False),
                name="scenarios_published_has_dates",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.scenario.name} {self.short_name}"

    @property
    def short_name(self) -> str:
        return f"第{self.number}版"

    @property
    def is_draft(self) -> bool:
        return self.state == VersionState.DRAFT


class PublishedItem(CheckItemText):
    """A check item's text as it stood when the version was published."""

    version = models.ForeignKey(ScenarioVersion, on_delete=models.PROTECT, related_name="items")
    check_item = models.ForeignKey(CheckItem, on_delete=models.PROTECT, related_name="published")
    department = models.ForeignKey(Department, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["version", "check_item"], name="scenarios_item_published_once"),
        ]


class PublishedPenalty(PenaltyItemText):
    """A penalty item's text as it stood when the version was published."""

    version = models.ForeignKey(ScenarioVersion, on_delete=models.PROTECT, related_name="penalties")
    penalty_item = models.ForeignKey(PenaltyItem, on_delete=models.PROTECT, related_name="published")

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["version", "penalty_item"], name="scenarios_penalty_published_once"
            ),
        ]


class MatrixRowQuerySet(models.QuerySet):
    def in_force(self) -> "MatrixRowQuerySet":
        """Rows of published versions: what everybody may read and goes by."""
        return self.filter(version__state=VersionState.PUBLISHED)

    def implementing(self) -> "MatrixRowQuerySet":
        """Rows whose department checks something itself; those of 配合部门 have no item of their own."""
        return self.filter(part=RowPart.IMPLEMENTING)


class MatrixRow(models.Model):
    """矩阵行: a printed line as it stands in the attachment, and what it was resolved to.

    A line that names several departments is several rows with the same `line` and cells, one for each.
    """

    version = models.ForeignKey(ScenarioVersion, on_delete=models.CASCADE, related_name="rows")
    position = models.PositiveSmallIntegerField("行次")
    line = models.PositiveSmallIntegerField("印刷行次")
    part = models.CharField("承担方式", max_length=12, choices=RowPart, default=RowPart.IMPLEMENTING)

    # One text a column of the version's layout; what a merged area prints stands in every line it covers.
    cells = models.JSONField("各列文字", default=list)
    # Columns printed blank whose text was inferred → where it was taken from ({"2": "C24"}).
    inferred = models.JSONField("推断的列", default=dict, blank=True)

    number = models.CharField("序号", max_length=32, blank=True)
    situation = models.TextField("一件事情形", blank=True)
    sector_text = models.CharField("条线", max_length=64, blank=True)
    check_text = models.TextField("检查事项", blank=True)
    check_department_text = models.CharField("检查实施部门", max_length=500, blank=True)
    penalty_text = models.TextField("处罚事项", blank=True)
    penalty_department_text = models.CharField("处罚实施部门", max_length=500, blank=True)
    sampling_text = models.CharField("抽查比例和频次", max_length=500, blank=True)
    # The sampling rule the text above was understood as (scenarios/services/sampling.py); {} when it was not.
    sampling = models.JSONField("抽取规则", default=dict, blank=True)

    sector = models.ForeignKey(Sector, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    check_item = models.ForeignKey(
        CheckItem, on_delete=models.PROTECT, null=True, blank=True, related_name="rows"
    )
    check_department = models.ForeignKey(Department, on_delete=models.PROTECT, related_name="+")
    penalty_item = models.ForeignKey(
        PenaltyItem, on_delete=models.PROTECT, null=True, blank=True, related_name="rows"
    )
    penalty_body = models.CharField("处罚实施主体", max_length=16, choices=PenaltyBodyKind)
    penalty_department = models.ForeignKey(
        Department, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    delegation_list = models.CharField("赋权清单", max_length=10, choices=DelegationList, blank=True)

    item = models.ForeignKey(PublishedItem, on_delete=models.PROTECT, null=True, related_name="rows")
    penalty = models.ForeignKey(PublishedPenalty, on_delete=models.PROTECT, null=True, related_name="rows")

    objects = MatrixRowQuerySet.as_manager()

    class Meta:
        ordering = ["version", "position"]
        constraints = [
            models.UniqueConstraint(fields=["version", "position"], name="scenarios_one_row_a_position"),
            models.CheckConstraint(
                condition=Q(part=RowPart.IMPLEMENTING, check_item__isnull=False)
                | Q(part=RowPart.PARTNER, check_item__isnull=True, penalty_body=PenaltyBodyKind.NONE),
                name="scenarios_implementing_row_has_an_item",
            ),
            models.CheckConstraint(
                condition=Q(
                    penalty_body=PenaltyBodyKind.DEPARTMENT,
                    penalty_department__isnull=False,
                    penalty_item__isnull=False,
                    delegation_list="",
                )
                | (
                    Q(
                        penalty_body=PenaltyBodyKind.DELEGATED_TOWN,
                        penalty_department__isnull=True,
                        penalty_item__isnull=False,
                    )
                    & ~Q(delegation_list="")
                )
                | Q(penalty_body=PenaltyBodyKind.NONE, penalty_department__isnull=True, delegation_list=""),
                name="scenarios_row_names_one_penalty_body",
            ),
        ]

    def __str__(self) -> str:
        return f"第{self.number or self.line + 1}行"

    @property
    def penalty_body_in_words(self) -> str:
        """Who implements the row's penalty, in full; towns by the list they take it up from."""
        if self.penalty_body == PenaltyBodyKind.DELEGATED_TOWN:
            return f"承接{self.get_delegation_list_display()}的乡镇（街道）"
        return self.penalty_department.name if self.penalty_department else ""

    @property
    def printed(self) -> list[str]:
        """The cells exactly as the attachment prints them, left to right: an inferred one is blank there."""
        return ["" if str(column) in self.inferred else text for column, text in enumerate(self.cells)]


class MatrixUploadQuerySet(models.QuerySet):
    def visible_to(self, user: User) -> "MatrixUploadQuerySet":
        """An upload in progress is nobody else's business."""
        return self.filter(uploaded_by=user)


class MatrixUpload(models.Model):
    """A workbook between upload and answers: kept until it becomes a draft or is given up."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    file = models.ForeignKey(StoredFile, on_delete=models.PROTECT, related_name="+")
    # What was said of its columns: {"sheet", "top", "bottom", "roles"}; {} while the headings speak for themselves.
    columns = models.JSONField(default=dict, blank=True)
    # Words by question, as scenarios/services/problems.py has them.
    answers = models.JSONField(default=dict, blank=True)
    uploaded_by = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = MatrixUploadQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return self.file.name


class ColumnLayout(models.Model):
    """What the columns of a sheet with these headings mean, as somebody once said."""

    fingerprint = models.CharField(max_length=128, unique=True)
    headings = models.JSONField()
    roles = models.JSONField()
    learnt_from = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    learnt_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return "、".join(self.headings)
