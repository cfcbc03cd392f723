"""Who takes part in a scenario besides its lead, and whom to call there."""

from django.db import models
from django.db.models import Q

from departments.models import Department, Officer, User
from scenarios.enums import ParticipantState
from scenarios.models.matrices import Scenario


class ScenarioParticipant(models.Model):
    """参与部门 of a scenario: invited by its lead, or named by the matrix in force and speaking up for itself.

    A department the matrix names takes part without a row here; its row holds what it says of itself.
    """

    scenario = models.ForeignKey(Scenario, on_delete=models.CASCADE, related_name="participants")
    department = models.ForeignKey(Department, on_delete=models.PROTECT, related_name="+")
    state = models.CharField("状态", max_length=10, choices=ParticipantState)
    reason = models.TextField("谢绝理由", blank=True)
    invited_at = models.DateTimeField("邀请时间", null=True, blank=True)
    answered_at = models.DateTimeField("答复时间", null=True, blank=True)
    answered_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")

    section = models.CharField("业务科室", max_length=64, blank=True)
    contact_name = models.CharField("联系人", max_length=64, blank=True)
    contact_phone = models.CharField("联系电话", max_length=32, blank=True)
    officers = models.ManyToManyField(Officer, blank=True, related_name="+", verbose_name="拟派执法人员")

    class Meta:
        ordering = ["scenario", "department__order"]
        constraints = [
            models.UniqueConstraint(fields=["scenario", "department"], name="scenarios_participant_once"),
            models.CheckConstraint(
                condition=~Q(state=ParticipantState.DECLINED) | ~Q(reason=""),
                name="scenarios_declined_says_why",
            ),
            models.CheckConstraint(
                condition=Q(state=ParticipantState.NAMED) | Q(invited_at__isnull=False),
                name="scenarios_invited_has_a_time",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.scenario_id} × {self.department_id}"
