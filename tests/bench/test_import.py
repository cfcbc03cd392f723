"""Importing a matrix against openpyxl merely reading the same file."""

import io
import statistics
import time
import tracemalloc
from collections.abc import Callable

import pytest
from django.db import transaction
from openpyxl import load_workbook

from core.spreadsheets import open_workbook
from scenarios.services.importing import import_workbook, preview
from tests.factories.matrices import JINJIANG, make_admin, make_bureaus, make_workbook, printed

pytestmark = pytest.mark.django_db

PAIRS = 5
BIG = 2000


@pytest.fixture
def admin():
    make_bureaus()
    return make_admin()


def test_importing_the_jinjiang_attachment(report, admin):
    data = JINJIANG.read_bytes()
    report(
        "导入晋江清单 28 行 / openpyxl 只读出同一文件",
        _ratio(lambda: _import(data, admin), lambda: _read(data)),
    )


def test_importing_a_matrix_of_two_thousand_rows(report, admin):
    rows = [printed(number=n, check=f"检查{n % 700}", penalty=f"处罚{n}") for n in range(BIG)]
    data = make_workbook(rows)
    read = lambda: _read(data)  # noqa: E731 - the baseline of three ratios
    report(f"导入 {BIG:,} 行 / openpyxl 只读出同一文件", _ratio(lambda: _import(data, admin), read))
    report(f"预览 {BIG:,} 行 / openpyxl 只读出同一文件", _ratio(lambda: _preview(data), read))
    blank = [[*row[:4], None if at % 3 else row[4], *row[5:]] for at, row in enumerate(rows)]
    gaps = make_workbook(blank)
    report(
        f"预览 {BIG:,} 行、三分之二的检查部门空白 / openpyxl 只读出同一文件",
        _ratio(lambda: _preview(gaps), lambda: _read(gaps)),
    )
    tracemalloc.start()
    _preview(data)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    report(f"预览 {BIG:,} 行的内存峰值", f"{peak / 1024 / 1024:.0f} MB")


def _import(data: bytes, actor) -> None:
    """One import, undone again so that the next one starts from the same library."""
    with transaction.atomic():
        assert import_workbook(data, name="清单.xlsx", actor=actor).rows.exists()
        transaction.set_rollback(True)


def _preview(data: bytes) -> None:
    assert preview(open_workbook(data, "清单.xlsx")).reading.lines


def _read(data: bytes) -> None:
    for sheet in load_workbook(io.BytesIO(data)):
        assert sum(1 for row in sheet.iter_rows() for cell in row if cell.value is not None)


def _ratio(work: Callable[[], None], baseline: Callable[[], None]) -> str:
    baseline(), work()  # the first of each pays for imports and plans
    return f"{statistics.median(_seconds(work) / _seconds(baseline) for _ in range(PAIRS)):.2f}×"


def _seconds(work: Callable[[], None]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started
