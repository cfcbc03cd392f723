"""公示. Dossiers and search read the apps below; only what was published is a row here."""

from django.db import models
from django.db.models import Q
from django.utils import timezone

from archive.enums import DisclosureState
from departments.models import Department, User
from inspections.models import Task
from institutions.models import Institution
from penalties.models import PenaltyCase


class DisclosureQuerySet(models.QuerySet):
    def published(self) -> "DisclosureQuerySet":
        return self.filter(state=DisclosureState.PUBLISHED)


class Disclosure(models.Model):
    """A published result of one visit, or one penalty decision. Withdrawing leaves the row as a stub."""

    task = models.OneToOneField(
        Task, on_delete=models.PROTECT, null=True, blank=True, related_name="disclosure"
    )
    penalty_case = models.OneToOneField(
        PenaltyCase, on_delete=models.PROTECT, null=True, blank=True, related_name="disclosure"
    )
    institution = models.ForeignKey(Institution, on_delete=models.PROTECT, related_name="disclosures")
    department = models.ForeignKey(Department, on_delete=models.PROTECT, related_name="disclosures")
    title = models.CharField("标题", max_length=200)
    # What a stranger reads: facts and results, no phone number and no person's name.
    content = models.JSONField(default=dict)
    state = models.CharField(
        "状态", max_length=10, choices=DisclosureState, default=DisclosureState.PUBLISHED
    )
    due_on = models.DateField("公示期限")
    published_at = models.DateTimeField("公示时间", default=timezone.now)
    published_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    withdrawn_at = models.DateTimeField("撤回时间", null=True, blank=True)
    withdrawn_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    withdrawn_reason = models.TextField("撤回原因", blank=True)

    objects = DisclosureQuerySet.as_manager()

    class Meta:
        ordering = ["-published_at", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(task__isnull=False, penalty_case__isnull=True)
                | Q(task__isnull=True, penalty_case__isnull=False),
                name="archive_disclosure_of_one_thing",
            ),
            models.CheckConstraint(
                condition=~Q(state=DisclosureState.WITHDRAWN)
                | (Q(withdrawn_at__isnull=False) & ~Q(withdrawn_reason="")),
                name="archive_withdrawn_says_why",
            ),
        ]
        indexes = [models.Index(fields=["-published_at", "id"], name="archive_newest")]

    def __str__(self) -> str:
        return self.title
