"""What a lead department launches, whom it concerns, who takes part and what they ticked."""

from typing import Any

from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from guardian.models import GroupObjectPermissionBase, UserObjectPermissionBase
from guardian.shortcuts import get_objects_for_user

from departments.models import Department, User
from inspections.draws import rules
from inspections.draws.rules import SamplingRule
from inspections.enums import (
    ABSTAINING,
    UNANNOUNCED,
    Cause,
    InspectionKind,
    InspectionState,
    ParticipationState,
    RequestState,
    ScopeSource,
    SilenceRule,
)
from inspections.models.plans import PlanRound
from institutions.models import Institution
from scenarios.models import CheckItem, PublishedItem, ScenarioVersion


def everybody() -> dict[str, Any]:
    """全部抽取"""
    return SamplingRule(rules.everything()).as_json()


class JointInspectionQuerySet(models.QuerySet):
    def visible_to(self, user: User) -> "JointInspectionQuerySet":
        """The lead from the draft on, participants from approval on; overseers everything approved."""
        if user.oversees:
            return self.exclude(state=InspectionState.DRAFT)
        return get_objects_for_user(user, "view_jointinspection", klass=self, accept_global_perms=False)


class JointInspection(models.Model):
    """联合检查"""

    number = models.CharField("编号", max_length=32, unique=True)
    name = models.CharField("名称", max_length=128)
    kind = models.CharField("检查类型", max_length=10, choices=InspectionKind)
    cause = models.CharField("任务来源", max_length=10, choices=Cause, default=Cause.PLAN)
    plan_round = models.ForeignKey(
        PlanRound, on_delete=models.PROTECT, null=True, blank=True, related_name="joint_inspections"
    )
    purpose = models.TextField("说明", blank=True)
    lead_department = models.ForeignKey(
        Department, on_delete=models.PROTECT, related_name="led_inspections", verbose_name="牵头部门"
    )
    versions = models.ManyToManyField(
        ScenarioVersion, through="JointInspectionVersion", related_name="joint_inspections"
    )
    window_from = models.DateField("检查开始日期")
    window_until = models.DateField("检查截止日期")
    tick_deadline = models.DateTimeField("勾选截止时间")
    silence_rule = models.CharField(
        "逾期未答复的处理", max_length=10, choices=SilenceRule, default=SilenceRule.NONE
    )
    # What inspections.draws.rules.SamplingRule wrote of itself.
    sampling_rule = models.JSONField("抽取规则", default=everybody)
    # The filter the scope came from, as the register's list page spells it; hand-picked ones are Candidates too.
    scope_filter = models.JSONField(default=dict, blank=True)
    state = models.CharField("状态", max_length=20, choices=InspectionState, default=InspectionState.DRAFT)
    # Nobody for what the portal drafted by itself, until a clerk asks for approval.
    launched_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    approved_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    approved_at = models.DateTimeField("审批时间", null=True, blank=True)
    # Sent out before anybody approved it: why, and until when the approval must be made up for.
    emergency_reason = models.CharField("紧急情况", max_length=500, blank=True)
    approval_due_on = models.DateField("补办审批期限", null=True, blank=True)
    sent_back_reason = models.TextField("审批退回意见", blank=True)
    # Why it goes where others have just been, or will be (inspections/services/visit_budget.py).
    overlap_reason = models.CharField("再查的理由", max_length=500, blank=True)
    ticking_closed_at = models.DateTimeField("勾选截止于", null=True, blank=True)
    cancelled_reason = models.TextField("取消原因", blank=True)

    objects = JointInspectionQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]
        permissions = [("tick_jointinspection", "勾选检查事项"), ("lead_jointinspection", "牵头联合检查")]
        constraints = [
            models.CheckConstraint(
                condition=Q(window_until__gte=F("window_from")), name="inspections_window_in_order"
            ),
            models.CheckConstraint(
                condition=Q(state__in=[InspectionState.DRAFT, InspectionState.AWAITING_APPROVAL])
                | Q(state=InspectionState.CANCELLED)
                | Q(approved_by__isnull=False, approved_at__isnull=False)
                | (~Q(emergency_reason="") & Q(approval_due_on__isnull=False)),
                name="inspections_nothing_goes_out_unapproved",
            ),
            models.CheckConstraint(
                condition=~Q(state=InspectionState.COMPLETED) | Q(approved_at__isnull=False),
                name="inspections_completed_is_approved",
            ),
            models.CheckConstraint(
                condition=Q(state__in=[InspectionState.DRAFT, InspectionState.CANCELLED])
                | Q(launched_by__isnull=False),
                name="inspections_somebody_asks_for_approval",
            ),
        ]
        indexes = [
            models.Index(
                fields=["tick_deadline"],
                condition=Q(state=InspectionState.TICKING),
                name="inspections_due_ticking",
            ),
            models.Index(fields=["-created_at", "id"], name="inspections_newest"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def subject(self) -> str:
        """The subject of this joint inspection's ledger chain."""
        return f"joint_inspection:{self.pk}"

    @property
    def went_out(self) -> bool:
        """Whether departments were told: approved, or sent out in an emergency."""
        return bool(self.approved_at or self.emergency_reason)

    @property
    def awaits_approval_afterwards(self) -> bool:
        """Whether an emergency's approval is still to be made up for."""
        return bool(self.emergency_reason) and not self.approved_at

    @property
    def is_announced(self) -> bool:
        """Whether institutions are told before the visit."""
        return self.kind not in UNANNOUNCED

    @property
    def sampling(self) -> SamplingRule:
        return rules.from_json(self.sampling_rule)


class JointInspectionUserObjectPermission(UserObjectPermissionBase):
    content_object = models.ForeignKey(JointInspection, on_delete=models.CASCADE)


class JointInspectionGroupObjectPermission(GroupObjectPermissionBase):
    content_object = models.ForeignKey(JointInspection, on_delete=models.CASCADE)


class JointInspectionVersion(models.Model):
    """The published versions a joint inspection started with, and keeps."""

    joint_inspection = models.ForeignKey(JointInspection, on_delete=models.CASCADE)
    version = models.ForeignKey(ScenarioVersion, on_delete=models.PROTECT)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["joint_inspection", "version"], name="inspections_version_once"),
        ]

    def __str__(self) -> str:
        return f"{self.joint_inspection_id} × {self.version_id}"


