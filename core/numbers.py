"""Consecutive numbers without gaps, one series per issuer, kind and year."""

from django.db import connection


def next_number(*, issuer: str, kind: str, year: int) -> int:
    """The next number of the series, from 1. Inside a transaction a rollback gives it back."""
    return next_numbers(1, issuer=issuer, kind=kind, year=year)[0]


def next_numbers(count: int, *, issuer: str, kind: str, year: int) -> range:
    """The next `count` numbers of the series at once; likewise."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO core_numberseries (issuer, kind, year, last) VALUES (%s, %s, %s, %s)
            ON CONFLICT (issuer, kind, year) DO UPDATE SET last = core_numberseries.last + EXCLUDED.last
            RETURNING last
            """,
            [issuer, kind, year, count],
        )
        last = cursor.fetchone()[0]
    return range(last - count + 1, last + 1)
