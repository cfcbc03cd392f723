import hashlib
import json
import threading
from datetime import UTC, datetime

import pytest
from django.db import connection, transaction
from django.db.transaction import TransactionManagementError

from ledger import services
from ledger.models import Chain, Checkpoint, Entry
from ledger.services import Record, append, append_many, verify

pytestmark = pytest.mark.django_db

HOME, OTHER = "institution:a", "institution:b"


def write(subject=HOME, kind="institution.changed", payload=None):
    return append(subject, kind, payload or {"beds": 80}, actor="user:1", department="department:minzheng")


def recompute(entry):
    """The digest as anybody can recompute it from what the row shows, without our code."""
    value = {
        "subject": entry.chain.subject,
        "seq": entry.seq,
        "at": entry.at.astimezone(UTC).isoformat(timespec="microseconds"),
        "kind": entry.kind,
        "actor": entry.actor,
        "department": entry.department,
        "payload": entry.payload,
        "previous": entry.previous,
    }
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.new(entry.algorithm, text.encode()).hexdigest()


# --- Appending -----------------------------------------------------------------------


def test_first_entry_opens_the_chain():
    entry = write()
    chain = Chain.objects.get(subject=HOME)
    assert (entry.seq, entry.previous) == (1, "")
    assert (chain.head_seq, chain.head_digest) == (1, entry.digest)


def test_next_entry_names_the_one_before():
    first, second = write(), write()
    assert (second.seq, second.previous) == (2, first.digest)
    assert Chain.objects.get(subject=HOME).head_digest == second.digest


def test_chains_of_two_subjects_count_by_themselves():
    write(HOME)
    assert write(OTHER).seq == 1


def test_entry_keeps_who_when_and_what():
    before = datetime.now(UTC)
    write(payload={"名称": "一", "list": [1, "2", None, True]})
    entry = Entry.objects.get()
    assert (entry.kind, entry.actor, entry.department) == (
        "institution.changed",
        "user:1",
        "department:minzheng",
    )
    assert entry.payload == {"名称": "一", "list": [1, "2", None, True]}
    assert before <= entry.at <= datetime.now(UTC)


@pytest.mark.parametrize(
    "payload",
    [
        {},
        {"b": 1, "a": 2},
        {"text": '引号“”与"\\\n'},
        {"big": 10**15},
        {"nested": {"z": [], "a": [{"k": "1.50"}]}},
    ],
    ids=["empty", "order", "quotes", "big", "nested"],
)
def test_digest_can_be_recomputed_from_the_row(payload):
    write(payload=payload)
    entry = Entry.objects.select_related("chain").get()
    assert entry.digest == recompute(entry)


@pytest.mark.parametrize("value", [1.5, {"deep": [{"x": 0.1}]}])
def test_floats_are_refused_since_they_may_come_back_otherwise(value):
    with pytest.raises(TypeError, match="floats"):
        write(payload={"area": value})
    assert not Entry.objects.exists()


def test_many_entries_over_many_subjects_are_appended_in_order():
    write(OTHER)
    records = [Record(subject, f"step.{n}", {"n": n}) for n in range(3) for subject in (OTHER, HOME)]
    append_many(records, actor="user:1")
    entries = Entry.objects.order_by("pk")[1:]
    assert [(entry.chain.subject, entry.seq, entry.kind) for entry in entries] == [
        (OTHER, 2, "step.0"),
        (HOME, 1, "step.0"),
        (OTHER, 3, "step.1"),
        (HOME, 2, "step.1"),
        (OTHER, 4, "step.2"),
        (HOME, 3, "step.2"),
    ]
    assert list(verify()) == []


@pytest.mark.parametrize("subjects", [1, 30])
def test_appending_costs_the_same_for_any_number_of_subjects(subjects, django_assert_num_queries):
    records = [Record(f"institution:{n}", "step", {}) for n in range(subjects)]
    with django_assert_num_queries(4):
        append_many(records, actor="user:1")


def test_appending_nothing_does_nothing():
    append_many([], actor="user:1")
    assert not Chain.objects.exists()


def test_entries_are_read_oldest_first():
    written = [write(), write(), write()]
    assert list(services.entries_of(HOME)) == written


@pytest.mark.django_db(transaction=True)
def test_entry_needs_the_callers_transaction():
    with pytest.raises(TransactionManagementError):
        write()


@pytest.mark.django_db(transaction=True)
def test_entry_falls_with_the_step_it_tells_of():
    with transaction.atomic():
        write()
        transaction.set_rollback(True)
    assert not Entry.objects.exists()
    assert not Chain.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_writers_at_the_same_moment_leave_one_whole_chain():
    """Two subjects named in opposite orders: neither writer waits for the other in a circle."""
    errors = []

    def run(subjects):
        try:
            for _ in range(10):
                with transaction.atomic():
                    append_many([Record(subject, "step") for subject in subjects], actor="user:1")
        except Exception as error:
            errors.append(error)
        finally:
            connection.close()

    threads = [
        threading.Thread(target=run, args=[pair]) for pair in ([HOME, OTHER], [OTHER, HOME]) for _ in "ab"
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert list(Chain.objects.order_by("subject").values_list("subject", "head_seq")) == [
        (HOME, 40),
        (OTHER, 40),
    ]
    assert list(verify()) == []


# --- Checkpoints --------------------------------------------------------------------


def test_checkpoint_counts_chains_and_entries():
    write(HOME), write(HOME), write(OTHER)
    taken = services.checkpoint()
    assert (taken.chains, taken.entries, taken.previous) == (2, 3, "")
    assert taken.last_entry == Entry.objects.latest("pk").pk


def test_checkpoint_of_nothing_can_be_taken():
    taken = services.checkpoint()
    assert (taken.chains, taken.entries, taken.last_entry) == (0, 0, 0)
    assert list(verify()) == []


def test_checkpoint_names_and_covers_the_one_before():
    write()
    first, second = services.checkpoint(), services.checkpoint()
    assert second.previous == first.digest
    assert second.digest != first.digest
    assert Checkpoint.objects.count() == 2


def test_checkpoint_still_holds_after_later_entries():
    write()
    services.checkpoint()
    write(HOME), write(OTHER)
    assert list(verify()) == []


def test_checkpoint_digest_can_be_recomputed_from_the_rows():
    write(HOME), write(OTHER)
    last = write(OTHER)
    first = services.checkpoint()
    taken = services.checkpoint()
    lines = [
        [first.digest, last.pk],
        [HOME, 1, Entry.objects.get(chain__subject=HOME).digest],
        [OTHER, 2, last.digest],
    ]
    text = "\n".join(json.dumps(line, ensure_ascii=False, separators=(",", ":")) for line in lines)
    assert taken.digest == hashlib.new(taken.algorithm, text.encode()).hexdigest()