class Candidate(models.Model):
    """An institution in scope, fixed when approval is asked for."""

    joint_inspection = models.ForeignKey(JointInspection, on_delete=models.CASCADE, related_name="candidates")
    institution = models.ForeignKey(Institution, on_delete=models.PROTECT, related_name="+")
    source = models.CharField(max_length=10, choices=ScopeSource)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["joint_inspection", "institution"], name="inspections_candidate_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.joint_inspection_id} × {self.institution_id}"


class DueCheck(models.Model):
    """法定检查: a check the law wants of one institution, or of all who receive subsidies, and its day."""

    kind = models.CharField("检查类型", max_length=10, choices=InspectionKind)
    institution = models.ForeignKey(
        Institution, on_delete=models.PROTECT, null=True, blank=True, related_name="due_checks"
    )
    since = models.DateField("起算日")
    due_on = models.DateField("应完成日期")
    joint_inspection = models.OneToOneField(
        JointInspection, on_delete=models.PROTECT, related_name="due_check"
    )

    class Meta:
        ordering = ["due_on", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "institution", "since"],
                nulls_distinct=False,
                name="inspections_one_due_check_each",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.due_on}"


class Participation(models.Model):
    """参与部门 of a joint inspection and how far its answer is."""

    joint_inspection = models.ForeignKey(
        JointInspection, on_delete=models.CASCADE, related_name="participations"
    )
    department = models.ForeignKey(Department, on_delete=models.PROTECT, related_name="participations")
    state = models.CharField(
        "状态", max_length=10, choices=ParticipationState, default=ParticipationState.INVITED
    )
    # Why it does not take part, or which system of its own it uses.
    reason = models.TextField("说明", blank=True)
    # When it was last asked: at approval, and whenever the deadline moved.
    asked_at = models.DateTimeField("通知时间", default=timezone.now)
    seen_at = models.DateTimeField(null=True, blank=True)
    answered_at = models.DateTimeField("答复时间", null=True, blank=True)
    answered_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")

    late_until = models.DateTimeField("准许补勾至", null=True, blank=True)
    late_reason = models.CharField("准许补勾的理由", max_length=500, blank=True)

    class Meta:
        ordering = ["department__order"]
        constraints = [
            models.UniqueConstraint(
                fields=["joint_inspection", "department"], name="inspections_department_once"
            ),
            models.CheckConstraint(
                condition=~Q(state__in=ABSTAINING) | ~Q(reason=""),
                name="inspections_abstaining_says_why",
            ),
            models.CheckConstraint(
                condition=Q(late_until__isnull=True, late_reason="")
                | (Q(late_until__isnull=False) & ~Q(late_reason="")),
                name="inspections_late_has_a_reason",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.department} {self.get_state_display()}"


class TickReminder(models.Model):
    """A department was told that the deadline is near; once for each deadline and distance."""

    participation = models.ForeignKey(Participation, on_delete=models.CASCADE, related_name="reminders")
    deadline = models.DateTimeField()
    workdays = models.PositiveSmallIntegerField("距截止的工作日")
    sent_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["participation", "deadline", "workdays"], name="inspections_reminded_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.participation_id} {self.deadline:%Y-%m-%d} -{self.workdays}"


class Tick(models.Model):
    """勾选: one check item of the versions, offered to its department; `rev` guards every change."""

    joint_inspection = models.ForeignKey(JointInspection, on_delete=models.CASCADE, related_name="ticks")
    department = models.ForeignKey(Department, on_delete=models.PROTECT, related_name="ticks")
    check_item = models.ForeignKey(CheckItem, on_delete=models.PROTECT, related_name="+")
    item = models.ForeignKey(PublishedItem, on_delete=models.PROTECT, related_name="+")
    ticked = models.BooleanField("已勾选", default=False)
    note = models.CharField("备注", max_length=500, blank=True)
    rev = models.PositiveIntegerField(default=0)
    changed_at = models.DateTimeField(null=True, blank=True)
    changed_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        ordering = ["department__order", "item"]
        constraints = [
            models.UniqueConstraint(
                fields=["joint_inspection", "check_item"], name="inspections_one_tick_an_item"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.check_item_id} {'✓' if self.ticked else '—'}"


class ItemRequest(models.Model):
    """提请: a department asks the owner of an item to tick it; it counts once the owner does."""

    tick = models.ForeignKey(Tick, on_delete=models.CASCADE, related_name="requests")
    department = models.ForeignKey(Department, on_delete=models.PROTECT, related_name="item_requests")
    reason = models.CharField("理由", max_length=500)
    state = models.CharField(max_length=10, choices=RequestState, default=RequestState.REQUESTED)
    answer = models.CharField("答复", max_length=500, blank=True)
    requested_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    requested_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tick", "department"], name="inspections_one_request_each"),
        ]

    def __str__(self) -> str:
        return f"{self.department} → {self.tick_id}"
