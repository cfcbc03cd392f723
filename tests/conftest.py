"""Services and clients for every test. Databases come from pytest-django, one a worker."""

import pytest
import redis
from django.apps import apps
from django.conf import settings
from django.db.backends.postgresql.operations import DatabaseOperations
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

from portal import engines
from tests.suspicious import SuspiciousClient

# A busy machine must not fail a property for being slow.
hypothesis_settings.register_profile("portal", deadline=None, suppress_health_check=[HealthCheck.too_slow])
hypothesis_settings.load_profile("portal")


@pytest.fixture(scope="session", autouse=True)
def services():
    """PostgreSQL and Redis for the session; shared by xdist workers, stopped by the last of them."""
    with engines.running():
        with redis.Redis.from_url(settings.REDIS_URL) as connection:
            connection.flushdb()
        yield


@pytest.fixture(scope="session", autouse=True)
def flushable_ledger(services):
    """Transactional tests empty all tables afterwards, which the ledger's triggers rightly refuse."""
    plain = DatabaseOperations.execute_sql_flush

    def flush(self, sql_list):
        tables = [
            self.quote_name(model._meta.db_table) for model in apps.get_app_config("ledger").get_models()
        ]
        off = [f"ALTER TABLE {table} DISABLE TRIGGER USER" for table in tables]
        on = [f"ALTER TABLE {table} ENABLE TRIGGER USER" for table in tables]
        return plain(self, [*off, *sql_list, *on])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DatabaseOperations, "execute_sql_flush", flush)
        yield


@pytest.fixture
def client() -> SuspiciousClient:
    return SuspiciousClient()


@pytest.fixture
def client_as():
    """`client_as(user)`: a suspicious client logged in as that user."""

    def log_in(user) -> SuspiciousClient:
        client = SuspiciousClient()
        client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
        return client

    return log_in
