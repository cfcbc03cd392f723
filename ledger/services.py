"""Append to chains, take checkpoints, verify. Subjects, actors and departments are plain keys here.

Payloads hold ids, codes, states and digests, never personal data: a person's data can be erased and
the chain still verifies.
"""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from itertools import groupby
from operator import attrgetter
from typing import Any

from django.db import connection, transaction
from django.db.models import Max
from django.utils import timezone

from core.canonical import canonical_json
from core.digests import default_algorithm, digest_bytes, digest_json
from ledger.models import Chain, Checkpoint, Entry

# A chain's id, the number of its last entry and that entry's digest.
Head = tuple[int, int, str]


@dataclass(frozen=True)
class Record:
    """What is to be appended to one subject's chain."""

    subject: str
    kind: str
    payload: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Break:
    """Where a chain stops being true, and why (a Chinese sentence)."""

    subject: str
    seq: int
    reason: str


def append(subject: str, kind: str, payload: dict[str, Any], *, actor: str, department: str = "") -> Entry:
    """Append one entry in the caller's transaction."""
    ((pk, values),) = _append([Record(subject, kind, payload)], actor, department)
    return Entry(pk=pk, **values, payload=payload)


def append_many(records: Iterable[Record], *, actor: str, department: str = "") -> None:
    """Append many entries in the caller's transaction, in order, locking each chain once.

    Chains are locked in the order of their subjects, so that two writers never wait for each other
    in a circle. Raises TransactionManagementError outside a transaction: an entry stands or falls
    with the step it tells of.
    """
    _append(list(records), actor, department)


def _append(records: list[Record], actor: str, department: str) -> list[tuple[int, dict[str, Any]]]:
    """Primary key and fields, without the payload, of each entry written."""
    if not records:
        return []
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("ledger entries need the caller's transaction")
    heads = _locked_heads({record.subject for record in records})
    at = timezone.now()
    common = {"at": at, "actor": actor, "department": department, "algorithm": default_algorithm()}
    entries, payloads = [], []
    for record in records:
        chain, seq, previous = heads[record.subject]
        payload = canonical_json(record.payload)
        entry = {"chain_id": chain, "seq": seq + 1, "kind": record.kind, "previous": previous, **common}
        entry["digest"] = _digest_of(entry, record.subject, payload)
        heads[record.subject] = (chain, seq + 1, entry["digest"])
        entries.append(entry)
        payloads.append(payload)
    keys = _insert(entries, payloads)
    _write_heads(heads.values())
    return list(zip(keys, entries, strict=True))


def entries_of(subject: str) -> Iterable[Entry]:
    """The subject's entries, oldest first, as a queryset."""
    return Entry.objects.filter(chain__subject=subject).order_by("seq")


def checkpoint() -> Checkpoint:
    """Fix the heads of all chains in one digest, which also covers the checkpoint before."""
    last_entry = _fence()
    with transaction.atomic():
        last = Checkpoint.objects.select_for_update().order_by("-pk").first()
        taken = Checkpoint(
            at=timezone.now(),
            last_entry=last_entry,
            previous=last.digest if last else "",
            algorithm=default_algorithm(),
        )
        taken.digest, taken.chains, taken.entries = _digest_of_heads(taken)
        taken.save()
        return taken


def verify(subject: str | None = None) -> Iterator[Break]:
    """Walk every chain (or one) and yield the first break of each; nothing when all is whole.

    Over all chains the checkpoints are verified too, which shows a chain that was rewritten or
    dropped as a whole.
    """
    entries = Entry.objects.select_related("chain").order_by("chain_id", "seq")
    emptied = Chain.objects.filter(head_seq__gt=0, entries=None).order_by("pk")
    if subject is not None:
        entries, emptied = entries.filter(chain__subject=subject), emptied.filter(subject=subject)
    for _, chain in groupby(entries.iterator(), key=attrgetter("chain_id")):
        broken = _verify_chain(chain)
        if broken:
            yield broken
    for chain in emptied:
        yield Break(chain.subject, 1, f"链头记为第 {chain.head_seq} 条，实际一条也没有")
    if subject is None:
        yield from _verify_checkpoints()


def _verify_chain(entries: Iterator[Entry]) -> Break | None:
    previous, seq = "", 0
    for entry in entries:
        chain = entry.chain
        seq += 1
        if entry.seq != seq:
            return Break(chain.subject, seq, f"缺少第 {seq} 条，接下来是第 {entry.seq} 条")
        if entry.previous != previous:
            return Break(chain.subject, seq, "与前一条的摘要不衔接")
        try:
            digest = _digest(entry, chain.subject)
        except ValueError:
            return Break(chain.subject, seq, f"本机不支持摘要算法 {entry.algorithm}，无法核验")
        if digest != entry.digest:
            return Break(chain.subject, seq, "内容与摘要不符")
        previous = entry.digest
    if (seq, previous) != (chain.head_seq, chain.head_digest):
        return Break(chain.subject, seq + 1, f"链头记为第 {chain.head_seq} 条，实际只到第 {seq} 条")
    return None


