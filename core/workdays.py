"""工作日: the one place that counts working days (法定节假日与调休 by chinesecalendar)."""

import logging
from datetime import date, timedelta

import chinese_calendar

logger = logging.getLogger(__name__)
_warned: set[int] = set()


def is_workday(day: date) -> bool:
    """Whether `day` is a working day in China.

    Years the State Council has not announced yet count Monday to Friday, with one warning in the log.
    """
    try:
        return chinese_calendar.is_workday(day)
    except NotImplementedError:
        if day.year not in _warned:
            _warned.add(day.year)
            logger.warning("%s 年节假日安排尚未公布，工作日按周一至周五计算", day.year)
        return day.weekday() < 5


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
