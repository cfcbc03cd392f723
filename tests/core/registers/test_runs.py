from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.utils import timezone

from core.enums import ImportState, JobState
from core.errors import DomainError
from core.models import BackgroundJob, ImportRun, StoredFile
from core.registers import runs
from tests.core.registers.counters import Clerk, CounterRegister, confirm, make_ready, make_run

pytestmark = pytest.mark.django_db

GOOD = ["晋江市民政局", "通知书", 2025, 1]
BAD = ["晋江市民政局", "公告", 2025, 1]


def age(run, days=8):
    past = timezone.now() - timedelta(days=days)
    ImportRun.objects.filter(pk=run.pk).update(created_at=past)
    ImportRun.objects.filter(pk=run.pk).exclude(finished_at=None).update(finished_at=past)


def test_an_upload_is_kept_and_its_reading_queued():
    run = make_run([GOOD])
    assert (run.state, run.actor, run.file.name) == (ImportState.READING, "user:1", "编号.xlsx")
    job = runs.newest_job(run)
    assert (job.state, job.task, job.params) == (JobState.QUEUED, "tests.read", {"run": str(run.pk)})


def test_who_may_not_import_begins_nothing():
    with pytest.raises(PermissionDenied):
        make_run([GOOD], actor=Clerk("user:403"))
    assert not StoredFile.objects.exists()


def test_an_account_sees_its_own_imports_only():
    run, register = make_run([GOOD]), CounterRegister()
    assert list(runs.of(register, "user:1")) == [run]
    assert not runs.of(register, "user:2").exists()


def test_all_or_nothing_unless_the_user_says_otherwise():
    run = make_ready([GOOD, BAD])
    with pytest.raises(DomainError, match="有 1 行有误，没有导入任何一行"):
        runs.confirm(run, CounterRegister(), actor=Clerk())
    run.refresh_from_db()
    assert run.state == ImportState.READY


def test_the_database_repeats_that_faulty_rows_need_a_word():
    run = make_ready([GOOD, BAD])
    with pytest.raises(IntegrityError, match="core_import_all_or_nothing"), transaction.atomic():
        ImportRun.objects.filter(pk=run.pk).update(state=ImportState.DONE)


def test_nothing_to_write_is_not_confirmed():
    with pytest.raises(DomainError, match="没有需要新增或更新的行"):
        runs.confirm(make_ready([BAD]), CounterRegister(), actor=Clerk(), leave_out=True)


@pytest.mark.parametrize("again", [confirm, lambda run: runs.discard(run)])
def test_a_finished_import_is_neither_confirmed_nor_thrown_away_again(again):
    run = confirm(make_ready([GOOD]))
    with pytest.raises(DomainError, match="此次导入已导入"):
        again(run)


def test_throwing_away_deletes_rows_and_file(django_capture_on_commit_callbacks):
    run = make_ready([GOOD])
    stored = run.file.file
    with django_capture_on_commit_callbacks(execute=True):
        runs.discard(run)
    assert not ImportRun.objects.exists()
    assert not StoredFile.objects.exists()
    assert not stored.storage.exists(stored.name)


def test_the_same_content_is_recognised_under_another_name():
    done = confirm(make_ready([GOOD]))
    with done.file.file.open("rb") as file:
        same = make_run(data=file.read(), name="另一个名字.xlsx")
    assert runs.imported_before(same) == done
    assert runs.imported_before(done) is None


def test_an_import_nobody_confirmed_is_thrown_away_after_a_week():
    old, fresh = make_ready([GOOD]), make_ready([GOOD])
    age(old)
    age(fresh, days=6)
    assert runs.expire() == 1
    assert list(ImportRun.objects.all()) == [fresh]


def test_of_a_finished_import_the_file_stays_and_the_staged_rows_go():
    run = confirm(make_ready([GOOD]))
    age(run)
    assert runs.expire() == 0
    run.refresh_from_db()
    assert (run.new, run.rows.count(), run.file.file.storage.exists(run.file.file.name)) == (1, 0, True)


def test_a_job_that_gave_up_goes_on_when_asked():
    run = make_run([GOOD])
    BackgroundJob.objects.update(state=JobState.FAILED)
    runs.retry(run)
    assert runs.newest_job(run).state == JobState.QUEUED


def test_of_a_stopped_import_the_staged_rows_go_too():
    class Refusing(CounterRegister):
        def write(self, run, rows):
            raise DomainError("第2行与现在的登记不符。")

    run = confirm(make_ready([GOOD, BAD]), Refusing(), leave_out=True)
    assert run.rows.count() == 1
    age(run)
    assert runs.expire() == 0
    run.refresh_from_db()
    assert (run.state, run.rows.count()) == (ImportState.STOPPED, 0)


def test_the_database_repeats_that_a_stopped_import_says_why():
    run = make_ready([GOOD])
    with pytest.raises(IntegrityError, match="core_refused_import_says_why"), transaction.atomic():
        ImportRun.objects.filter(pk=run.pk).update(state=ImportState.STOPPED)
