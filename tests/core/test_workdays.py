import logging
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.workdays import add_workdays, is_workday, workdays_between


@pytest.mark.parametrize(
    ("day", "works"),
    [
        (date(2025, 9, 22), True),
        (date(2025, 9, 20), False),
        (date(2025, 9, 28), True),  # Sunday worked for National Day
        (date(2025, 10, 1), False),
        (date(2025, 10, 8), False),
        (date(2025, 10, 11), True),  # Saturday worked for National Day
        (date(2024, 2, 9), True),  # New Year's Eve of 2024: leave was encouraged, not ordered
        (date(2025, 1, 26), True),  # Sunday worked for Spring Festival
    ],
)
def test_announced_holidays_and_worked_weekends_count(day, works):
    assert is_workday(day) is works


@pytest.mark.parametrize(
    ("start", "count", "due"),
    [
        (date(2025, 9, 22), 20, date(2025, 10, 24)),  # 自备案之日起20个工作日 (requirements B6)
        (date(2025, 9, 26), 5, date(2025, 10, 10)),  # 5个工作日反馈 (requirements F1)
        (date(2025, 9, 22), 0, date(2025, 9, 22)),
        (date(2025, 9, 26), 1, date(2025, 9, 28)),
        (date(2025, 10, 1), 1, date(2025, 10, 9)),
        (date(2025, 12, 31), 1, date(2026, 1, 4)),  # the first three days of 2026 are off, Sunday is worked
    ],
)
def test_deadline_falls_on_the_last_working_day(start, count, due):
    assert add_workdays(start, count) == due


@pytest.mark.parametrize(
    ("start", "end", "days"),
    [
        (date(2025, 9, 22), date(2025, 10, 24), 20),
        (date(2025, 10, 24), date(2025, 9, 22), -20),
        (date(2025, 9, 22), date(2025, 9, 22), 0),
        (date(2025, 9, 30), date(2025, 10, 8), 0),
        (date(2025, 9, 30), date(2025, 10, 9), 1),
    ],
)
def test_days_between_count_the_last_and_not_the_first(start, end, days):
    assert workdays_between(start, end) == days


days = st.dates(date(2023, 1, 1), date(2026, 6, 30))


@given(days, st.integers(1, 40))
def test_adding_and_counting_agree(start, count):
    due = add_workdays(start, count)
    assert is_workday(due)
    assert workdays_between(start, due) == count


@given(days, days)
def test_counting_backwards_is_the_negative(start, end):
    assert workdays_between(start, end) == -workdays_between(end, start)


@pytest.mark.parametrize(("day", "works"), [(date(2099, 10, 1), True), (date(2099, 10, 3), False)])
def test_year_not_announced_yet_counts_monday_to_friday(day, works):
    assert is_workday(day) is works


def test_year_not_announced_yet_is_said_once(caplog):
    with caplog.at_level(logging.WARNING, "core.workdays"):
        for n in range(10):
            is_workday(date(2098, 1, 1) + timedelta(days=n))
    assert [record.getMessage() for record in caplog.records] == [
        "2098 年节假日安排尚未公布，工作日按周一至周五计算"
    ]
