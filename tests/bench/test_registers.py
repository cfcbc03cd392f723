"""Importing 100,000 institutions against openpyxl merely reading the file, and against django-import-export."""

import os
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.urls import reverse
from import_export.resources import ModelResource
from openpyxl import Workbook
from stdnum.cn import uscc
from tablib import Dataset

from core.enums import ImportState
from core.models import BackgroundJob, ImportRun
from core.registers import runs
from institutions.models import Institution
from institutions.services.importing import INSTITUTIONS
from ledger.models import Entry
from ledger.services import verify
from tests.factories.departments import make_town
from tests.factories.institutions import make_keeper

pytestmark = pytest.mark.django_db(transaction=True)

ROWS, FEW, TIMES, TOWNS = 100_000, 5000, 3, 19
MOST_TIMES_OPENPYXL, MOST_MEGABYTES = 2, 300
HEADINGS = [
    "机构名称", "统一社会信用代码", "机构类型", "机构性质", "登记机关", "所属镇街", "地址", "法定代表人",
    "联系人", "联系电话", "备案状态", "备案编号", "备案日期", "开业日期", "等级评定", "床位数",
    "护理型床位数", "在住老人数", "建筑面积", "特征",
]  # fmt: skip
WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)


@dataclass
class Measured:
    """Seconds of a step in a process of its own, and the most memory that process had, in MB."""

    seconds: float
    megabytes: float


@pytest.fixture
def keeper(settings, tmp_path):
    settings.MEDIA_ROOT = str(tmp_path)
    for number in range(TOWNS):
        make_town(f"第{number}镇", f"3505821{number:02d}")
    return make_keeper()


@pytest.fixture(scope="module")
def workbook(tmp_path_factory) -> Path:
    """100,000 institutions × 20 columns."""
    path = tmp_path_factory.mktemp("registers") / "名录.xlsx"
    _write(path, ROWS)
    return path


def test_importing_a_hundred_thousand_institutions(report, keeper, workbook, settings):
    baseline = statistics.median(_measure("openpyxl", workbook).seconds for _ in range(TIMES))
    first, again = [], []
    for _ in range(TIMES):
        run, steps = _import(workbook, keeper, settings)
        assert (run.new, run.faulty) == (ROWS, 0)
        first.append(steps)
        if len(first) < TIMES:
            _empty()
    assert Institution.objects.count() == ROWS
    assert Entry.objects.filter(kind="institution.registered").count() == ROWS

    Institution.objects.update(beds=999, nursing_beds=None, name="旧名")
    run, steps = _import(workbook, keeper, settings)
    assert (run.changed, run.faulty) == (ROWS, 0)
    again.append(steps)
    assert next(verify(), None) is None

    told = f"{ROWS:,} 家 × {len(HEADINGS)} 列 / openpyxl 只读出同一文件"
    whole = statistics.median(read.seconds + write.seconds for read, write in first)
    report(f"导入（读取、核对、暂存、写入、留痕）{told}", f"{whole / baseline:.2f}×")
    report("  其中到预览为止（读取、核对、暂存）", f"{_median(first, 0) / baseline:.2f}×")
    report("  其中确认（写入、留痕，不再读文件）", f"{_median(first, 1) / baseline:.2f}×")
    report(
        f"再次导入，每一家都更新，{told}",
        f"{sum(step.seconds for step in again[0]) / baseline:.2f}×",
    )
    peak = max(step.megabytes for steps in (*first, *again) for step in steps)
    report("导入进程的内存峰值", f"{peak:.0f} MB")
    assert peak < MOST_MEGABYTES
    assert whole / baseline < MOST_TIMES_OPENPYXL


def test_the_preview_of_a_hundred_thousand_rows(report, client_as, keeper, workbook, settings):
    run = _begin(workbook, keeper)
    _measure("read", runs.newest_job(run).pk, settings)
    client = client_as(keeper)
    url = reverse("institutions:import_run", args=[run.pk])
    home = reverse("institutions:import")
    report(f"预览页（{ROWS:,} 行）/ 上传页", f"{_seconds(client, url) / _seconds(client, home):.2f}×")
    last = f"{url}?show=NEW&page=999999"
    report(f"预览末页（{ROWS:,} 行）/ 上传页", f"{_seconds(client, last) / _seconds(client, home):.2f}×")


