"""Amounts of money as people read them."""

from decimal import Decimal, InvalidOperation
from typing import Any


def yuan(amount: Any) -> str:
    """12,000 元, 12,000.50 元; what is no amount becomes —."""
    try:
        number = Decimal(str(amount))
    except InvalidOperation:
        return "—"
    return f"{number:,.0f} 元" if number == number.to_integral_value() else f"{number:,.2f} 元"