def _verify_checkpoints() -> Iterator[Break]:
    """The links between all checkpoints, and the heads as the newest one fixed them."""
    previous, newest = "", None
    for number, taken in enumerate(Checkpoint.objects.order_by("pk").iterator(), start=1):
        if taken.previous != previous:
            yield Break("checkpoint", number, "与前一个检查点的摘要不衔接")
            return
        previous, newest = taken.digest, (number, taken)
    if newest is None:
        return
    number, taken = newest
    try:
        digest, _, _ = _digest_of_heads(taken)
    except ValueError:
        yield Break("checkpoint", number, f"本机不支持摘要算法 {taken.algorithm}，无法核验")
        return
    if digest != taken.digest:
        yield Break("checkpoint", number, "各链与检查点固定的链头不符，检查点之前的留痕被改写或删除")


def _locked_heads(subjects: set[str]) -> dict[str, Head]:
    """Each subject's chain with its head, made where there is none yet, and locked."""
    ordered = sorted(subjects)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO ledger_chain (subject, head_seq, head_digest)
            SELECT subject, 0, '' FROM unnest(%s::text[]) AS subject
            ON CONFLICT (subject) DO NOTHING
            """,
            [ordered],
        )
        cursor.execute(
            """
            SELECT subject, id, head_seq, head_digest FROM ledger_chain
            WHERE subject IN (SELECT unnest(%s::text[])) ORDER BY subject COLLATE "C" FOR UPDATE
            """,
            [ordered],
        )
        return {subject: (chain, seq, digest) for subject, chain, seq, digest in cursor.fetchall()}


def _insert(entries: list[dict[str, Any]], payloads: list[bytes]) -> list[int]:
    """All entries in one statement, as one JSON value: a model's own way takes several times as long."""
    common = entries[0]
    rows = b",".join(
        b'[%d,%d,%b,%b,"%b","%b"]'
        % (
            entry["chain_id"],
            entry["seq"],
            _quoted(entry["kind"]),
            payload,
            entry["previous"].encode(),
            entry["digest"].encode(),
        )
        for entry, payload in zip(entries, payloads, strict=True)
    )
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO ledger_entry
                (chain_id, seq, kind, payload, previous, digest, at, actor, department, algorithm)
            SELECT (r->>0)::bigint, (r->>1)::bigint, r->>2, r->3, r->>4, r->>5, %s, %s, %s, %s
            FROM jsonb_array_elements(%s::jsonb) WITH ORDINALITY AS given (r, place)
            ORDER BY place
            RETURNING id
            """,
            [common["at"], common["actor"], common["department"], common["algorithm"], f"[{rows.decode()}]"],
        )
        return [pk for (pk,) in cursor.fetchall()]


def _write_heads(heads: Iterable[Head]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE ledger_chain SET head_seq = new.seq, head_digest = new.digest
            FROM unnest(%s::bigint[], %s::bigint[], %s::text[]) AS new(id, seq, digest)
            WHERE ledger_chain.id = new.id
            """,
            [list(column) for column in zip(*heads, strict=True)],
        )


def _digest(entry: Entry, subject: str) -> str:
    return digest_json(
        {
            "subject": subject,
            "seq": entry.seq,
            "at": _instant(entry.at),
            "kind": entry.kind,
            "actor": entry.actor,
            "department": entry.department,
            "payload": entry.payload,
            "previous": entry.previous,
        },
        entry.algorithm,
    )


def _digest_of(entry: dict[str, Any], subject: str, payload: bytes) -> str:
    """What `_digest` says of the entry, around a payload that is canonical JSON already.

    Canonical JSON has its keys in order; verification goes the plain way and so checks this one.
    """
    return digest_bytes(
        b'{"actor":%b,"at":"%b","department":%b,"kind":%b,"payload":%b,"previous":"%b","seq":%d,"subject":%b}'
        % (
            _quoted(entry["actor"]),
            _instant(entry["at"]).encode(),
            _quoted(entry["department"]),
            _quoted(entry["kind"]),
            payload,
            entry["previous"].encode(),
            entry["seq"],
            canonical_json(subject),
        ),
        entry["algorithm"],
    )


@lru_cache(maxsize=1024)
def _quoted(text: str) -> bytes:
    """A word that comes again and again, as canonical JSON."""
    return canonical_json(text)


def _fence() -> int:
    """The id of the last entry such that no smaller one is still to be committed.

    The lock waits for every transaction that is appending and lets none begin meanwhile.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("LOCK TABLE ledger_chain IN EXCLUSIVE MODE")
        return Entry.objects.aggregate(last=Max("pk"))["last"] or 0


def _digest_of_heads(taken: Checkpoint) -> tuple[str, int, int]:
    """Digest over the checkpoint before and each chain's head as of `taken`; and how many chains and entries."""
    heads = (
        Entry.objects.filter(pk__lte=taken.last_entry)
        .order_by("chain__subject", "-seq")
        .distinct("chain__subject")
        .values_list("chain__subject", "seq", "digest")
    )
    running = hashlib.new(taken.algorithm)
    running.update(canonical_json([taken.previous, taken.last_entry]))
    chains = entries = 0
    for head in heads.iterator():
        running.update(b"\n" + canonical_json(list(head)))
        chains += 1
        entries += head[1]
    return running.hexdigest(), chains, entries


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds")
