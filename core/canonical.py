"""One byte string for one JSON value, so that two machines digest the same; needs neither Django nor a database."""

import json
from typing import Any


def canonical_json(value: Any) -> bytes:
    """Sorted keys, no spaces, UTF-8; floats are refused."""
    _refuse_floats(value)
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def _refuse_floats(value: Any) -> None:
    # A float may come back from jsonb in another spelling and break the chain.
    if isinstance(value, float):
        raise TypeError("digested values hold no floats; use a string or an integer")
    if isinstance(value, dict):
        for part in value.values():
            _refuse_floats(part)
    elif isinstance(value, list | tuple):
        for part in value:
            _refuse_floats(part)
