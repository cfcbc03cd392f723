import pytest

from core.enums import ImportState, JobState, Verdict
from core.jobs import LeaseLostError
from core.models import ImportRun, NumberSeries, StagedRow
from core.registers import reading, runs
from tests.core.registers.counters import CounterRegister, abandon, make_ready, make_run, read
from tests.factories.matrices import make_workbook

pytestmark = pytest.mark.django_db

BUREAU = "晋江市民政局"


@pytest.fixture
def used():
    """The register knows one series already, up to number 7."""
    return NumberSeries.objects.create(issuer=BUREAU, kind="NOTICE", year=2025, last=7)


def rows_of(run):
    return [(row.line, row.verdict) for row in run.rows.order_by("line")]


def test_every_row_gets_its_verdict(used):
    run = make_ready(
        [
            [BUREAU, "通知书", 2026, 1],
            [BUREAU, "通知书", 2025, 9],
            [BUREAU, "公告", 2025, 1],
        ]
    )
    assert (run.state, run.new, run.changed, run.unchanged, run.faulty) == (ImportState.READY, 1, 1, 0, 1)
    assert rows_of(run) == [(2, Verdict.NEW), (3, Verdict.CHANGED), (4, Verdict.FAULTY)]
    assert NumberSeries.objects.count() == 1


def test_a_row_that_says_the_same_is_unchanged(used):
    assert make_ready([[BUREAU, "通知书", 2025, 7]]).unchanged == 1


def test_a_changed_row_knows_what_the_register_says_now(used):
    row = make_ready([[BUREAU, "通知书", 2025, 9]]).rows.get()
    assert (row.values["last"], row.before) == (9, {"last": 7})


def test_a_blank_cell_changes_nothing(used):
    run = make_ready([[BUREAU, "通知书", 2025, None]])
    assert (run.unchanged, "last" in run.rows.get().values) == (1, False)


def test_a_cell_may_say_that_the_field_is_to_be_emptied(used):
    row = make_ready([[BUREAU, "通知书", 2026, "清空"]]).rows.get()
    assert (row.verdict, row.values["last"]) == (Verdict.NEW, None)


def test_a_wrong_cell_is_named_with_what_it_shows():
    row = make_ready([[BUREAU, "公告", 2025, "许多"]]).rows.get()
    assert row.errors == {"kind": ["公告", "应为通知书 / 笔录之一"], "last": ["许多", "应为数字"]}


def test_a_missing_cell_of_a_required_column_is_an_error():
    assert make_ready([[None, "通知书", 2025, 1]]).rows.get().errors == {"issuer": ["", "必填，不能为空"]}


def test_rules_over_the_whole_row_are_checked_with_what_the_register_says(used):
    row = make_ready([[BUREAU, "通知书", 2025, 3]]).rows.get()
    assert (row.verdict, row.errors) == (Verdict.FAULTY, {"last": ["", "不能小于已用的 7"]})


def test_a_remark_keeps_nothing_out():
    row = make_ready([[BUREAU, "通知书", 2025, 0]]).rows.get()
    assert (row.verdict, row.remarks) == (Verdict.NEW, {"last": "还没有用过"})


def test_doubled_keys_are_errors_naming_each_others_lines():
    run = make_ready(
        [[BUREAU, "通知书", 2025, 1], [BUREAU, "笔录", 2025, 1], [BUREAU, "通知书", 2025, 2]],
        above=[["标题"]],
    )
    doubled = run.rows.filter(verdict=Verdict.FAULTY).order_by("line")
    assert [(row.line, row.errors) for row in doubled] == [
        (3, {"issuer": ["", "与第5行重复"]}),
        (5, {"issuer": ["", "与第3行重复"]}),
    ]
    assert (run.new, run.faulty) == (1, 2)


def test_a_key_doubled_many_times_names_a_few_lines():
    run = make_ready([[BUREAU, "通知书", 2025, n] for n in range(1, 10)])
    assert run.rows.get(line=10).errors == {"issuer": ["", "与第2、3、4、5、6、7行等重复"]}


