"""Processes die; the supervisor, or its successor, brings the portal back."""

import os
import signal

import pytest

from portal import processes

OK = {"status": "ok", "database": "ok", "broker": "ok", "worker": "ok"}
RECOVERY_SECONDS = 60


def recovers(stack) -> bool:
    return processes.wait_until(lambda: stack.health() == OK, RECOVERY_SECONDS, 0.3)


def engine_pid(stack, file: str) -> int:
    return int((stack.var / file).read_text().splitlines()[0])


@pytest.mark.soak
@pytest.mark.parametrize("name", ["web", "worker", "beat"])
def test_a_killed_process_comes_back(stack, name):
    before = stack.pids()[name]
    stack.kill(name)
    assert processes.wait_until(lambda: stack.pids()[name] != before, RECOVERY_SECONDS, 0.1)
    assert recovers(stack)


@pytest.mark.soak
@pytest.mark.parametrize("file", ["postgres/postmaster.pid", "redis/redis.pid"])
def test_a_killed_engine_comes_back(stack, file):
    before = engine_pid(stack, file)
    os.kill(before, signal.SIGKILL)
    assert processes.wait_until(
        lambda: (stack.var / file).exists() and engine_pid(stack, file) != before, RECOVERY_SECONDS, 0.1
    )
    assert recovers(stack)


@pytest.mark.soak
def test_a_successor_clears_up_after_a_killed_supervisor(stack):
    leftovers = stack.pids()
    stack.process.kill()
    stack.process.wait()
    stack.start()
    assert not any(processes.alive(pid) for pid in leftovers.values())
    assert stack.health() == OK
    assert "上一次演示没有正常退出" in stack.log.read_text()
