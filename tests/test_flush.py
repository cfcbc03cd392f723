"""What tests/conftest.py does for transactional tests."""

import pytest
from django.db import DatabaseError, connection

from ledger.models import Chain, Entry


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("run", [1, 2])
def test_each_transactional_test_finds_an_empty_ledger_with_its_triggers_on(run):
    assert (Chain.objects.count(), Entry.objects.count()) == (0, 0)
    Chain.objects.create(subject="institution:1")
    with pytest.raises(DatabaseError, match="留痕只可追加"), connection.cursor() as cursor:
        cursor.execute("TRUNCATE ledger_chain CASCADE")
