"""A draw of 5,000 of 100,000 institutions against the bare SQL one would write: ORDER BY md5(…) LIMIT."""

import statistics
import time
from collections.abc import Callable

import pytest
from django.db import connection

from inspections.draws.publication import verify
from inspections.draws.rules import SamplingRule, percent
from inspections.enums import StratifyBy
from inspections.models import Draw, DrawContribution, DrawnInstitution, DrawRoster, RosterOfficer
from inspections.services.draw import draw
from inspections.services.publication import document
from institutions.models import Institution
from tests.factories.institutions import make_institution
from tests.factories.merging import make_closed_inspection
from tests.factories.scenarios import make_version

pytestmark = pytest.mark.django_db(transaction=True)

INSTITUTIONS, DRAWN, PAIRS = 100_000, 5_000, 5


@pytest.mark.parametrize("by", ["", StratifyBy.CREDIT_CLASS])
def test_draw_of_five_thousand_of_a_hundred_thousand(report, by):
    example = make_institution()
    Institution.objects.bulk_create(
        (
            Institution(name=f"第{n}养老院", kind=example.kind, town=example.town, filed_on=example.filed_on,
                        filing_state=example.filing_state, credit_class="ABCD"[n % 4])
            for n in range(INSTITUTIONS - 1)
        ),
        batch_size=5000,
    )  # fmt: skip
    rule = SamplingRule(percent(5), by)
    inspection, clerk = make_closed_inspection(make_version(), Institution.objects.all(), rule=rule)
    _execute("VACUUM ANALYZE")
    drawing, bare = [], []
    for _ in range(PAIRS):
        for model in (DrawnInstitution, DrawRoster, RosterOfficer, DrawContribution, Draw):
            model.objects.all().delete()
        drawing.append(_seconds(lambda: draw(inspection, actor=clerk)))
        bare.append(_seconds(lambda: _bare_draw(inspection.pk)))
    made = inspection.draws.get()
    assert made.drawn.count() == made.size
    ratio = statistics.median(one / other for one, other in zip(drawing, bare, strict=True))
    name = f"抽取 {DRAWN:,} / {INSTITUTIONS:,} 家{'（分层）' if by else ''}"
    report(f"{name}，含固定名单、留痕 / 裸 ORDER BY md5 LIMIT 并写入", f"{ratio:.2f}×")
    published = document(made)
    verifying = _seconds(lambda: all(check.agrees for check in verify(published)))
    report(f"{name}，核验公布的文件 / 同上", f"{verifying / statistics.median(bare):.2f}×")


def _bare_draw(inspection: int) -> None:
    _execute(
        f"""
        CREATE TEMP TABLE bare AS
        SELECT institution.id, row_number() OVER () AS position
        FROM inspections_candidate candidate
        JOIN institutions_institution institution ON institution.id = candidate.institution_id
        WHERE candidate.joint_inspection_id = {inspection}
        ORDER BY md5('seed' || institution.key::text) LIMIT {DRAWN};
        DROP TABLE bare
        """
    )


def _seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _execute(sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql)
