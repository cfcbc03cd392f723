import pytest
from django.core.exceptions import PermissionDenied

from core.enums import ImportState, JobState, Verdict
from core.errors import DomainError
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


def test_a_failure_while_writing_is_tried_again_and_kept_for_the_page():
    class Failing(CounterRegister):
        def write(self, run, rows):
            raise ValueError("编号簿已锁定。")

    run = make_ready([[BUREAU, "通知书", 2025, 9]])
    run = confirm(run, Failing())
    job = runs.newest_job(run)
    assert (run.state, job.error) == (ImportState.WRITING, "编号簿已锁定。")
    assert not NumberSeries.objects.exists()


class Refusing(CounterRegister):
    """The years from 2003 on are not written: by the time of writing, somebody has closed them."""

    def __init__(self, refusal):
        super().__init__()
        self.refusal = refusal

    def write(self, run, rows):
        if any(row.values["year"] >= 2003 for row in rows):
            raise self.refusal
        super().write(run, rows)


def stopped(refusal=None, register=None, first=2001):
    register = register or Refusing(refusal or DomainError("第4行与现在的登记不符。"))
    rows = [[BUREAU, "通知书", year, 1] for year in range(first, 2006)]
    return confirm(make_ready([*rows, [BUREAU, "公告", 2001, 1]], register), register, leave_out=True)


def test_a_line_that_may_not_be_written_any_more_ends_the_run_with_the_reason(settings):
    settings.IMPORT_CHUNK = 3
    run = stopped()
    assert (run.state, run.refusal) == (ImportState.STOPPED, "第4行与现在的登记不符。")
    assert run.finished_at
    assert runs.newest_job(run).state == JobState.DONE
    assert sorted(NumberSeries.objects.values_list("year", flat=True)) == [2001, 2002]


def test_a_run_that_was_stopped_says_what_it_wrote_and_keeps_none_of_the_rest(settings):
    settings.IMPORT_CHUNK = 3
    run = stopped()
    assert (run.new, run.changed, run.unwritten, run.faulty, run.rows_read) == (2, 0, 3, 1, 6)
    assert sorted(run.rows.values_list("line", "verdict")) == [
        (2, Verdict.NEW),
        (3, Verdict.NEW),
        (7, Verdict.FAULTY),
    ]


def test_what_was_written_before_a_stop_has_the_runs_entry(settings):
    settings.IMPORT_CHUNK = 3
    register = Refusing(DomainError("第4行与现在的登记不符。"))
    run = stopped(register=register)
    assert register.finished == [run]


def test_a_stop_before_anything_was_written_leaves_no_entry():
    register = Refusing(DomainError("第2行与现在的登记不符。"))
    run = stopped(register=register, first=2003)
    assert (run.state, run.rows_written, register.finished) == (ImportState.STOPPED, 0, [])
    assert not NumberSeries.objects.exists()


def test_who_may_no_longer_write_is_stopped_too():
    run = stopped(PermissionDenied("您无权登记。"))
    assert (run.state, run.refusal) == (ImportState.STOPPED, "您无权登记。")


def test_a_stopped_run_is_neither_confirmed_nor_thrown_away():
    run = stopped()
    with pytest.raises(DomainError, match="此次导入已中止"):
        runs.confirm(run, CounterRegister(), actor=Clerk())
    with pytest.raises(DomainError, match="此次导入已中止"):
        runs.discard(run)
