import re
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.sessions.models import Session
from django.urls import resolve, reverse
from django.utils import timezone

from tests.factories.departments import make_department
from tests.factories.inspections import clerk_of, make_inspection

LEFT = timedelta(minutes=3)
POLLING = re.compile(r"hx-get=\"\{% url '([\w:]+)' [^>]*hx-trigger=\"every")


@pytest.fixture
def inspection():
    return make_inspection()


@pytest.fixture
def idle(client, inspection):
    """A clerk whose login has three minutes left."""
    client.force_login(clerk_of(make_department("shichang")))
    Session.objects.update(expire_date=timezone.now() + LEFT)
    return client


def left() -> timedelta:
    return Session.objects.get().expire_date - timezone.now()


@pytest.mark.django_db
def test_opening_a_page_gives_the_login_another_half_hour(idle, inspection):
    assert idle.get(reverse("inspections:detail", args=[inspection.pk])).status_code == 200
    assert left() > timedelta(minutes=29)


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["progress_board", "ticks_changes", "generating"])
def test_what_a_page_polls_does_not_renew_the_login(idle, inspection, name):
    address = reverse(f"inspections:{name}", args=[inspection.pk])
    assert idle.get(address, headers={"HX-Request": "true"}).status_code in {200, 286}
    assert left() <= LEFT


@pytest.mark.django_db
def test_board_left_open_leads_to_the_login_after_half_an_hour(idle, inspection):
    page = reverse("inspections:detail", args=[inspection.pk])
    Session.objects.update(expire_date=timezone.now() - timedelta(seconds=1))
    response = idle.get(
        reverse("inspections:progress_board", args=[inspection.pk]),
        headers={"HX-Request": "true", "HX-Current-URL": f"http://testserver{page}"},
    )
    assert (response.status_code, response["HX-Redirect"]) == (
        401,
        f"/login/?expired=1&next=%2Finspections%2F{inspection.pk}%2F",
    )


@pytest.mark.django_db
def test_page_for_everybody_serves_a_browser_whose_login_is_gone(client):
    client.cookies[settings.SESSION_COOKIE_NAME] = "long-forgotten"
    assert client.get("/public/").status_code == 200


def test_every_address_a_template_polls_is_declared_as_such():
    templates = Path(settings.BASE_DIR, "templates").rglob("*.html")
    names = {name for path in templates for name in POLLING.findall(path.read_text())}
    assert names == {"inspections:progress_board", "inspections:ticks_changes"}
    for name in names:
        assert resolve(reverse(name, args=[1])).func.is_polled
    assert resolve("/api/tasks/00000000-0000-0000-0000-000000000000").func.is_polled
