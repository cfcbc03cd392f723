"""The county of access_world, built once a file, and everybody in it logged in."""

import pytest
from django.db import transaction
from django.test import Client

from tests.portal import access_world


@pytest.fixture(scope="module")
def world(django_db_setup, django_db_blocker):
    """Built once; what a request changes is rolled back after it."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield access_world.build()
        transaction.set_rollback(True)


@pytest.fixture(scope="module")
def sessions(world) -> dict[str, str]:
    """Session keys by persona, logged in once."""
    keys = {}
    for persona, user in world.users.items():
        client = Client()
        client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
        keys[persona] = client.cookies["sessionid"].value
    return keys
