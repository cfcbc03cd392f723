"""Consecutive numbers without gaps, one series per issuer, kind and year."""

from django.db import connection


def next_number(*, issuer: str, kind: str, year: int) -> int:
    """The next number of the series, from 1. Inside a transaction a rollback gives it back."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO core_numberseries (issuer, kind, year, last) VALUES (%s, %s, %s, 1)
            ON CONFLICT (issuer, kind, year) DO UPDATE SET last = core_numberseries.last + 1
            RETURNING last
            """,
            [issuer, kind, year],
        )
        return cursor.fetchone()[0]
