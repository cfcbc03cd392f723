"""`manage.py demo`: the whole portal in one foreground process that looks after the others.

It starts the engines, prepares the data, then keeps the web server, a Celery worker and beat alive until it is
told to stop. What it started stands in var/demo.json, so that its successor can clean up after a SIGKILL.
"""

import errno
import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from portal import embedded, engines, processes
from portal.embedded import EmbeddedError

WORKERS, THREADS = 2, 32  # 64 connections at most, well below engines.MAX_CONNECTIONS
CELERY_THREADS = 4
START_SECONDS = 120
GRACE_SECONDS = 10
LOG_LIMIT = 5 * 1024 * 1024


class Stopped(BaseException):
    """Somebody pressed Ctrl-C."""


@dataclass
class Child:
    """One long-running process, restarted when it dies."""

    name: str
    title: str
    command: list[str]
    process: subprocess.Popen | None = None
    failures: int = 0
    started: float = 0
    due: float = 0  # when to start it (again)

    @property
    def log(self) -> Path:
        return engines.log_dir() / f"{self.name}.log"

    def start(self, env: dict[str, str]) -> None:
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(  # noqa: S603 - our own command, no shell
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=env,
                cwd=embedded.BASE_DIR,
                start_new_session=True,
            )
        self.started = time.monotonic()

    def died(self) -> bool:
        return self.process is not None and self.process.poll() is not None

    def bury(self) -> float:
        """End what is left of its group; returns the seconds to wait before the next try."""
        processes.end_group(self.process.pid, 3)
        self.process = None
        self.failures = 0 if time.monotonic() - self.started > 60 else self.failures + 1
        wait = min(30.0, 2.0 ** (self.failures - 1)) if self.failures > 1 else 0.0
        self.due = time.monotonic() + wait
        return wait


def children(host: str, port: int) -> list[Child]:
    python, var = sys.executable, embedded.var_dir()
    celery = [python, "-m", "celery", "-A", "portal"]
    web = [
        python, "-m", "granian", "--interface", "wsgi", "portal.wsgi:application", "--host", host, "--port", str(port),
        "--workers", str(WORKERS), "--blocking-threads", str(THREADS), "--respawn-failed-workers",
        "--workers-kill-timeout", "5", "--no-ws",
    ]  # fmt: skip
    worker = [
        *celery,
        "worker",
        "-P",
        "threads",
        "-c",
        str(CELERY_THREADS),
        "-l",
        "INFO",
        "-n",
        f"demo-{port}@%h",
    ]
    worker += ["--without-gossip", "--without-mingle"]
    beat = [*celery, "beat", "-l", "INFO", "-s", str(var / "celerybeat-schedule"), "--pidfile="]
    return [Child("web", "网站", web), Child("worker", "后台任务", worker), Child("beat", "定时任务", beat)]


def environment(host: str) -> dict[str, str]:
    env = os.environ | {
        "PORTAL_DEMO": "1",
        "DEBUG": "0",
        "PORTAL_VAR": str(embedded.var_dir()),
        "DJANGO_SETTINGS_MODULE": "portal.settings",
        "PYTHONUNBUFFERED": "1",
    }
    if "ALLOWED_HOSTS" not in env and host not in ("127.0.0.1", "localhost", "::1"):
        # Shown to others on purpose (a phone on the same network): whatever name they use for this machine.
        env["ALLOWED_HOSTS"] = "*" if host in ("0.0.0.0", "::") else f"localhost,127.0.0.1,{host}"  # noqa: S104
    return env


def static_marks() -> str:
    """Changes whenever an asset, or a package that brings some, does."""
    base = embedded.BASE_DIR
    files = [base / "uv.lock", *base.glob("static/**/*"), *base.glob("*/static/**/*")]
    return embedded.digest("\n".join(f"{f} {f.stat().st_mtime_ns}" for f in sorted(files) if f.is_file()))


