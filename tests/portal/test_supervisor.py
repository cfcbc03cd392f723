import fcntl
import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from portal import processes
from portal.embedded import EmbeddedError
from portal.engines import MAX_CONNECTIONS
from portal.supervisor import CELERY_THREADS, THREADS, WORKERS, Child, Supervisor, check_port, environment

BASE = Path(__file__).resolve().parents[2]
WAITS = [sys.executable, "-c", "input()"]


@pytest.fixture
def var(monkeypatch, tmp_path):
    monkeypatch.setenv("PORTAL_VAR", str(tmp_path))
    return tmp_path


@pytest.fixture
def said():
    return []


@pytest.fixture
def supervisor(var, said):
    return Supervisor("127.0.0.1", 8123, said.append, lambda address: address)


@pytest.fixture
def taken_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture
def waiting():
    process = subprocess.Popen(WAITS, stdin=subprocess.PIPE, start_new_session=True)
    yield process
    process.kill()
    process.communicate()


def test_web_and_workers_fit_into_the_databases_connections():
    assert WORKERS * THREADS + CELERY_THREADS + 20 <= MAX_CONNECTIONS


def test_a_taken_port_is_named_with_its_holder(taken_port):
    with pytest.raises(EmbeddedError) as refused:
        check_port("127.0.0.1", taken_port)
    assert str(refused.value).startswith(f"端口 {taken_port} 已被占用（进程 {os.getpid()}：")
    assert f"PORT={taken_port + 1} make demo" in str(refused.value)


def test_a_port_shared_by_reuseport_counts_as_taken():
    with socket.socket() as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        server.bind(("127.0.0.1", 0))
        server.listen()
        with pytest.raises(EmbeddedError, match="已被占用"):
            check_port("127.0.0.1", server.getsockname()[1])


def test_an_address_that_is_not_ours_is_refused():
    with pytest.raises(EmbeddedError, match=r"无法在 203\.0\.113\.1:8000 上监听"):
        check_port("203.0.113.1", 8000)


def test_demo_exits_with_1_and_starts_nothing_when_the_port_is_taken(var, taken_port):
    env = os.environ | {
        "PORT": str(taken_port),
        "PORTAL_DEMO": "1",
        "DJANGO_SETTINGS_MODULE": "portal.settings",
    }
    done = subprocess.run(
        [sys.executable, "manage.py", "demo"], cwd=BASE, env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert f"端口 {taken_port} 已被占用" in done.stderr
    assert not (var / "log").exists()


@pytest.mark.parametrize("port", ["0", "65536", "web"])
def test_a_port_that_is_no_port_is_refused(var, monkeypatch, port):
    monkeypatch.setenv("PORT", port)
    with pytest.raises(CommandError, match="PORT 应为 1 到 65535 之间的整数"):
        call_command("demo")


def test_a_second_demo_on_the_same_data_is_refused(supervisor, var):
    (var / "demo.json").write_text(json.dumps({"supervisor": 4711, "address": "http://127.0.0.1:8000/"}))
    with open(var / "demo.lock", "a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(
            EmbeddedError, match=r"已有一个演示正在运行（进程 4711，http://127\.0\.0\.1:8000/）"
        ):
            supervisor.run()


def test_leftovers_of_a_killed_supervisor_are_ended(supervisor, var, said, waiting):
    told = {"children": {"worker": [waiting.pid, processes.started_at(waiting.pid)]}}
    (var / "demo.json").write_text(json.dumps(told))
    supervisor._clear_leftovers()
    assert waiting.wait(5) != 0
    assert said == [
        "上一次演示没有正常退出（断电或被强行结束），正在恢复……",
        f"结束上次遗留的进程：worker（{waiting.pid}）",
    ]
    assert not (var / "demo.json").exists()


def test_a_later_process_with_a_recorded_number_is_left_alone(supervisor, var, waiting):
    told = {"children": {"worker": [waiting.pid, processes.started_at(waiting.pid) - 1]}}
    (var / "demo.json").write_text(json.dumps(told))
    supervisor._clear_leftovers()
    assert waiting.poll() is None


@pytest.mark.parametrize("text", ["", "{", "[]", '{"children": {}}'])
def test_a_record_cut_short_by_a_power_cut_is_forgotten(supervisor, var, said, text):
    (var / "demo.json").write_text(text)
    supervisor._clear_leftovers()
    assert said == ["上一次演示没有正常退出（断电或被强行结束），正在恢复……"]
    assert not (var / "demo.json").exists()


def test_a_child_that_dies_is_started_again(supervisor, var, said, monkeypatch):
    monkeypatch.setattr("portal.engines.engines", list)
    supervisor.kids = [Child("worker", "后台任务", WAITS)]
    child = supervisor.kids[0]
    # stdin is /dev/null, so it ends at once by itself
    supervisor._tend(dict(os.environ))
    first = child.process.pid
    child.process.wait(5)
    supervisor._tend(dict(os.environ))
    assert child.process.pid != first
    assert said == [f"后台任务意外退出（代码 1），正在重新启动，日志见 {child.log}"]
    child.process.wait(5)


def test_a_child_that_keeps_dying_is_given_time(var):
    child = Child("worker", "后台任务", WAITS)
    waits = []
    for _ in range(4):
        child.start(dict(os.environ))
        child.process.wait(5)
        waits.append(child.bury())
    assert waits == [0, 2, 4, 8]


def test_children_are_a_demo_without_debug(var):
    env = environment("127.0.0.1")
    assert (env["PORTAL_DEMO"], env["DEBUG"], env["DJANGO_SETTINGS_MODULE"]) == ("1", "0", "portal.settings")
    assert "ALLOWED_HOSTS" not in env
    assert environment("192.168.1.5")["ALLOWED_HOSTS"] == "localhost,127.0.0.1,192.168.1.5"