def test_against_django_import_export(report, keeper, tmp_path, settings):
    """It saves the same rows without checking the codes, without preview, staging or ledger."""
    path = tmp_path / "名录.xlsx"
    _write(path, FEW)
    fields = ("name", "uscc", "kind", "town", "address", "contact_phone", "filing_state", "filed_on", "beds")

    class InstitutionResource(ModelResource):
        class Meta:
            model = Institution
            import_id_fields = ("uscc",)
            fields = (
                "name",
                "uscc",
                "kind",
                "town",
                "address",
                "contact_phone",
                "filing_state",
                "filed_on",
                "beds",
            )

    town = make_town("第0镇").pk
    rows = [
        (f"第{n}养老院", _code(n), "PRIVATE_HOME", town, f"路{n}号", f"138{n:08d}", "FILED", "2021-06-18", 80)
        for n in range(FEW)
    ]
    started = time.perf_counter()
    result = InstitutionResource().import_data(Dataset(*rows, headers=fields), use_transactions=True)
    theirs = time.perf_counter() - started
    assert result.totals["new"] == FEW, result.base_errors or result.row_errors()
    _empty()
    run, steps = _import(path, keeper, settings)
    assert run.new == FEW
    ours = sum(step.seconds for step in steps)
    report(
        f"导入 {FEW:,} 家：django-import-export（已读出的行，{len(fields)} 列）/ 我们（{len(HEADINGS)} 列，全程）",
        f"{theirs / ours:.2f}×",
    )


def _import(path: Path, keeper, settings) -> tuple[ImportRun, tuple[Measured, Measured]]:
    run = _begin(path, keeper)
    read = _measure("read", runs.newest_job(run).pk, settings)
    run.refresh_from_db()
    assert run.state == ImportState.READY, run.refusal or BackgroundJob.objects.first().error
    write = _measure("write", runs.confirm(run, INSTITUTIONS, actor=keeper).pk, settings)
    run.refresh_from_db()
    assert run.state == ImportState.DONE, BackgroundJob.objects.latest("created_at").error
    return run, (read, write)


def _begin(path: Path, keeper) -> ImportRun:
    return runs.begin(INSTITUTIONS, SimpleUploadedFile("名录.xlsx", path.read_bytes()), actor=keeper)


def _measure(step: str, argument: object, test_settings=None) -> Measured:
    """A step in a process of its own, on the tests' database."""
    database = connection.settings_dict
    place = f"{database['NAME']}?host={database['HOST']}"
    env = os.environ | {
        "DJANGO_SETTINGS_MODULE": "portal.settings",
        "DATABASE_URL": f"postgres://{database['USER']}@/{place}",
        "SECRET_KEY": "measured-worker",
        "REDIS_URL": settings.REDIS_URL,
        "MEDIA_ROOT": str(test_settings.MEDIA_ROOT if test_settings else ""),
    }
    _execute("CHECKPOINT")
    output = subprocess.run(
        [sys.executable, "-m", "tests.bench.register_worker", step, str(argument)],
        env=env,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    ).stdout
    seconds, megabytes = map(float, output.split())
    return Measured(seconds, megabytes)


def _median(pairs: list[tuple[Measured, Measured]], which: int) -> float:
    return statistics.median(pair[which].seconds for pair in pairs)


def _seconds(client, url: str) -> float:
    def once() -> float:
        started = time.perf_counter()
        assert client.get(url).status_code == 200
        return time.perf_counter() - started

    once()
    return statistics.median(once() for _ in range(TIMES))


def _write(path: Path, rows: int) -> None:
    book = Workbook(write_only=True)
    sheet = book.create_sheet("机构名录")
    sheet.append(HEADINGS)
    for n in range(rows):
        sheet.append(
            [
                f"晋江市第{n}养老院", _code(n), "民办养老机构", "民办非企业单位", "晋江市民政局", f"第{n % TOWNS}镇",
                f"第{n % TOWNS}镇某某村{n}号", "洪建设", "洪秋萍", f"138{n:08d}", "已备案", f"晋养备〔2021〕{n}号",
                "2021-06-18", "2021-03-01", "三星", 100 + n % 200, n % 100, n % 99, 1000.5 + n % 700,
                "设有食堂、有特种设备",
            ]
        )  # fmt: skip
    book.save(path)


def _code(number: int) -> str:
    """The number-th of as many right codes, organisation code included."""
    organisation = f"MJ{number:06d}"
    total = sum(weight * int(char, 36) for weight, char in zip(WEIGHTS, organisation, strict=True))
    code = f"52350582{organisation}{'0123456789X0'[11 - total % 11]}"
    return code + uscc.calc_check_digit(code)


def _empty() -> None:
    """As if nothing had been imported yet."""
    for table in ("ledger_entry", "ledger_chain"):
        _execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
    _execute(
        "TRUNCATE institutions_institution, core_stagedrow, core_importrun, ledger_entry, ledger_chain CASCADE"
    )
    for table in ("ledger_entry", "ledger_chain"):
        _execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")


def _execute(sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql)
