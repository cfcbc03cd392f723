import pytest

from core.enums import Verdict
from core.errors import DomainError
from core.models import NumberSeries
from core.registers import Existing
from core.registers.judging import alike, require_same
from tests.core.registers.counters import CounterRegister, make_ready

pytestmark = pytest.mark.django_db

BUREAU = "晋江市民政局"
ROW = [BUREAU, "通知书", 2025, 9]
VALUES = {"issuer": BUREAU, "kind": "NOTICE", "year": 2025}


def previewed(last=None):
    """A staged row, previewed as new, or as changed from `last`."""
    if last is not None:
        NumberSeries.objects.create(**VALUES, last=last)
    return make_ready([ROW]).rows.get()


@pytest.mark.parametrize("last", [None, 7])
def test_what_is_as_it_was_may_be_written(last):
    row = previewed(last)
    require_same(CounterRegister(), row, Existing(1, VALUES | {"last": last}) if last else None)


@pytest.mark.parametrize(
    ("last", "now", "reason"),
    [
        (None, Existing(1, VALUES | {"last": 8}), "预览后已由他人登记"),
        (7, None, "原有的登记已不在"),
        (7, Existing(1, VALUES | {"last": 8}), "预览后已由他人变更"),
        (7, Existing(1, VALUES | {"last": 9}), "预览后已由他人变更"),
        (7, Existing(1, VALUES | {"last": 10}), "不能小于已用的 10"),
        (7, Existing(None, {"last": 7}, errors={"issuer": "有两家"}), "有两家"),
    ],
)
def test_what_is_no_longer_as_the_preview_said_is_refused_with_its_line(last, now, reason):
    with pytest.raises(DomainError) as refused:
        require_same(CounterRegister(), previewed(last), now)
    assert refused.value.message == f"第2行与现在的登记不符：{reason}。请重新上传。"


def test_rows_that_say_the_same_know_one_another():
    rows = [
        [BUREAU, "通知书", year, last]
        for year, last in [(2021, 5), (2022, 6), (2023, 5), (2024, None), (2025, None)]
    ]
    run = make_ready(rows)
    assert [(row.line, other) for row, other in alike(run, "issuer", "last")] == [(2, 4), (4, 2)]


def test_a_faulty_row_is_like_none():
    run = make_ready([[BUREAU, "通知书", 2021, 5], [BUREAU, "公告", 2022, 5]])
    assert dict(run.rows.values_list("line", "verdict")) == {2: Verdict.NEW, 3: Verdict.FAULTY}
    assert list(alike(run, "last")) == []
