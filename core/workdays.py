"""工作日: the one place that counts working days (法定节假日与调休 by chinesecalendar)."""

import logging
from datetime import date, timedelta
from functools import cache, lru_cache

import chinese_calendar

logger = logging.getLogger(__name__)


# A list page asks for some hundred days, most of them the same on every row.
@lru_cache(maxsize=4096)
def is_workday(day: date) -> bool:
    """Whether `day` is a working day in China.

    Years the State Council has not announced yet count Monday to Friday, with one warning in the log.
    """
    try:
        return chinese_calendar.is_workday(day)
    except NotImplementedError:
        _warn_of(day.year)
        return day.weekday() < 5


@cache
def _warn_of(year: int) -> None:
    logger.warning("%s 年节假日安排尚未公布，工作日按周一至周五计算", year)


def add_workdays(start: date, count: int) -> date:
    """The `count`-th working day after `start` (the day itself is not counted); count ≥ 0."""
    day = start
    while count > 0:
        day += timedelta(days=1)
        if is_workday(day):
            count -= 1
    return day


def workdays_between(start: date, end: date) -> int:
    """Working days after `start` up to and including `end`; negative when `end` lies before `start`."""
    if end < start:
        return -workdays_between(end, start)
    days = (end - start).days
    return sum(is_workday(start + timedelta(days=n)) for n in range(1, days + 1))
