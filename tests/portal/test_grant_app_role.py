import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import ProgrammingError, connection, transaction
from psycopg import errors

ROLE = "portal_app_test"


@pytest.fixture
def granted(db, monkeypatch):
    """The role lives in the test's transaction only."""
    monkeypatch.setenv("APP_DB_PASSWORD", "a-password")
    call_command("grant_app_role", ROLE, verbosity=0)
    call_command("grant_app_role", ROLE, verbosity=0)  # again, as every deployment does


def allowed(statement: str) -> bool:
    """Whether the role may; a refusal other than for want of rights still fails the test."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL ROLE {ROLE}")
            cursor.execute(statement)
            cursor.execute("RESET ROLE")
    except ProgrammingError as error:
        if not isinstance(error.__cause__, errors.InsufficientPrivilege):
            raise
        return False
    return True


@pytest.mark.parametrize(
    ("statement", "may"),
    [
        ("UPDATE core_workerheartbeat SET name = name", True),
        ("DELETE FROM core_workerheartbeat", True),
        ("SELECT count(*) FROM ledger_entry", True),
        ("INSERT INTO ledger_chain (subject, head_seq, head_digest) VALUES ('x:1', 0, '')", True),
        ("SELECT 1 FROM ledger_chain FOR UPDATE", True),
        ("SELECT 1 FROM ledger_checkpoint FOR UPDATE", True),
        ("UPDATE ledger_chain SET head_seq = head_seq + 1, head_digest = ''", True),
        ("UPDATE ledger_chain SET subject = subject", False),
        ("UPDATE ledger_entry SET kind = kind", False),
        ("DELETE FROM ledger_entry", False),
        ("DELETE FROM ledger_chain", False),
        ("TRUNCATE ledger_entry CASCADE", False),
        ("ALTER TABLE ledger_entry DISABLE TRIGGER USER", False),
        ("UPDATE ledger_checkpoint SET digest = digest", False),
        ("INSERT INTO django_migrations (app, name, applied) VALUES ('x', 'y', now())", False),
        ("CREATE TABLE mine (id int)", False),
    ],
)
def test_the_running_portal_may_work_but_not_rewrite_history(granted, statement, may):
    assert allowed(statement) is may


def test_a_role_that_owns_the_tables_is_refused(db):
    with pytest.raises(CommandError, match="拥有管理权限"):
        call_command("grant_app_role", "portal", verbosity=0)


def test_a_role_that_is_missing_is_named(db, monkeypatch):
    monkeypatch.delenv("APP_DB_PASSWORD", raising=False)
    with pytest.raises(CommandError, match="没有账号 nobody_here"):
        call_command("grant_app_role", "nobody_here", verbosity=0)
