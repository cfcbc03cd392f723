"""In-app messages to accounts."""

from collections.abc import Iterable

from django.utils import timezone

from departments.enums import NotificationKind, Role
from departments.models import Department, Notification, User


def notify(
    department: Department,
    text: str,
    *,
    subject: str = "",
    roles: Iterable[Role] = (Role.HANDLER,),
    kind: NotificationKind = NotificationKind.WORK,
) -> None:
    """Tell everybody who holds one of `roles` in the department; `subject` is a key like `referral:12`."""
    notify_users(
        User.objects.filter(
            is_active=True, posts__department=department, posts__role__in=list(roles)
        ).distinct(),
        text,
        subject=subject,
        kind=kind,
    )


def notify_users(
    users: Iterable[User], text: str, *, subject: str = "", kind: NotificationKind = NotificationKind.WORK
) -> None:
    """One message to each account."""
    Notification.objects.bulk_create(
        Notification(recipient=user, text=text[:300], subject=subject, kind=kind) for user in users
    )


def mark_read(user: User, *, notification: int | None = None, subject: str = "") -> int:
    """Mark the account's unread messages read: one, those about a subject, or all; return how many."""
    unread = user.notifications.filter(read_at=None)
    if notification is not None:
        unread = unread.filter(pk=notification)
    if subject:
        unread = unread.filter(subject=subject)
    return unread.update(read_at=timezone.now())
