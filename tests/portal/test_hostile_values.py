"""Values nobody typed, in every address and form of the access table: refused or passed over, never a 500."""

import re
from collections.abc import Iterator

import pytest
from django.db import transaction
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from tests.portal.access_table import ROWS, Row
from tests.portal.access_world import PERSONAS, World

pytestmark = pytest.mark.django_db

# What pages read without a form that shows it; each by itself.
NAMES = {
    "q",
    "sort",
    "page",
    "tab",
    "before",
    "after",
    "into",
    "officer",
    "inspection",
    "show",
    "seen",
    "signer",
}
TEXTS = ("reason", "answer", "name", "note", "fact", "into", "department", "signer", "commitment")
FORM = re.compile(r'<form(?=[^>]*method="get").*?</form>', re.DOTALL)
FIELD = re.compile(r'<(?:input|select)[^>]*\sname="([\w-]+)"')
VALUES = ["%00", "9" * 25, "²", "9999-12-31", "2026-01-01T00:00:00%2B08:00~²"]


def readers(method: str) -> Iterator[tuple[Row, str]]:
    """Each page with the first persona who may open it, or send it."""
    for row in ROWS:
        # To a stranger 302 is the login page.
        opened = [
            status in (200, 400, 409, 422) or (status == 302 and persona != "anonymous")
            for persona, status in zip(PERSONAS, row.statuses, strict=True)
        ]
        if row.method == method and row.route != "portal:healthz" and any(opened):
            yield row, PERSONAS[opened.index(True)]


def knocked(client: Client, method: str, address: str, body: str = "") -> HttpResponse:
    """The answer, with everything undone."""
    with transaction.atomic():
        response = client.generic(method, address, body, "application/x-www-form-urlencoded")
        if response.streaming:
            list(response.streaming_content)
        transaction.set_rollback(True)
    return response


@pytest.fixture
def visitor(world: World, sessions: dict[str, str]):
    def enter(persona: str) -> Client:
        client = Client(raise_request_exception=False)
        if persona in sessions:
            client.cookies["sessionid"] = sessions[persona]
        return client

    return enter


def test_no_value_in_an_address_is_an_error_of_the_server(world, visitor):
    failed = []
    for row, persona in readers("GET"):
        client, address = visitor(persona), reverse(row.route, args=world.objects[row.subject])
        page = knocked(client, "GET", address)
        is_page = page.get("Content-Type", "").startswith("text/html") and not page.streaming
        filters = FORM.findall(page.content.decode()) if is_page else []
        shown = {name for form in filters for name in FIELD.findall(form)}
        # One wrong value makes a whole form invalid, and would hide the next.
        for names in [sorted(NAMES), *([name] for name in sorted(shown))]:
            for value in VALUES:
                query = "&".join(f"{name}={value}" for name in names)
                if knocked(client, "GET", f"{address}?{query}").status_code >= 500:
                    failed.append(f"{row.route}?{query}")
    assert failed == []


def test_no_nul_in_a_form_is_an_error_of_the_server(world, visitor):
    body = "&".join(f"{name}=%00" for name in TEXTS)
    sent = {
        str(row): knocked(visitor(persona), "POST", reverse(row.route, args=world.objects[row.subject]), body)
        for row, persona in readers("POST")
    }
    assert [row for row, response in sent.items() if response.status_code >= 500] == []


@pytest.mark.parametrize("path", ["go/institution:%00", "scenarios/delegations/history/%00/1", "trail/%00"])
def test_a_nul_in_the_path_is_not_found(visitor, path):
    assert visitor("admin").get(f"/{path}/").status_code == 404
