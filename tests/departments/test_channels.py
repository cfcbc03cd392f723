from datetime import timedelta

import pytest
from django.utils import timezone

from departments.enums import Role
from departments.models import Notification
from departments.services import channels, notify
from departments.tasks import carry_messages
from tests.factories.departments import make_department, make_user

pytestmark = pytest.mark.django_db

SMS, MESSENGER = f"{__name__}.sms", f"{__name__}.messenger"
sent: list[tuple[str, str]] = []


def sms(messages) -> None:
    sent.extend((message.recipient.name, message.text) for message in messages)


def messenger(messages) -> None:
    raise ConnectionError("no line")


@pytest.fixture(autouse=True)
def message():
    sent.clear()
    bureau = make_department("xiaofang")
    make_user(bureau, Role.HANDLER, name="王五")
    notify(bureau, "请勾选检查事项。")


def test_without_a_channel_messages_stay_in_the_portal(settings):
    settings.NOTIFICATION_CHANNELS = []
    assert (carry_messages(), Notification.objects.count()) == (0, 1)


def test_channel_takes_each_message_once(settings):
    settings.NOTIFICATION_CHANNELS = [SMS]
    assert [carry_messages(), carry_messages()] == [1, 0]
    assert sent == [("王五", "请勾选检查事项。")]


def test_channel_that_is_down_is_asked_again_and_keeps_no_other_quiet(settings, monkeypatch):
    settings.NOTIFICATION_CHANNELS = [MESSENGER, SMS]
    assert carry_messages() == 1
    monkeypatch.setattr(f"{__name__}.messenger", sms)
    assert carry_messages() == 1
    assert len(sent) == 2


def test_channel_begins_with_the_messages_of_its_day(settings):
    settings.NOTIFICATION_CHANNELS = [SMS]
    later = timezone.now() + timedelta(hours=settings.NOTIFICATION_CHANNEL_HOURS, seconds=1)
    assert channels.carry(later) == 0
