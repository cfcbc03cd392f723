"""A constraint's last word said in a sentence: what two people do in the same moment is refused, not a 500."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import IntegrityError, transaction

from core.errors import DomainError


@contextmanager
def refusing(constraint: str, refusal: DomainError) -> Iterator[None]:
    """Raise `refusal` when what is written inside breaks the named constraint; the transaction around goes on.

    Any other IntegrityError stays what it is. Look first and say who holds the name: this is for those who
    looked at the same time.
    """
    try:
        with transaction.atomic():
            yield
    except IntegrityError as error:
        if error.__cause__.diag.constraint_name != constraint:
            raise
        raise refusal from error
