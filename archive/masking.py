"""What a stranger must not read in free text: telephone numbers, identity numbers, names we know of."""

import re
from collections.abc import Iterable

MASK = "〔已隐去〕"
# 18 or 15 digit identity numbers; mobiles, with or without separators; landlines with area code.
PRIVATE = re.compile(
    r"(?<![0-9A-Za-z])\d{17}[0-9Xx](?![0-9A-Za-z])"
    r"|(?<!\d)\d{15}(?!\d)"
    r"|(?<!\d)(?:\+?86[- ]?)?1[3-9]\d[- ]?\d{4}[- ]?\d{4}(?!\d)"
    r"|(?<!\d)0\d{2,3}[-— ]?\d{7,8}(?!\d)"
)


def mask(text: str, names: Iterable[str] = ()) -> str:
    """`text` with telephone and identity numbers and these persons' names struck out."""
    masked = PRIVATE.sub(MASK, text)
    # The longest first: 欧阳明 before 欧阳.
    for name in sorted({name.strip() for name in names}, key=len, reverse=True):
        if len(name) >= 2:
            masked = masked.replace(name, MASK)
    return masked


def holds_private_numbers(text: str) -> bool:
    return bool(PRIVATE.search(text))
