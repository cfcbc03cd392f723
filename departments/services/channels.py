"""Ways out of the portal for messages: SMS, a government messenger, whatever a county has.

A message is a row first, so that it stands on the desk whatever happens outside. Every channel that
`NOTIFICATION_CHANNELS` names then takes over what it has not taken yet, from the database and not from a
queue: a channel that is down for an hour misses nothing.
"""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone
from django.utils.module_loading import import_string

from departments.models import Delivery, Notification

logger = logging.getLogger(__name__)

BATCH = 200


class Channel(Protocol):
    """Takes messages over; raises when it could not, and is then asked again.

    A message may come twice when the channel took it and the portal died before it could note that.
    """

    def __call__(self, messages: Sequence[Notification]) -> None: ...


def carry(now: datetime | None = None) -> int:
    """Hand every channel what it has not taken yet; returns how many were taken. Safe to run twice."""
    since = (now or timezone.now()) - timedelta(hours=settings.NOTIFICATION_CHANNEL_HOURS)
    taken = 0
    for name in settings.NOTIFICATION_CHANNELS:
        try:
            taken += _carry(name, import_string(name), since)
        except Exception:
            # One channel that is down must not keep the others quiet; the next round asks it again.
            logger.exception("channel %s took no messages", name)
    return taken


@transaction.atomic
def _carry(name: str, channel: Channel, since: datetime) -> int:
    taken = Delivery.objects.filter(notification=OuterRef("pk"), channel=name)
    messages = list(
        Notification.objects.filter(~Exists(taken), created_at__gte=since)
        .select_related("recipient")
        .select_for_update(of=("self",), skip_locked=True)
        .order_by("created_at", "pk")[:BATCH]
    )
    if messages:
        channel(messages)
        Delivery.objects.bulk_create(Delivery(notification=row, channel=name) for row in messages)
    return len(messages)
