"""Digests of bytes and of JSON values: SM3 where OpenSSL offers it, SHA-256 otherwise.

The algorithm is stored beside every digest, so a machine without SM3 still verifies what it can
and says what it cannot.
"""

import hashlib
from functools import cache
from typing import Any

from django.conf import settings

from core.canonical import canonical_json


@cache
def default_algorithm() -> str:
    """The algorithm new digests use: settings.DIGEST_ALGORITHM, else sm3 when available, else sha256."""
    if settings.DIGEST_ALGORITHM:
        return settings.DIGEST_ALGORITHM
    return "sm3" if "sm3" in hashlib.algorithms_available else "sha256"


@cache
def _blank(algorithm: str) -> Any:
    # Looking an algorithm up takes longer than digesting a few bytes.
    return hashlib.new(algorithm)


def digest_bytes(data: bytes, algorithm: str | None = None) -> str:
    """Hex digest of `data`. Raises ValueError when this machine lacks the algorithm."""
    running = _blank(algorithm or default_algorithm()).copy()
    running.update(data)
    return running.hexdigest()


def digest_text(text: str) -> str:
    """How free text stands in the ledger: never itself, since it may name people. Empty stays empty."""
    return digest_bytes(text.encode()) if text else ""


def digest_json(value: Any, algorithm: str | None = None) -> str:
    """Hex digest of a value's canonical JSON."""
    return digest_bytes(canonical_json(value), algorithm)
