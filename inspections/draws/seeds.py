"""The seed: made of secrets that were fixed before anybody could know what they would lead to.

A party first gives the digest of its secret (the commitment), bound to the frozen roster and to the
party, and the secret itself only after all commitments stand. Steering would need a secret chosen
after seeing the others', which no longer fits its commitment. What remains is to withhold one's
secret; the draw is then void, the party is named, and the next draw does without it. The portal
commits first and reveals last, so that even who withholds does not know what would have come out.
"""

import hashlib
import secrets
from collections.abc import Mapping

# The portal's own part; no department's code has such a sign.
PORTAL = "@portal"
SHORTEST, LONGEST = 16, 128


def new_secret() -> str:
    """A secret nobody can guess: 64 hexadecimal digits."""
    return secrets.token_hex(32)


def commitment(roster_digest: str, party: str, secret: str) -> str:
    """What a party publishes before its secret: SHA-256 of roster digest, party and secret, one a line."""
    return _digest([roster_digest, party, secret])


def seed_of(roster_digest: str, rule_digest: str, revealed: Mapping[str, str]) -> str:
    """The seed: SHA-256 of both digests, then party and secret of everybody by party, the portal last; one a line."""
    parties = sorted(revealed, key=lambda party: (party == PORTAL, party))
    return _digest([roster_digest, rule_digest, *(line for p in parties for line in (p, revealed[p]))])


def _digest(lines: list[str]) -> str:
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()
