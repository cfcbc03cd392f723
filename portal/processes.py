"""Processes as /proc shows them: who lives, who is who, how to end a whole group."""

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

PROC = Path("/proc")


def _stat(pid: int) -> list[str]:
    try:
        # The command name, in brackets, may hold spaces and brackets itself.
        return (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def alive(pid: int) -> bool:
    fields = _stat(pid)
    return bool(fields) and fields[0] not in "ZX"


def started_at(pid: int) -> int:
    """Clock ticks since boot; with the pid it names one process and no later one. 0 when it is gone."""
    fields = _stat(pid)
    return int(fields[19]) if fields else 0


def command_line(pid: int) -> str:
    try:
        return (
            (PROC / str(pid) / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
        )
    except OSError:
        return ""


def group_members(group: int) -> list[int]:
    pids = (int(entry.name) for entry in PROC.iterdir() if entry.name.isdigit())
    return [
        pid for pid in pids if (fields := _stat(pid)) and fields[0] not in "ZX" and int(fields[2]) == group
    ]


def wait_until(condition: Callable[[], object], seconds: float, step: float = 0.05) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() >= deadline:
            return False
        time.sleep(step)
    return True


def end_group(group: int, grace: float, first: signal.Signals = signal.SIGTERM) -> None:
    """End every process of a group: politely, then after `grace` seconds not."""
    if signal_group(group, first) and not wait_until(lambda: not group_members(group), grace):
        signal_group(group, signal.SIGKILL)
        wait_until(lambda: not group_members(group), 5)


def signal_group(group: int, number: signal.Signals) -> bool:
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        return False
    return True


def listener(port: int) -> int | None:
    """The pid of a process listening on a TCP port, where we may know it."""
    inodes = set()
    for table in ("tcp", "tcp6"):
        try:
            lines = (PROC / "net" / table).read_text().splitlines()[1:]
        except OSError:
            continue
        rows = [line.split() for line in lines]
        inodes |= {r[9] for r in rows if r[3] == "0A" and int(r[1].rpartition(":")[2], 16) == port}
    wanted = {f"socket:[{inode}]" for inode in inodes}
    for entry in PROC.iterdir() if wanted else ():
        if not entry.name.isdigit():
            continue
        try:
            if any(os.readlink(fd) in wanted for fd in (entry / "fd").iterdir()):
                return int(entry.name)
        except OSError:
            continue
    return None


def end_process(pid: int, grace: float) -> None:
    for number, seconds in ((signal.SIGTERM, grace), (signal.SIGKILL, 5)):
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            return
        if wait_until(lambda: not alive(pid), seconds):
            return
