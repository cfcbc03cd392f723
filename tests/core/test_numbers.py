import threading

import pytest
from django.db import connection, transaction

from core.numbers import next_number, next_numbers

pytestmark = pytest.mark.django_db


def number(issuer="minzheng", kind="责令改正通知书", year=2025):
    return next_number(issuer=issuer, kind=kind, year=year)


def test_series_starts_at_one_and_counts_up():
    assert [number() for _ in range(3)] == [1, 2, 3]


@pytest.mark.parametrize("other", [{"issuer": "xiaofang"}, {"kind": "移送书"}, {"year": 2026}])
def test_each_issuer_kind_and_year_counts_by_itself(other):
    number()
    assert number(**other) == 1


def test_several_come_at_once_and_follow_on():
    number()
    assert list(next_numbers(3, issuer="minzheng", kind="责令改正通知书", year=2025)) == [2, 3, 4]
    assert number() == 5


def test_rollback_gives_the_number_back():
    number()
    with transaction.atomic():
        assert number() == 2
        transaction.set_rollback(True)
    assert number() == 2


@pytest.mark.django_db(transaction=True)
def test_issuers_at_the_same_moment_leave_no_gap_and_no_double():
    given, errors = [], []

    def run():
        try:
            for _ in range(10):
                given.append(number())
        except Exception as error:
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (errors, sorted(given)) == ([], list(range(1, 41)))
