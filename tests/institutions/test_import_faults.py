"""A worker killed for real in the middle of an import: nothing lost, nothing doubled."""

import os
import signal
import subprocess
import sys
from urllib.parse import quote

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, transaction
from django.utils import timezone

from core import jobs
from core.enums import ImportState
from core.models import BackgroundJob, StagedRow
from core.registers import reading, runs, writing
from institutions.enums import Event
from institutions.models import Institution
from institutions.services.importing import INSTITUTIONS
from ledger.models import Chain, Entry
from ledger.services import append, verify
from tests.factories.departments import make_town
from tests.factories.institutions import USCCS, make_institution, make_keeper
from tests.factories.matrices import make_workbook
from tests.waiting import wait_until

pytestmark = pytest.mark.django_db(transaction=True)

HEADER = ["机构名称", "统一社会信用代码", "机构类型", "所属镇街", "地址", "备案状态"]
HOMES, CHUNK = 40, 5


@pytest.fixture
def keeper(settings, monkeypatch):
    settings.IMPORT_CHUNK = CHUNK
    monkeypatch.setattr(jobs, "enqueue", lambda job: None)
    make_town("英林镇", "350582112")
    return make_keeper()


def begin(keeper, position):
    """An upload of forty homes without a code; the one at `position` the register knows already."""
    rows = [[f"第{n}院", None, "民办养老机构", "英林镇", f"英龙路{n}号", "未备案"] for n in range(HOMES)]
    rows[position][1] = USCCS[0]
    upload = SimpleUploadedFile("名录.xlsx", make_workbook(rows, header=HEADER, above=()))
    return runs.begin(INSTITUTIONS, upload, actor=keeper)


def start_worker(step: str, job: BackgroundJob) -> subprocess.Popen:
    """A worker process of its own on the test's database."""
    database = connection.settings_dict
    place = quote(f"{database['HOST']}/{database['NAME']}", safe="")
    env = os.environ | {
        "DJANGO_SETTINGS_MODULE": "tests.settings",
        "DATABASE_URL": f"postgres://{database['USER']}@/{place}",
        "SECRET_KEY": "killed-worker",
        "REDIS_URL": settings.REDIS_URL,
        "IMPORT_CHUNK": str(CHUNK),
    }
    return subprocess.Popen(
        [sys.executable, "-m", "tests.institutions.import_worker", step, str(job.pk)], env=env
    )


def a_process_waits_for_a_lock() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
        return cursor.fetchone()[0] > 0


def kill(process: subprocess.Popen) -> None:
    process.send_signal(signal.SIGKILL)
    process.wait()


def nobody_waits_for_a_lock() -> bool:
    return not a_process_waits_for_a_lock()


def abandon(job: BackgroundJob) -> None:
    """As if the dead worker's lease had run out."""
    BackgroundJob.objects.filter(pk=job.pk).update(lease_until=timezone.now())


@pytest.mark.parametrize("position", [0, CHUNK + 1, HOMES - 1])
def test_a_writer_killed_in_the_middle_of_a_chunk_leaves_whole_chunks_and_another_finishes(keeper, position):
    known = make_institution(name="旧名", uscc=USCCS[0])
    with transaction.atomic():
        append(known.subject, "test.created", {}, actor="user:0")
    run = begin(keeper, position)
    reading.read(runs.newest_job(run).pk, INSTITUTIONS)
    job = runs.confirm(run, INSTITUTIONS, actor=keeper)
    line = position + 2
    whole = (line - 1) // CHUNK * CHUNK

    # Holding one institution's chain stops the worker after a chunk's inserts and before its commit.
    with transaction.atomic():
        Chain.objects.select_for_update().get(subject=known.subject)
        process = start_worker("write", job)
        try:
            wait_until(a_process_waits_for_a_lock, seconds=60)
        finally:
            kill(process)
    wait_until(nobody_waits_for_a_lock)
    job.refresh_from_db()
    assert job.done == whole
    assert Institution.objects.exclude(pk=known.pk).count() == max(whole - 1, 0)

    abandon(job)
    writing.write(job.pk, INSTITUTIONS)
    run.refresh_from_db()
    assert run.state == ImportState.DONE
    assert Institution.objects.count() == HOMES
    assert Entry.objects.filter(kind=Event.REGISTERED).count() == HOMES - 1
    assert Entry.objects.filter(kind=Event.IMPORTED).count() == 1
    assert list(verify()) == []


def test_a_reader_killed_in_the_middle_of_a_chunk_is_followed_by_one_that_goes_on(keeper):
    run = begin(keeper, 3)
    job = runs.newest_job(run)
    # Holding the register's table stops the reader where it looks rows up.
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("LOCK TABLE institutions_institution IN ACCESS EXCLUSIVE MODE")
        process = start_worker("read", job)
        try:
            wait_until(a_process_waits_for_a_lock, seconds=60)
        finally:
            kill(process)
    wait_until(nobody_waits_for_a_lock)
    assert not StagedRow.objects.exists()
    abandon(job)
    reading.read(job.pk, INSTITUTIONS)
    run.refresh_from_db()
    assert (run.state, run.new, StagedRow.objects.count()) == (ImportState.READY, HOMES, HOMES)
