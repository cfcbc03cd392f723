"""One byte string for one JSON value, so that two machines digest the same; needs neither Django nor a database."""

import json
from collections.abc import Collection
from typing import Any

HARMLESS = {str, int, bool, type(None)}
# One encoder for all: making one costs as much as encoding a small value.
_encode = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode


def canonical_json(value: Any) -> bytes:
    """Sorted keys, no spaces, UTF-8; floats are refused."""
    _refuse_floats((value,))
    return _encode(value).encode()


def _refuse_floats(parts: Collection[Any]) -> None:
    # Most values hold only words and whole numbers, which one pass in C can tell.
    if HARMLESS.issuperset(map(type, parts)):
        return
    for part in parts:
        # A float may come back from jsonb in another spelling and break the chain.
        if isinstance(part, float):
            raise TypeError("digested values hold no floats; use a string or an integer")
        if isinstance(part, dict):
            _refuse_floats(part.values())
        elif isinstance(part, list | tuple):
            _refuse_floats(part)
