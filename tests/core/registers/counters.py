"""A register for tests, over a table that means nothing: number series, found again by issuer, kind and year."""

from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db.models import Q

from core.enums import JobState
from core.models import BackgroundJob, ImportRun, NumberSeries
from core.registers import Column, Existing, Findings, Register, one_of, reading, runs, text, whole, writing
from tests.factories.matrices import make_workbook

HEADER = ["发文单位", "文书", "年度", "末号"]
FIELDS = ("issuer", "kind", "year", "last")


class Clerk:
    """Whoever has a key is an account as far as core is concerned."""

    def __init__(self, key: str = "user:1"):
        self.key = key


class CounterRegister(Register):
    name = "counters"
    title = "编号簿"
    unit = "条"
    key_fields = ("issuer", "kind", "year")
    read_task = "tests.read"
    write_task = "tests.write"

    def __init__(self):
        self.finished: list[ImportRun] = []

    def require(self, user):
        if user.key == "user:403":
            raise PermissionDenied

    def columns(self, actor):
        return [
            Column("issuer", "发文单位", text(20), required=True, example="晋江市民政局"),
            Column("kind", "文书", one_of({"NOTICE": "通知书", "RECORD": "笔录"}), required=True),
            Column("year", "年度", whole(2000, 2100), aliases=("年份",), required=True),
            Column("last", "末号", whole(0, 1000), note="最后用掉的号。"),
        ]

    def match(self, rows):
        wanted = Q()
        for row in rows:
            if self.key(row):
                wanted |= Q(**{name: row[name] for name in self.key_fields})
        found = NumberSeries.objects.filter(wanted) if wanted else []
        known = {
            self.key(values): Existing(series.pk, values)
            for series in found
            for values in [{name: getattr(series, name) for name in FIELDS}]
        }
        return [known.get(self.key(row)) for row in rows]

    def check(self, values, existing):
        found = Findings()
        if existing and values.get("last", 10**6) < existing.values["last"]:
            found.errors["last"] = f"不能小于已用的 {existing.values['last']}"
        if values.get("last") == 0:
            found.remarks["last"] = "还没有用过"
        return found

    def write(self, run, rows):
        for row, known in zip(rows, self.match([row.values for row in rows]), strict=True):
            if known:
                NumberSeries.objects.filter(pk=known.pk).update(**row.values)
            else:
                NumberSeries.objects.create(**row.values)

    def finish(self, run):
        self.finished.append(run)


def make_run(rows=(), register=None, *, name="编号.xlsx", actor=None, data=None, **workbook) -> ImportRun:
    """An upload whose job has not begun yet."""
    data = data or make_workbook(rows, **({"header": HEADER, "above": ()} | workbook))
    return runs.begin(register or CounterRegister(), SimpleUploadedFile(name, data), actor=actor or Clerk())


def read(run: ImportRun, register=None) -> ImportRun:
    """Read the upload as a worker does, and look at the run again."""
    reading.read(runs.newest_job(run).pk, register or CounterRegister())
    run.refresh_from_db()
    return run


def make_ready(rows, register=None, **options) -> ImportRun:
    return read(make_run(rows, register, **options), register)


def confirm(run: ImportRun, register=None, **options) -> ImportRun:
    """Confirm and write as a worker does."""
    register = register or CounterRegister()
    job = runs.confirm(run, register, actor=Clerk(), **options)
    writing.write(job.pk, register)
    run.refresh_from_db()
    return run


def abandon(job: BackgroundJob) -> None:
    """As if the worker had died and its lease run out."""
    BackgroundJob.objects.filter(pk=job.pk).update(state=JobState.QUEUED, lease_until=None)