def check_port(host: str, port: int) -> None:
    """granian would share a taken port silently (SO_REUSEPORT), so try it ourselves first."""
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise EmbeddedError(f"无法在 {host}:{port} 上监听：{error.strerror}。") from error
        pid = processes.listener(port)
        who = f"（进程 {pid}：{processes.command_line(pid)[:120]}）" if pid else ""
        message = f"端口 {port} 已被占用{who}。请结束占用它的程序，或换一个端口：PORT={port + 1} make demo"
        raise EmbeddedError(message) from error


@dataclass
class Supervisor:
    host: str
    port: int
    announce: Callable[[str], None]
    welcome: Callable[[str], str]
    reset: bool = False
    stopping: bool = False
    kids: list[Child] = field(default_factory=list)

    @property
    def record(self) -> Path:
        return embedded.var_dir() / "demo.json"

    @property
    def address(self) -> str:
        host = "127.0.0.1" if self.host in ("0.0.0.0", "::") else self.host  # noqa: S104
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}/"

    def run(self) -> None:
        """Until Ctrl-C. Raises EmbeddedError with a sentence for the terminal when it cannot go on."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._stop)
        embedded.make_var()
        with self._alone():
            self._clear_leftovers()
            check_port(self.host, self.port)
            if self.reset:
                engines.erase()
                self.announce("已清除原有演示数据。")
            with suppress(Stopped):
                self._serve()
            self.announce("演示已停止，数据保留在 " + str(embedded.home()))

    def _serve(self) -> None:
        self.announce("正在启动数据库和消息队列……")
        with engines.running(self.announce):
            env = environment(self.host)
            try:
                self._prepare(env)
                self.kids = children(self.host, self.port)
                self._tend(env)
                self._wait_until_healthy(env)
                self.announce(self.welcome(self.address))
                while True:
                    self._tend(env)
                    self._pause(0.5)
            finally:
                self._stop_children()

    def _stop(self, number: int, frame: object) -> None:
        if not self.stopping:
            self.announce("\n正在停止……")
        self.stopping = True

    def _pause(self, seconds: float) -> None:
        processes.wait_until(lambda: self.stopping, seconds)
        if self.stopping:
            raise Stopped

    @contextmanager
    def _alone(self) -> Iterator[None]:
        with open(embedded.var_dir() / "demo.lock", "a") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                told = self._recorded()
                where = f"（进程 {told.get('supervisor')}，{told.get('address')}）" if told else ""
                raise EmbeddedError(
                    f"同一目录下已有一个演示正在运行{where}。请先在它的终端按 Ctrl-C。"
                ) from None
            yield

    # --- what a predecessor left -------------------------------------------------

    def _recorded(self) -> dict:
        try:
            told = json.loads(self.record.read_text())
        except (OSError, ValueError):
            return {}
        return told if isinstance(told, dict) else {}

    def _write_record(self) -> None:
        living = [kid for kid in self.kids if kid.process]
        told = {
            "supervisor": os.getpid(),
            "address": self.address,
            "children": {k.name: [k.process.pid, processes.started_at(k.process.pid)] for k in living},
        }
        aside = self.record.with_suffix(".new")
        aside.write_text(json.dumps(told))
        aside.replace(self.record)

    def _clear_leftovers(self) -> None:
        if not self.record.exists():
            return
        self.announce("上一次演示没有正常退出（断电或被强行结束），正在恢复……")
        for name, (pid, started) in self._recorded().get("children", {}).items():
            for member in processes.group_members(pid):
                # A later group may have got the number: the leader's start time and its words tell.
                words = processes.command_line(member)
                leader = member == pid
                if (leader and processes.started_at(pid) == started) or (not leader and _is_ours(words)):
                    self.announce(f"结束上次遗留的进程：{name}（{member}）")
                    processes.end_process(member, GRACE_SECONDS)
        self.record.unlink()

    # --- preparing ------------------------------------------------------------------

    def _prepare(self, env: dict[str, str]) -> None:
        for schedule in embedded.var_dir().glob("celerybeat-schedule*"):
            schedule.unlink()  # beat only nudges; a half-written one would only confuse it
        for kid in children(self.host, self.port):
            if kid.log.exists() and kid.log.stat().st_size > LOG_LIMIT:
                kid.log.replace(kid.log.with_suffix(".log.1"))
        static = None
        if (marks := static_marks()) != self._static_marks():
            # Compressing takes a while and a processor of its own; the database gets ready meanwhile.
            self.announce("正在收集静态文件……")
            static = self._manage(env, "collectstatic", "--noinput")
        try:
            self.announce("正在更新数据库结构……")
            self._finish(self._manage(env, "migrate", "--noinput"), "migrate")
            self.announce("正在装入演示数据……")
            self._finish(self._manage(env, "load_demo"), "load_demo")
            if static:
                self._finish(static, "collectstatic")
                (embedded.var_dir() / "static.mark").write_text(marks)
        finally:
            if static:
                processes.end_group(static.pid, GRACE_SECONDS)

    def _static_marks(self) -> str:
        try:
            return (embedded.var_dir() / "static.mark").read_text()
        except OSError:
            return ""

    def _manage(self, env: dict[str, str], *words: str) -> subprocess.Popen:
        with open(engines.log_dir() / f"{words[0]}.log", "wb") as output:
            return subprocess.Popen(  # noqa: S603 - our own command, no shell
                [sys.executable, "manage.py", *words],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=env,
                cwd=embedded.BASE_DIR,
                start_new_session=True,
            )

    def _finish(self, step: subprocess.Popen, name: str) -> None:
        try:
            while step.poll() is None:
                self._pause(0.05)
        finally:
            processes.end_group(step.pid, GRACE_SECONDS)
        if step.returncode:
            raise EmbeddedError(f"manage.py {name} 失败：\n{engines.log_tail(name, 25)}")

    # --- tending ---------------------------------------------------------------------

    def _tend(self, env: dict[str, str]) -> None:
        for engine in engines.engines():
            if not engine.pid():
                self.announce(f"{engine.title} 意外停止，正在重新启动……")
                engines.ensure(self.announce)
        changed = False
        for kid in self.kids:
            if kid.died():
                code = kid.process.returncode
                wait = kid.bury()
                later = f"，{wait:.0f} 秒后" if wait else "，正在"
                self.announce(f"{kid.title}意外退出（代码 {code}）{later}重新启动，日志见 {kid.log}")
            if kid.process is None and time.monotonic() >= kid.due:
                kid.start(env)
                changed = True
        if changed:
            self._write_record()

    def _wait_until_healthy(self, env: dict[str, str]) -> None:
        self.announce("正在等待网站就绪……")
        deadline = time.monotonic() + START_SECONDS
        while (state := self._health()).get("status") != "ok":
            if time.monotonic() > deadline:
                tails = "\n".join(f"[{kid.name}]\n{engines.log_tail(kid.name, 8)}" for kid in self.kids)
                raise EmbeddedError(f"{START_SECONDS} 秒内没有就绪（{state}）：\n{tails}")
            self._tend(env)
            self._pause(0.3)

    def _health(self) -> dict:
        try:
            with urllib.request.urlopen(f"{self.address}healthz", timeout=10) as reply:  # noqa: S310 - our own address
                return json.load(reply)
        except urllib.error.HTTPError as error:
            try:
                return json.load(error)
            except ValueError:
                return {"status": error.code}
        except (OSError, ValueError) as error:
            return {"status": str(error)}

    def _stop_children(self) -> None:
        groups = [kid.process.pid for kid in self.kids if kid.process]
        for group in groups:
            processes.signal_group(group, signal.SIGTERM)
        processes.wait_until(lambda: not any(map(processes.group_members, groups)), GRACE_SECONDS)
        for group in groups:
            processes.signal_group(group, signal.SIGKILL)
        for kid in self.kids:
            if kid.process:
                kid.process.wait()
        self.record.unlink(missing_ok=True)


def _is_ours(words: str) -> bool:
    return str(Path(sys.executable).parent) in words or str(embedded.BASE_DIR) in words
