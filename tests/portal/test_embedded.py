import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import environ
import psycopg
import pytest
import redis
from kombu import Connection

from portal import embedded, engines, processes

BASE = Path(__file__).resolve().parents[2]


@pytest.fixture
def var(monkeypatch):
    """A var/ of its own in a place that the unprivileged engines may enter."""
    path = BASE / "var" / f"embedded-{os.getpid()}"
    monkeypatch.setenv("PORTAL_VAR", str(path))
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.delenv("REDIS_URL", raising=False)
    yield path
    subprocess.run(["rm", "-rf", path, embedded.SYSTEM_DIR / embedded.digest(path)], check=True)


def host() -> str:
    return environ.Env.db_url_config(embedded.database_url())["HOST"]


def connect() -> psycopg.Connection:
    return psycopg.connect(host=host(), user="portal", dbname="portal")


# --- where things are ---------------------------------------------------------------


def test_var_is_the_repositorys_unless_told(monkeypatch):
    monkeypatch.delenv("PORTAL_VAR")
    assert embedded.var_dir() == BASE / "var"


def test_a_path_with_spaces_and_chinese_survives_every_url(monkeypatch):
    monkeypatch.setenv("PORTAL_VAR", "/srv/我的 +项%目/Var")
    config = environ.Env.db_url_config(embedded.database_url())
    pool = redis.ConnectionPool.from_url(embedded.redis_url(3))
    assert (config["HOST"], config["NAME"], config["USER"]) == (
        "/srv/我的 +项%目/Var/run",
        "portal",
        "portal",
    )
    assert (pool.connection_kwargs["path"], pool.connection_kwargs["db"]) == (
        "/srv/我的 +项%目/Var/run/redis.sock",
        3,
    )


def test_celery_reaches_the_same_redis_database(var):
    with engines.running(), Connection(embedded.broker_url(embedded.redis_url(7))) as connection:
        kwargs = connection.default_channel.client.connection_pool.connection_kwargs
        assert (kwargs["path"], kwargs["db"]) == (str(embedded.socket_dir() / "redis.sock"), 7)


@pytest.mark.parametrize("name", ["a" * 120, "comma, in the name"], ids=["too long", "comma"])
def test_a_path_unfit_for_a_socket_falls_back_to_a_short_one(monkeypatch, name):
    monkeypatch.setenv("PORTAL_VAR", f"/srv/{name}/var")
    assert embedded.socket_dir().parent == Path("/tmp")
    assert len(os.fsencode(embedded.socket_dir() / embedded.POSTGRES_SOCKET)) <= 107


def test_root_keeps_out_of_private_directories(monkeypatch, tmp_path):
    tmp_path.chmod(0o700)
    monkeypatch.setenv("PORTAL_VAR", str(tmp_path / "var"))
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert embedded.home() == embedded.SYSTEM_DIR / embedded.digest(tmp_path / "var")
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o700


def test_given_urls_are_used_as_they_are(monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "postgres://u:p@db:5432/x")
    monkeypatch.setenv("REDIS_URL", "redis://cache:6379/0")
    assert embedded.database_url() == "postgres://u:p@db:5432/x"
    assert embedded.broker_url(embedded.redis_url()) == "redis://cache:6379/0"
    assert engines.engines() == []


def test_a_database_without_a_redis_is_refused(monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "postgres://u:p@db:5432/x")
    monkeypatch.delenv("REDIS_URL", raising=False)
    with pytest.raises(embedded.EmbeddedError, match="REDIS_URL 未设置"):
        embedded.redis_url()


# --- the secret -------------------------------------------------------------------------


def test_secret_is_random_kept_and_private(var):
    first = embedded.local_secret()
    assert len(first) >= 50
    assert embedded.local_secret() == first
    assert stat.S_IMODE((var / "secret").stat().st_mode) == 0o600


def test_a_secret_truncated_by_a_power_cut_is_made_anew(var):
    embedded.make_var()
    (var / "secret").write_text("")
    assert len(embedded.local_secret()) >= 50


def test_production_brings_its_own_secret(monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "postgres://u:p@db:5432/x")
    assert embedded.local_secret() == ""


# --- starting and stopping -----------------------------------------------------------------


def test_the_first_user_starts_and_the_last_stops(var):
    with engines.running() as started:
        assert [engine.name for engine in started] == ["postgres", "redis"]
        with engines.running() as again:
            assert again == []
        with connect() as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
    assert [engine.pid() for engine in engines.engines()] == [None, None]


def test_data_stays_and_a_power_cut_is_recovered_from(var, monkeypatch):
    monkeypatch.setenv("PORTAL_DURABLE", "1")
    with engines.running(), connect() as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS seven")
        connection.commit()
        for engine in engines.engines():
            os.kill(engine.pid(), signal.SIGKILL)
    said = []
    with engines.running(said.append), connect() as connection:
        assert connection.execute("SELECT seven FROM kept").fetchone() == (7,)
    assert said == [
        "PostgreSQL 上次没有正常停止（断电或被强行结束），正在从日志恢复数据……",
        "Redis 上次没有正常停止（断电或被强行结束），已清除遗留文件。",
    ]


def test_a_stale_pid_that_another_program_got_does_not_stop_us(var):
    with engines.running():
        stale = engines.Postgres().pid_file.read_text().splitlines()
        for engine in engines.engines():
            os.kill(engine.pid(), signal.SIGKILL)
    stranger = subprocess.Popen(["cat"], stdin=subprocess.PIPE, **engines._credentials())
    try:
        postgres, redis_engine = engines.Postgres(), engines.Redis()
        postgres.pid_file.write_text("\n".join([str(stranger.pid), *stale[1:]]))
        redis_engine.pid_file.write_text(str(stranger.pid))
        with engines.running(lambda message: None) as started:
            assert [engine.name for engine in started] == ["postgres", "redis"]
        assert stranger.poll() is None
    finally:
        stranger.communicate()


def test_an_unreadable_snapshot_of_redis_is_set_aside(var):
    with engines.running():
        dump = engines.Redis().data / "dump.rdb"
    dump.write_bytes(b"garbage")
    said = []
    with engines.running(said.append):
        assert engines.Redis().ready()
    assert said == ["Redis 的快照无法读取，已另存为 dump.rdb.bad；任务会由数据库重新排队。"]


def test_more_connections_than_the_web_and_the_workers_take(var):
    with engines.running(), connect() as connection:
        assert connection.execute("SHOW max_connections").fetchone() == (str(engines.MAX_CONNECTIONS),)


@pytest.mark.parametrize(
    ("argv", "starts"),
    [
        (["manage.py", "migrate"], True),
        (["manage.py", "import_matrix", "x.xlsx"], True),
        (["manage.py", "migrate", "--help"], False),
        (["manage.py", "collectstatic"], False),
        (["manage.py", "demo"], False),
        (["manage.py"], False),
    ],
)
def test_a_command_gets_services_only_when_it_needs_them(var, argv, starts):
    with engines.needed_by(argv):
        assert [bool(engine.pid()) for engine in engines.engines()] == [starts, starts]


def test_processes_know_a_listener_by_its_port():
    code = "import socket; s = socket.create_server(('127.0.0.1', 0)); print(s.getsockname()[1], flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as server:
        port = int(server.stdout.readline())
        assert processes.listener(port) == server.pid
        server.communicate("\n")
