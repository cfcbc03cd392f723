import pytest

from core.enums import ImportState, JobState
from core.models import NumberSeries
from core.registers import runs, writing
from tests.core.registers.counters import Clerk, CounterRegister, abandon, confirm, make_ready

pytestmark = pytest.mark.django_db

BUREAU = "晋江市民政局"


def test_confirming_writes_new_and_changed_rows():
    NumberSeries.objects.create(issuer=BUREAU, kind="NOTICE", year=2025, last=7)
    register = CounterRegister()
    run = make_ready([[BUREAU, "通知书", 2025, 9], [BUREAU, "笔录", 2025, 1]], register)
    run = confirm(run, register)
    assert run.state == ImportState.DONE
    assert sorted(NumberSeries.objects.values_list("kind", "last")) == [("NOTICE", 9), ("RECORD", 1)]
    assert register.finished == [run]


def test_the_file_is_not_read_again(monkeypatch):
    run = make_ready([[BUREAU, "通知书", 2025, 9]])
    run.file.file.storage.delete(run.file.file.name)
    assert confirm(run).state == ImportState.DONE


def test_faulty_rows_are_left_out_when_that_was_said():
    run = make_ready([[BUREAU, "通知书", 2025, 9], [BUREAU, "公告", 2025, 1]])
    assert confirm(run, leave_out=True).leaves_out
    assert NumberSeries.objects.count() == 1


def test_what_changed_between_preview_and_confirmation_is_matched_again():
    run = make_ready([[BUREAU, "通知书", 2025, 9]])
    NumberSeries.objects.create(issuer=BUREAU, kind="NOTICE", year=2025, last=8)
    confirm(run)
    assert NumberSeries.objects.get().last == 9


def test_a_worker_that_dies_between_chunks_is_followed_by_one_that_goes_on(settings):
    settings.IMPORT_CHUNK = 2
    written = []

    class Dying(CounterRegister):
        def write(self, run, rows):
            if len(written) == 1:
                written.append("dead")
                raise RuntimeError("killed")
            written.append([row.line for row in rows])
            super().write(run, rows)

    register = Dying()
    run = make_ready([[BUREAU, "通知书", year, 1] for year in range(2001, 2006)], register)
    job = runs.confirm(run, register, actor=Clerk())
    writing.write(job.pk, register)
    job.refresh_from_db()
    assert (job.state, job.done, NumberSeries.objects.count()) == (JobState.QUEUED, 2, 1)
    assert register.finished == []
    abandon(job)
    writing.write(job.pk, register)
    assert written == [[2], "dead", [3, 4], [5, 6]]
    assert NumberSeries.objects.count() == 5
    assert len(register.finished) == 1


def test_writing_twice_writes_once():
    register = CounterRegister()
    run = confirm(make_ready([[BUREAU, "通知书", 2025, 9]], register), register)
    writing.write(runs.newest_job(run).pk, register)
    assert len(register.finished) == 1


def test_a_refusal_while_writing_is_kept_for_the_page():
    class Refusing(CounterRegister):
        def write(self, run, rows):
            raise ValueError("编号簿已锁定。")

    run = make_ready([[BUREAU, "通知书", 2025, 9]])
    run = confirm(run, Refusing())
    job = runs.newest_job(run)
    assert (run.state, job.error) == (ImportState.WRITING, "编号簿已锁定。")
    assert not NumberSeries.objects.exists()
