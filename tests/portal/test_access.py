"""Every address, opened by every role, against the written table (access_table.py)."""

import pytest
from django.db import transaction
from django.test import Client
from django.urls import get_resolver, reverse

from tests.portal import access_world
from tests.portal.access_table import ROWS, Row
from tests.portal.access_world import PERSONAS
from tests.portal.test_architecture import routes

# The mark is what makes pytest-django create the database; the world outlives each test's own rollback.
pytestmark = pytest.mark.django_db

# Enough for a form to be looked at, too little to be accepted.
BODIES = {"POST": ("probe=1", "application/x-www-form-urlencoded"), "PUT": ("{}", "application/json")}


def test_every_route_stands_in_the_table():
    assert {name for name, _ in routes(get_resolver())} - {row.route for row in ROWS} == set()


def test_the_table_names_only_routes_there_are():
    assert {row.route for row in ROWS} - {name for name, _ in routes(get_resolver())} == set()


@pytest.mark.parametrize("persona", PERSONAS)
def test_what_the_table_promises(persona, world, sessions):
    column = PERSONAS.index(persona)
    promised = {str(row): row.statuses[column] for row in ROWS}
    answered = {str(row): status(row, world, sessions.get(persona)) for row in ROWS}
    assert answered == promised


def status(row: Row, world: access_world.World, session: str | None) -> int:
    client = Client()
    if session:
        client.cookies["sessionid"] = session
    address = reverse(row.route, args=world.objects[row.subject])
    with transaction.atomic():
        response = client.generic(row.method, address, *BODIES.get(row.method, ()))
        if response.streaming:
            list(response.streaming_content)  # closes the file without closing the world's connection
        transaction.set_rollback(True)
    return response.status_code
