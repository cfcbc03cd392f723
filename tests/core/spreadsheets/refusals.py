"""What a file that cannot be read is told."""

import pytest

from core.errors import DomainError
from core.spreadsheets import open_workbook


def refusal(data: bytes, name: str = "清单.xlsx", **options) -> str:
    """The sentence a file is refused with."""
    with pytest.raises(DomainError) as caught:
        open_workbook(data, name, **options)
    return caught.value.message
