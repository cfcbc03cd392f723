"""What the database refuses, and what verification finds when somebody got round that."""

from contextlib import contextmanager
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.db.utils import DatabaseError

from ledger import services
from ledger.models import Chain, Checkpoint, Entry
from ledger.services import append, verify

pytestmark = pytest.mark.django_db

HOME, OTHER = "institution:a", "institution:b"
TABLES = ("ledger_entry", "ledger_chain", "ledger_checkpoint")


@pytest.fixture
def chains():
    """Three entries on one chain, one on another, and a checkpoint."""
    for subject in (HOME, HOME, HOME, OTHER):
        append(subject, "institution.changed", {"beds": 80}, actor="user:1", department="department:minzheng")
    services.checkpoint()


@contextmanager
def triggers_off():
    """What only the owner of the tables can do; in production the application is not."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for table in TABLES:
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        yield cursor
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for table in TABLES:
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")


def found():
    return [(broken.subject, broken.seq, broken.reason) for broken in verify()]


CHECKPOINT = ("checkpoint", 1, "各链与检查点固定的链头不符，检查点之前的留痕被改写或删除")


# --- What the database refuses ------------------------------------------------------


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE ledger_entry SET actor = 'user:2'",
        "UPDATE ledger_checkpoint SET digest = ''",
        "DELETE FROM ledger_entry",
        "DELETE FROM ledger_chain",
        "DELETE FROM ledger_checkpoint",
        "TRUNCATE ledger_entry",
        "TRUNCATE ledger_chain CASCADE",
        "TRUNCATE ledger_checkpoint",
        "UPDATE ledger_chain SET head_seq = head_seq - 1",
        "UPDATE ledger_chain SET head_digest = ''",
        "UPDATE ledger_chain SET subject = 'institution:c', head_seq = head_seq + 1",
    ],
)
def test_database_refuses(chains, statement):
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    with pytest.raises(DatabaseError, match="留痕"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
    assert found() == []


def test_orm_cannot_change_an_entry_either(chains):
    entry = Entry.objects.first()
    entry.payload = {"beds": 0}
    with pytest.raises(DatabaseError, match="留痕只可追加"), transaction.atomic():
        entry.save()
    with pytest.raises(DatabaseError, match="留痕只可追加"), transaction.atomic():
        entry.delete()


def test_same_place_in_a_chain_is_not_given_twice(chains):
    last = Entry.objects.filter(chain__subject=HOME).latest("seq")
    last.pk = None
    with pytest.raises(DatabaseError, match="ledger_one_entry_per_seq"), transaction.atomic():
        last.save(force_insert=True)


# --- What verification finds --------------------------------------------------------


def test_whole_chains_verify(chains):
    assert found() == []


@pytest.mark.parametrize(
    "change",
    [
        """payload = '{"beds": 8}'""",
        "actor = 'user:2'",
        "department = 'department:xiaofang'",
        "kind = 'institution.registered'",
        "at = at + interval '1 microsecond'",
    ],
)
def test_changed_entry_is_named(chains, change):
    with triggers_off() as cursor:
        cursor.execute(
            f"UPDATE ledger_entry SET {change} WHERE seq = 2",
        )
    assert found() == [(HOME, 2, "内容与摘要不符")]


def test_entry_taken_out_of_the_middle_is_named(chains):
    with triggers_off() as cursor:
        cursor.execute("DELETE FROM ledger_entry WHERE seq = 2")
    assert found() == [(HOME, 2, "缺少第 2 条，接下来是第 3 条")]


def test_last_entry_taken_away_is_named(chains):
    with triggers_off() as cursor:
        cursor.execute("DELETE FROM ledger_entry WHERE seq = 3")
    assert found() == [(HOME, 3, "链头记为第 3 条，实际只到第 2 条"), CHECKPOINT]


def test_chain_emptied_is_named(chains):
    with triggers_off() as cursor:
        cursor.execute(
            "DELETE FROM ledger_entry e USING ledger_chain c WHERE e.chain_id = c.id AND subject = %s",
            [OTHER],
        )
    assert found() == [(OTHER, 1, "链头记为第 1 条，实际一条也没有"), CHECKPOINT]


def test_entry_with_a_digest_of_its_own_breaks_the_next_link(chains):
    forged = Entry.objects.select_related("chain").get(chain__subject=HOME, seq=2)
    forged.payload = {"beds": 8}
    forged.digest = services._digest(forged, HOME)
    with triggers_off():
        forged.save()
    assert found() == [(HOME, 3, "与前一条的摘要不衔接")]


def test_chain_rewritten_to_its_head_breaks_the_checkpoint(chains):
    with triggers_off():
        previous = ""
        for entry in Entry.objects.select_related("chain").filter(chain__subject=HOME).order_by("seq"):
            entry.payload, entry.previous = {"beds": 8}, previous
            previous = entry.digest = services._digest(entry, HOME)
            entry.save()
        Chain.objects.filter(subject=HOME).update(head_digest=previous)
    assert found() == [CHECKPOINT]


def test_chain_dropped_as_a_whole_breaks_the_checkpoint(chains):
    with triggers_off():
        Entry.objects.filter(chain__subject=OTHER).delete()
        Chain.objects.filter(subject=OTHER).delete()
    assert found() == [CHECKPOINT]


def test_entry_moved_to_another_subject_is_named(chains):
    with triggers_off():
        Chain.objects.filter(subject=OTHER).update(subject="institution:c")
    assert found() == [("institution:c", 1, "内容与摘要不符"), CHECKPOINT]


def test_checkpoint_taken_out_breaks_the_next(chains):
    services.checkpoint()
    with triggers_off():
        Checkpoint.objects.order_by("pk").first().delete()
    assert found() == [("checkpoint", 1, "与前一个检查点的摘要不衔接")]


def test_each_broken_chain_is_named_once_at_its_first_break(chains):
    with triggers_off():
        Entry.objects.update(actor="user:2")
    assert found() == [(HOME, 1, "内容与摘要不符"), (OTHER, 1, "内容与摘要不符")]


def test_algorithm_this_machine_lacks_is_said_so(chains):
    with triggers_off():
        Entry.objects.filter(chain__subject=OTHER).update(algorithm="sm9")
    assert found() == [(OTHER, 1, "本机不支持摘要算法 sm9，无法核验")]


def test_one_chain_is_verified_by_itself(chains):
    with triggers_off():
        Entry.objects.filter(chain__subject=OTHER).update(actor="user:2")
    assert list(verify(HOME)) == []
    assert [broken.seq for broken in verify(OTHER)] == [1]


@pytest.mark.parametrize("subjects", [1, 3])
def test_verification_costs_the_same_for_any_number_of_chains(subjects, django_assert_num_queries):
    for number in range(subjects):
        append(f"institution:{number}", "step", {}, actor="user:1")
    services.checkpoint()
    with django_assert_num_queries(4):
        assert list(verify()) == []


# --- The commands -----------------------------------------------------------------


def run(*arguments):
    out, err = StringIO(), StringIO()
    try:
        call_command(*arguments, stdout=out, stderr=err)
    except CommandError as error:
        return error.returncode, out.getvalue(), f"{err.getvalue()}{error}"
    return 0, out.getvalue(), err.getvalue()


def test_command_says_how_much_it_verified(chains):
    assert run("verify_ledger") == (0, "核验通过：2 条链，4 条留痕。\n", "")


def test_command_verifies_one_chain(chains):
    assert run("verify_ledger", "--subject", HOME) == (0, "核验通过：1 条链，3 条留痕。\n", "")


def test_command_fails_and_names_the_first_break(chains):
    with triggers_off() as cursor:
        cursor.execute("""UPDATE ledger_entry SET payload = '{"beds": 8}' WHERE seq = 2""")
    code, out, err = run("verify_ledger")
    assert (code, out) == (1, "")
    assert err.splitlines() == [
        f"{HOME} 第 2 条：内容与摘要不符",
        f"共 1 处核验不通过，首处为 {HOME} 第 2 条。",
    ]


def test_command_refuses_a_chain_there_is_not(chains):
    code, _, err = run("verify_ledger", "--subject", "institution:z")
    assert (code, err) == (1, "没有名为 institution:z 的留痕链。")


def test_checkpoint_command_prints_what_to_publish(chains):
    code, out, _ = run("checkpoint_ledger")
    taken = Checkpoint.objects.latest("pk")
    assert (code, out) == (0, f"{taken.at.isoformat()} {taken.algorithm} {taken.digest}\n")
