"""抽取: what was frozen, who gave secrets to the seed, who was drawn; nothing of it is ever deleted."""

from django.db import models
from django.db.models import Q
from django.utils import timezone

from departments.models import Department, Officer, User
from inspections.draws import rules
from inspections.draws.rules import SamplingRule
from inspections.enums import UNANNOUNCED, DrawState, InspectionState
from inspections.models.launch import JointInspection
from institutions.models import Institution

OPEN = [DrawState.COMMITTING, DrawState.REVEALING]


class DrawQuerySet(models.QuerySet):
    def published(self) -> "DrawQuerySet":
        """What anybody may read: all but those of inspections that nobody must hear of before they are over."""
        hidden = Q(joint_inspection__kind__in=UNANNOUNCED) & ~Q(
            joint_inspection__state=InspectionState.COMPLETED
        )
        return self.exclude(hidden)

    def visible_to(self, user: User) -> "DrawQuerySet":
        """What is published, and the draws of the joint inspections the account sees."""
        if not user.is_authenticated:
            return self.published()
        seen = JointInspection.objects.visible_to(user).values("pk")
        return self.filter(Q(pk__in=self.published().values("pk")) | Q(joint_inspection__in=seen))

    def open(self) -> "DrawQuerySet":
        """Frozen and still collecting secrets."""
        return self.filter(state__in=OPEN)


class Draw(models.Model):
    """One draw, from the frozen roster to its result; a redraw stands beside it (inspections/draws)."""

    joint_inspection = models.ForeignKey(JointInspection, on_delete=models.PROTECT, related_name="draws")
    number = models.PositiveSmallIntegerField("第几次抽取")
    state = models.CharField("状态", max_length=12, choices=DrawState, default=DrawState.COMMITTING)
    algorithm = models.CharField("算法", max_length=32)
    rule = models.JSONField("抽取规则")
    rule_digest = models.CharField("规则摘要", max_length=64, blank=True)
    roster_size = models.PositiveIntegerField("名单数")
    roster_digest = models.CharField("名单摘要", max_length=128)
    digest_algorithm = models.CharField(max_length=16)
    # [{"stratum": "D", "members": 12, "drawn": 12, "probability": "12/12"}, …]
    strata = models.JSONField("各层", default=list)
    size = models.PositiveIntegerField("抽取数")
    # The portal's own part of the seed: its commitment is public from the start, the secret only once drawn.
    portal_commitment = models.CharField("门户的承诺", max_length=64, blank=True)
    portal_secret = models.CharField("门户的秘密数", max_length=128, blank=True)
    seed = models.CharField("种子", max_length=64, blank=True)
    frozen_at = models.DateTimeField("名单固定时间", default=timezone.now)
    frozen_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    commit_by = models.DateTimeField("承诺截止时间", null=True, blank=True)
    reveal_by = models.DateTimeField("公开截止时间", null=True, blank=True)
    drawn_at = models.DateTimeField("抽取时间", null=True, blank=True)
    # Why it does not stand: who withheld a secret, or why it was drawn again and which 负责人 let it be.
    ended_reason = models.CharField("不再有效的原因", max_length=500, blank=True)
    ended_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    ended_at = models.DateTimeField(null=True, blank=True)

    objects = DrawQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(fields=["joint_inspection", "number"], name="inspections_draw_numbered"),
            models.UniqueConstraint(
                fields=["joint_inspection"],
                condition=Q(state__in=[*OPEN, DrawState.DRAWN]),
                name="inspections_one_draw_stands",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=[DrawState.DRAWN, DrawState.REPLACED])
                | (~Q(seed="") & Q(drawn_at__isnull=False)),
                name="inspections_drawn_has_a_seed",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=[DrawState.VOID, DrawState.REPLACED])
                | (~Q(ended_reason="") & Q(ended_at__isnull=False)),
                name="inspections_ended_draw_says_why",
            ),
            models.CheckConstraint(
                condition=~Q(state=DrawState.REPLACED) | Q(ended_by__isnull=False),
                name="inspections_redraw_is_approved",
            ),
        ]
        indexes = [
            models.Index(fields=["state"], condition=Q(state__in=OPEN), name="inspections_open_draws"),
        ]

    def __str__(self) -> str:
        return f"第 {self.number} 次抽取：{self.roster_size} 中抽 {self.size}"

    @property
    def subject(self) -> str:
        """How notifications name this draw; its ledger entries stand on the joint inspection's chain."""
        return f"draw:{self.pk}"

    @property
    def sampling_rule(self) -> SamplingRule:
        return rules.from_json(self.rule)

    @property
    def is_open(self) -> bool:
        return self.state in OPEN

    @property
    def is_drawn(self) -> bool:
        """Whether there is a result to see, standing or not."""
        return bool(self.seed)


class DrawRoster(models.Model):
    """The roster as it was frozen and digested: what `inspections/draws/publication.py` calls `roster`."""

    draw = models.OneToOneField(Draw, on_delete=models.PROTECT, related_name="roster")
    content = models.JSONField()
    # What the choice of officers depends on, fixed when generating begins (inspections/services/assignment.py).
    teams = models.JSONField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.draw_id} 名单"


class RosterOfficer(models.Model):
    """Which officer a code of the published roster stands for."""

    draw = models.ForeignKey(Draw, on_delete=models.PROTECT, related_name="officers")
    officer = models.ForeignKey(Officer, on_delete=models.PROTECT, related_name="+")
    department = models.ForeignKey(Department, on_delete=models.PROTECT, related_name="+")
    code = models.CharField("编号", max_length=48)

    class Meta:
        ordering = ["draw", "code"]
        constraints = [
            models.UniqueConstraint(fields=["draw", "code"], name="inspections_code_once_a_draw"),
            models.UniqueConstraint(
                fields=["draw", "officer", "department"], name="inspections_officer_once_a_roster"
            ),
        ]

    def __str__(self) -> str:
        return self.code


class DrawnInstitution(models.Model):
    draw = models.ForeignKey(Draw, on_delete=models.CASCADE, related_name="drawn")
    institution = models.ForeignKey(Institution, on_delete=models.PROTECT, related_name="+")
    position = models.PositiveIntegerField("次序")
    stratum = models.CharField("分层", max_length=64, blank=True)

    class Meta:
        ordering = ["draw", "position"]
        constraints = [
            models.UniqueConstraint(fields=["draw", "institution"], name="inspections_drawn_once"),
            models.UniqueConstraint(fields=["draw", "position"], name="inspections_one_drawn_a_position"),
        ]

    def __str__(self) -> str:
        return f"{self.position}. {self.institution_id}"


class DrawContribution(models.Model):
    """A department's part of the seed: the commitment first, the secret after all commitments stand."""

    draw = models.ForeignKey(Draw, on_delete=models.PROTECT, related_name="contributions")
    department = models.ForeignKey(Department, on_delete=models.PROTECT, related_name="+")
    commitment = models.CharField("承诺", max_length=64)
    committed_at = models.DateTimeField("承诺时间", default=timezone.now)
    committed_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    secret = models.CharField("秘密数", max_length=128, blank=True)
    revealed_at = models.DateTimeField("公开时间", null=True, blank=True)
    revealed_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        ordering = ["department__code"]
        constraints = [
            models.UniqueConstraint(
                fields=["draw", "department"], name="inspections_one_contribution_a_department"
            ),
            models.CheckConstraint(
                condition=Q(secret="", revealed_at=None)
                | (~Q(secret="") & Q(revealed_at__isnull=False, revealed_by__isnull=False)),
                name="inspections_revealed_by_somebody",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.department} {'已公开' if self.secret else '已承诺'}"
