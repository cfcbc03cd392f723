"""Two officers at once: the row is locked, so the second sees what the first did."""

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from threading import Barrier

import pytest
from django.db import connections
from django.utils import timezone

from core.errors import DomainError
from penalties import services
from penalties.enums import CaseState
from penalties.models import Payment, PenaltyCase
from tests.factories.penalties import handler_of, make_case, make_taken_up

pytestmark = pytest.mark.django_db(transaction=True)


def both_at_once(step) -> list[str]:
    """Run `step(n)` in two threads that start together; each gives 完成 or its refusal."""
    start = Barrier(2)

    def run(n: int) -> str:
        start.wait()
        try:
            step(n)
        except DomainError as error:
            return error.message
        finally:
            connections.close_all()
        return "完成"

    with ThreadPoolExecutor(2) as officers:
        return sorted(officers.map(run, range(2)))


def test_two_payments_at_once_never_exceed_the_fine():
    case = make_case(CaseState.SERVED)
    actor, today = handler_of(case.referral), timezone.localdate()

    def pay(n: int) -> None:
        services.pay(case, amount=Decimal("300"), paid_on=today, receipt=f"P{n}", actor=actor)

    assert both_at_once(pay) == sorted(["完成", "缴款金额超过尚未缴纳的罚款 200 元，未登记。"])
    assert Payment.objects.get().amount == Decimal("300.00")


def test_filing_twice_at_once_makes_one_case():
    referral = make_taken_up()
    actor = handler_of(referral)
    assert both_at_once(lambda n: services.file_case(referral, actor=actor)) == sorted(
        ["完成", "该移送已经立案。"]
    )
    assert PenaltyCase.objects.count() == 1