def test_what_was_passed_over_is_told():
    run = make_ready([["备", BUREAU, "通知书", 2025]], header=["院训", "发文单位", "文书", "年份"])
    assert run.notes == ["以下列不在登记内容之中，未读取：院训。"]
    assert run.columns == {"issuer": 2, "kind": 3, "year": 4}


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"%PDF-1.7 not a workbook", "文件“编号.xlsx”"),
        (make_workbook([["甲"]], header=["乙"], above=()), "没有找到表头"),
        (make_workbook([], header=["发文单位", "文书", "年度"], above=()), "表头下面没有内容"),
        (make_workbook([["甲", 1]], header=["发文单位", "末号"], above=()), "缺少必填列：文书、年度"),
    ],
)
def test_an_unreadable_file_is_refused_with_a_sentence_and_nothing_is_staged(data, said):
    run = read(make_run(data=data))
    assert run.state == ImportState.REFUSED
    assert said in run.refusal
    assert not StagedRow.objects.exists()
    assert runs.newest_job(run).state == JobState.DONE


# --- Killed at any moment -----------------------------------------------------------


def test_a_worker_that_dies_between_chunks_leaves_off_where_the_next_begins(settings, monkeypatch):
    settings.IMPORT_CHUNK = 2
    run = make_run([[BUREAU, "通知书", year, 1] for year in range(2001, 2006)])
    chunks, stage = [], reading._stage

    def dies_in_the_second(job, run, register, columns, lines, last_line):
        chunks.append([line for line, _ in lines])
        if len(chunks) == 2:
            raise RuntimeError("killed")
        stage(job, run, register, columns, lines, last_line)

    monkeypatch.setattr(reading, "_stage", dies_in_the_second)
    read(run)
    job = runs.newest_job(run)
    assert (job.state, job.done, run.rows.count()) == (JobState.QUEUED, 3, 2)
    abandon(job)
    run = read(run)
    assert chunks == [[2, 3], [4, 5], [4, 5], [6]]
    assert (run.state, run.new) == (ImportState.READY, 5)


def test_doubles_are_found_across_a_dead_worker(settings, monkeypatch):
    settings.IMPORT_CHUNK = 1
    run = make_run([[BUREAU, "通知书", 2025, 1], [BUREAU, "通知书", 2025, 2]])
    finish = reading._finish
    monkeypatch.setattr(reading, "_finish", lambda *arguments: 1 / 0)
    read(run)
    monkeypatch.setattr(reading, "_finish", finish)
    abandon(runs.newest_job(run))
    assert read(run).faulty == 2


def test_a_worker_whose_lease_was_taken_over_stages_nothing(monkeypatch):
    run = make_run([[BUREAU, "通知书", 2025, 1]])

    def taken(*arguments, **options):
        raise LeaseLostError

    monkeypatch.setattr(reading.jobs, "advance", taken)
    assert read(run).state == ImportState.READING
    assert not run.rows.exists()


def test_reading_twice_stages_once():
    run = make_ready([[BUREAU, "通知书", 2025, 1]])
    reading.read(runs.newest_job(run).pk, CounterRegister())
    assert run.rows.count() == 1


def test_a_run_thrown_away_while_it_waits_ends_its_job():
    run = make_run([[BUREAU, "通知书", 2025, 1]])
    job = runs.newest_job(run)
    runs.discard(run)
    reading.read(job.pk, CounterRegister())
    job.refresh_from_db()
    assert (job.state, ImportRun.objects.exists()) == (JobState.DONE, False)


class WholeFileRegister(CounterRegister):
    def check_together(self, run):
        last = run.rows.filter(errors={}).order_by("line").last()
        yield last.line, {"last": "末号在全文件中不连续"}


def test_an_error_that_shows_over_all_rows_makes_its_row_faulty():
    rows = [[BUREAU, "通知书", 2025, 1], [BUREAU, "通知书", 2026, 3]]
    run = make_ready(rows, WholeFileRegister())
    assert (run.new, run.faulty) == (1, 1)
    assert run.rows.get(verdict=Verdict.FAULTY).errors == {"last": ["", "末号在全文件中不连续"]}
