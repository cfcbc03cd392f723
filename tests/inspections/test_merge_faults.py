import os
import signal
import subprocess
import sys
from urllib.parse import quote

import pytest
from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from core import jobs
from core.enums import JobState
from core.models import BackgroundJob
from inspections.enums import Event
from inspections.models import DrawnInstitution, Task, TaskItem, TaskItemRow, TaskOfficer, TaskOrigin
from inspections.services import merge
from inspections.services.draw import draw
from ledger.models import Chain, Entry
from ledger.services import append, verify
from tests.factories.institutions import make_institution
from tests.factories.merging import make_closed_inspection
from tests.factories.scenarios import make_version
from tests.waiting import wait_until

pytestmark = pytest.mark.django_db(transaction=True)

HOMES, CHUNK = 40, 5
# Of the five test items one needs a canteen none of these homes has; the fire item has three rows.
ITEMS, ROWS, OFFICERS = 4, 6, 6


@pytest.fixture
def job(monkeypatch) -> BackgroundJob:
    monkeypatch.setattr(jobs, "enqueue", lambda job: None)
    homes = [make_institution() for _ in range(HOMES)]
    inspection, clerk = make_closed_inspection(make_version(), homes)
    draw(inspection, actor=clerk)
    return merge.start_generating(inspection, actor=clerk)


def start_worker(job: BackgroundJob) -> subprocess.Popen:
    """A worker process of its own on the test's database."""
    database = connection.settings_dict
    place = quote(f"{database['HOST']}/{database['NAME']}", safe="")
    env = os.environ | {
        "DJANGO_SETTINGS_MODULE": "tests.settings",
        "DATABASE_URL": f"postgres://{database['USER']}@/{place}",
        "SECRET_KEY": "killed-worker",
        "REDIS_URL": settings.REDIS_URL,
        "MERGE_CHUNK": str(CHUNK),
    }
    return subprocess.Popen([sys.executable, "-m", "tests.inspections.merge_worker", str(job.pk)], env=env)


def counts() -> list[int]:
    return [model.objects.count() for model in (Task, TaskOrigin, TaskItem, TaskItemRow, TaskOfficer)]


def a_process_waits_for_a_lock() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
        return cursor.fetchone()[0] > 0


@pytest.mark.parametrize("position", [1, CHUNK + 2, HOMES])
def test_a_worker_killed_in_the_middle_of_a_chunk_leaves_whole_chunks_and_another_finishes(job, position):
    victim = DrawnInstitution.objects.get(draw=job.params["draw"], position=position).institution
    with transaction.atomic():
        append(victim.subject, "test.created", {}, actor="user:0")
    finished = (position - 1) // CHUNK * CHUNK

    # Holding one institution's chain stops the worker after a chunk's inserts and before its commit.
    with transaction.atomic():
        Chain.objects.select_for_update().get(subject=victim.subject)
        process = start_worker(job)
        try:
            wait_until(a_process_waits_for_a_lock, seconds=60)
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait()
    wait_until(lambda: not a_process_waits_for_a_lock())
    job.refresh_from_db()
    assert (job.state, job.done) == (JobState.RUNNING, finished)
    assert counts() == [finished, finished, finished * ITEMS, finished * ROWS, finished * OFFICERS]

    merge.generate(job.pk)
    job.refresh_from_db()
    assert (job.state, job.done) == (JobState.RUNNING, finished), "its lease has not run out yet"

    BackgroundJob.objects.update(lease_until=timezone.now())
    merge.generate(job.pk)
    job.refresh_from_db()
    assert (job.state, job.done, job.attempts) == (JobState.DONE, HOMES, 2)
    assert counts() == [HOMES, HOMES, HOMES * ITEMS, HOMES * ROWS, HOMES * OFFICERS]
    assert Entry.objects.filter(kind=Event.TASK_CREATED).count() == HOMES
    assert list(verify()) == []


def test_the_sweep_finds_the_job_of_a_dead_worker(job, monkeypatch):
    hinted = []
    jobs.claim(job.pk)
    monkeypatch.setattr(jobs, "enqueue", lambda job: hinted.append(job.pk))
    assert jobs.sweep() == 0
    BackgroundJob.objects.update(lease_until=timezone.now())
    assert (jobs.sweep(), hinted) == (1, [job.pk])
