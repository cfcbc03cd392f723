"""The merge of 10,000 institutions against bare INSERT … SELECTs of the very rows it wrote."""

import statistics
import time
from collections.abc import Callable

import pytest
from django.db import connection

from core import jobs
from core.enums import JobState
from inspections.models import TaskItem
from inspections.services import merge
from inspections.services.draw import draw
from institutions.enums import Feature
from institutions.models import Institution
from tests.factories.institutions import make_institution
from tests.factories.merging import make_closed_inspection
from tests.factories.scenarios import Row, make_version

pytestmark = pytest.mark.django_db(transaction=True)

INSTITUTIONS, PAIRS = 10_000, 5
# The shape of the Jinjiang matrix: 28 rows, 17 check items, seven bureaus.
ROWS = [
    *(Row(f"民政检查{n}") for n in range(8)),
    Row("培训学校检查", "renshe", penalty_body="renshe"),
    *(Row(f"用地检查{n}", "ziran", penalty_body="GENERAL") for n in range(2)),
    Row("环评检查", "shengtai", penalty_body="shengtai"),
    Row("垃圾设施检查", "chengguan", penalty_body="GENERAL"),
    Row("价格检查", "shichang", penalty_body="shichang"),
    Row("特种设备检查", "shichang", penalty_body="shichang"),
    *(Row("餐饮检查", "shichang", f"餐饮处罚{n}", "shichang") for n in range(4)),
    *(Row("消防检查", "xiaofang", f"消防处罚{n}", "FIRE") for n in range(8)),
    Row("消防检查", "xiaofang", "电气线路处罚", "xiaofang"),
]
CHECK_ITEMS = 17
FORM_LINES = "inspections_taskitem"
WRITTEN = [
    "inspections_task",
    "inspections_taskorigin",
    FORM_LINES,
    "inspections_taskitemrow",
    "inspections_taskofficer",
    "ledger_chain",
    "ledger_entry",
]


def test_merge_of_ten_thousand_institutions(report, monkeypatch):
    monkeypatch.setattr(jobs, "enqueue", lambda job: None)
    version = make_version(ROWS)
    example = make_institution(features=[Feature.CANTEEN])
    Institution.objects.bulk_create(
        Institution(name=f"第{n}养老院", kind=example.kind, town=example.town, filed_on=example.filed_on,
                    filing_state=example.filing_state, features=example.features,
                    temporary_number=f"L{n:09d}")
        for n in range(INSTITUTIONS - 1)
    )  # fmt: skip
    inspection, clerk = make_closed_inspection(version, Institution.objects.all(), officers=6)
    draw(inspection, actor=clerk)
    job = merge.start_generating(inspection, actor=clerk)
    pairs = []
    for _ in range(PAIRS):
        _empty(WRITTEN)
        type(job).objects.update(state=JobState.QUEUED, done=0, lease_until=None)
        type(inspection).objects.update(state="GENERATING")
        merged = _seconds(lambda: merge.generate(job.pk))
        assert TaskItem.objects.count() == INSTITUTIONS * CHECK_ITEMS
        bare = {table: _bare_insert(table) for table in WRITTEN}
        pairs.append((merged / sum(bare.values()), merged / bare[FORM_LINES]))
    report(f"合并 {INSTITUTIONS:,} 家 × {CHECK_ITEMS} 项 / 裸插入其全部各表的同样行", _ratio(pairs, 0))
    report(f"合并 {INSTITUTIONS:,} 家 × {CHECK_ITEMS} 项 / 只裸插入表单项", _ratio(pairs, 1))


def _ratio(pairs: list[tuple[float, float]], which: int) -> str:
    return f"{statistics.median(pair[which] for pair in pairs):.2f}×"


def _seconds(work: Callable[[], None]) -> float:
    _execute("CHECKPOINT")
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _empty(tables: list[str]) -> None:
    ledger = [table for table in tables if table.startswith("ledger_")]
    for table in ledger:
        _execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
    _execute(f"TRUNCATE {', '.join(tables)} CASCADE")
    for table in ledger:
        _execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")


def _bare_insert(table: str) -> float:
    """Seconds to insert the table's rows into an empty twin with the same indexes and constraints."""
    twin = f"bench_{table}"
    _execute(f"CREATE TABLE {twin} (LIKE {table} INCLUDING ALL)")
    for name, definition in _foreign_keys(table):
        _execute(f'ALTER TABLE {twin} ADD CONSTRAINT "{name}" {definition}')
    seconds = _seconds(lambda: _execute(f"INSERT INTO {twin} SELECT * FROM {table}"))
    _execute(f"DROP TABLE {twin}")
    return seconds


def _foreign_keys(table: str) -> list[tuple[str, str]]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint "
            "WHERE conrelid = %s::regclass AND contype = 'f'",
            [table],
        )
        return cursor.fetchall()


def _execute(sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql)
