"""In-app messages."""

from django.db import models
from django.db.models import Q
from django.utils import timezone

from departments.enums import NotificationKind
from departments.models.accounts import User


class Notification(models.Model):
    """An in-app message to one account about a subject (`referral:12`); the roof knows its page."""

    recipient = models.ForeignKey(User, on_delete=models.CASCADE, related_name="notifications")
    kind = models.CharField(max_length=10, choices=NotificationKind, default=NotificationKind.WORK)
    text = models.CharField("内容", max_length=300)
    subject = models.CharField("对象键", max_length=128, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    read_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at", "-pk"]
        indexes = [
            models.Index(fields=["created_at"], name="departments_newest_message"),
            models.Index(fields=["recipient"], condition=Q(read_at__isnull=True), name="departments_unread"),
            models.Index(fields=["recipient", "-created_at"], name="departments_inbox"),
        ]

    def __str__(self) -> str:
        return self.text


class Delivery(models.Model):
    """A channel outside the portal took the message over; once each (services/channels.py)."""

    notification = models.ForeignKey(Notification, on_delete=models.CASCADE, related_name="deliveries")
    channel = models.CharField(max_length=200)
    delivered_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["notification", "channel"], name="departments_delivered_once"),
        ]

    def __str__(self) -> str:
        return f"{self.notification_id} → {self.channel}"
