"""Append to chains, take checkpoints, verify. Subjects, actors and departments are plain keys here.

Payloads hold ids, codes, states and digests, never personal data: a person's data can be erased and
the chain still verifies.
"""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import groupby
from operator import attrgetter
from typing import Any

from django.db import connection, transaction
from django.db.models import Max
from django.utils import timezone

from core.canonical import canonical_json
from core.digests import default_algorithm, digest_json
from ledger.models import Chain, Checkpoint, Entry


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
    return append_many([Record(subject, kind, payload)], actor=actor, department=department)[0]


def append_many(records: Iterable[Record], *, actor: str, department: str = "") -> list[Entry]:
    """Append many entries in the caller's transaction, in order, locking each chain once.

    Chains are locked in the order of their subjects, so that two writers never wait for each other
    in a circle. Raises TransactionManagementError outside a transaction: an entry stands or falls
    with the step it tells of.
    """
    records = list(records)
    if not records:
        return []
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("ledger entries need the caller's transaction")
    chains = _locked_chains({record.subject for record in records})
    at = timezone.now()
    algorithm = default_algorithm()
    entries = []
    for record in records:
        chain = chains[record.subject]
        entry = Entry(
            chain=chain,
            seq=chain.head_seq + 1,
            at=at,
            kind=record.kind,
            actor=actor,
            department=department,
            payload=record.payload,
            previous=chain.head_digest,
            algorithm=algorithm,
        )
        entry.digest = _digest(entry, record.subject)
        chain.head_seq, chain.head_digest = entry.seq, entry.digest
        entries.append(entry)
    Entry.objects.bulk_create(entries, batch_size=2000)
    _write_heads(list(chains.values()))
    return entries


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


def _locked_chains(subjects: set[str]) -> dict[str, Chain]:
    ordered = sorted(subjects)
    Chain.objects.bulk_create([Chain(subject=s) for s in ordered], ignore_conflicts=True)
    locked = Chain.objects.select_for_update().filter(subject__in=ordered).order_by("subject")
    return {chain.subject: chain for chain in locked}


def _write_heads(chains: list[Chain]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE ledger_chain SET head_seq = new.seq, head_digest = new.digest
            FROM unnest(%s::bigint[], %s::bigint[], %s::text[]) AS new(id, seq, digest)
            WHERE ledger_chain.id = new.id
            """,
            [[c.pk for c in chains], [c.head_seq for c in chains], [c.head_digest for c in chains]],
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
