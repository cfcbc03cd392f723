import datetime as dt

import pytest
from django.utils import timezone

from core.models import WorkerHeartbeat
from portal import health

OK = {"status": "ok", "database": "ok", "broker": "ok", "worker": "ok"}


@pytest.fixture
def beating(db):
    return WorkerHeartbeat.objects.create(name="worker@test", beat_at=timezone.now())


def test_everything_up_answers_200(client, beating):
    response = client.get("/healthz")
    assert (response.status_code, response.json()) == (200, OK)


def test_is_never_cached(client, beating):
    assert "no-store" in client.get("/healthz").headers["Cache-Control"]


def test_only_reading_is_allowed(client, beating):
    assert client.post("/healthz").status_code == 405


def test_a_silent_worker_is_down(client, beating):
    WorkerHeartbeat.objects.update(beat_at=timezone.now() - dt.timedelta(seconds=31))
    response = client.get("/healthz")
    assert (response.status_code, response.json()) == (503, OK | {"status": "down", "worker": "down"})


def test_a_worker_that_never_came_is_down(client, db):
    assert client.get("/healthz").json() == OK | {"status": "down", "worker": "down"}


def test_the_newest_heartbeat_counts(client, beating):
    WorkerHeartbeat.objects.create(name="gone@test", beat_at=timezone.now() - dt.timedelta(days=1))
    assert client.get("/healthz").json() == OK


def test_a_broker_that_does_not_answer_is_down(client, beating, settings, tmp_path):
    settings.REDIS_URL = f"unix://{tmp_path}/nobody.sock"
    response = client.get("/healthz")
    assert (response.status_code, response.json()) == (503, OK | {"status": "down", "broker": "down"})


def test_a_database_that_does_not_answer_is_down_without_a_query(client, monkeypatch, tmp_path):
    # No `db` fixture: any query of the view or of a middleware fails this test.
    nowhere = {"dbname": "portal", "user": "portal", "host": str(tmp_path)}
    monkeypatch.setattr(health.connection, "get_connection_params", lambda: nowhere, raising=False)
    response = client.get("/healthz")
    assert (response.status_code, response.json()) == (
        503,
        {"status": "down", "database": "down", "broker": "ok", "worker": "down"},
    )
