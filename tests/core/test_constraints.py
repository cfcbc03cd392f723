import pytest
from django.db import IntegrityError

from core.constraints import refusing
from core.errors import DomainError
from core.models import NumberSeries

pytestmark = pytest.mark.django_db

SAME = {"issuer": "晋江市民政局", "kind": "NOTICE", "year": 2025}


def test_a_broken_constraint_is_refused_and_the_transaction_goes_on():
    NumberSeries.objects.create(**SAME)
    refused = pytest.raises(DomainError, match="已有此编号簿")
    with refused, refusing("core_one_series_per_year", DomainError("已有此编号簿。")):
        NumberSeries.objects.create(**SAME)
    assert NumberSeries.objects.count() == 1


def test_another_constraint_is_an_error_like_any_other():
    NumberSeries.objects.create(**SAME)
    failed = pytest.raises(IntegrityError, match="core_one_series_per_year")
    with failed, refusing("another", DomainError("已有此编号簿。")):
        NumberSeries.objects.create(**SAME)


def test_what_breaks_none_is_written():
    with refusing("core_one_series_per_year", DomainError("已有此编号簿。")):
        NumberSeries.objects.create(**SAME)
    assert NumberSeries.objects.count() == 1
