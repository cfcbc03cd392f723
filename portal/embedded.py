"""Where the embedded PostgreSQL and Redis live, and how to reach them.

Settings import this module, so it knows nothing of Django and starts nothing: see engines.py for that.
Production sets DATABASE_URL and REDIS_URL, and nothing here applies.
"""

import hashlib
import os
import secrets
import stat
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

BASE_DIR = Path(__file__).resolve().parent.parent
ROLE = DATABASE = "portal"
# sun_path holds 108 bytes with its terminator; the longest name below is PostgreSQL's.
SOCKET_PATH_MAX = 107
POSTGRES_SOCKET = ".s.PGSQL.5432"
REDIS_SOCKET = "redis.sock"
# PostgreSQL refuses to run as root; then the engines run as `nobody`.
UNPRIVILEGED_ID = 65534
SYSTEM_DIR = Path("/var/lib/elder-care-portal")


class EmbeddedError(Exception):
    """Something the person at the keyboard can mend; the message says how."""


def is_embedded() -> bool:
    return not os.environ.get("DATABASE_URL")


def var_dir() -> Path:
    return Path(os.environ.get("PORTAL_VAR") or BASE_DIR / "var").absolute()


def make_var() -> Path:
    """Create var/ so that an unprivileged engine can pass through; what is above it stays as it is."""
    var = var_dir()
    if not var.exists():
        var.mkdir(parents=True)
        var.chmod(0o755)
    return var


def digest(path: Path | str) -> str:
    return hashlib.sha256(str(path).encode()).hexdigest()[:12]


def open_to_all(path: Path) -> bool:
    """Whether a stranger may pass through every directory of the path that exists already."""
    return all(p.stat().st_mode & stat.S_IXOTH for p in (path, *path.parents) if p.exists())


def home() -> Path:
    """The directory of the engines' data: var/, or a system directory when root runs a var/ in a private place.

    As root the engines run as `nobody`, who cannot pass through, say, /root (700), and opening somebody's
    private directory is no business of ours.
    """
    var = var_dir()
    if os.geteuid() != 0 or open_to_all(var):
        return var
    return SYSTEM_DIR / digest(var)


def socket_dir() -> Path:
    place = home() / "run"
    # libpq reads a comma as the start of another host.
    if len(os.fsencode(place / POSTGRES_SOCKET)) <= SOCKET_PATH_MAX and "," not in str(place):
        return place
    # Always /tmp, not $TMPDIR: two shells must find the same socket.
    return Path("/tmp") / f"elder-care-{os.geteuid()}-{digest(var_dir())}"  # noqa: S108 - owner checked in engines.py


def local_secret() -> str:
    """A random SECRET_KEY kept in var/secret (0600); production must bring its own."""
    if not is_embedded():
        return ""
    path = make_var() / "secret"
    if path.exists() and len(kept := path.read_text().strip()) >= 50:
        return kept
    # Written aside and moved in place: no reader sees half a secret, not even after a power cut.
    aside = path.with_name(f"secret.{os.getpid()}")
    with open(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(secrets.token_urlsafe(50))
        file.flush()
        os.fsync(file.fileno())
    if path.exists() and not path.read_text().strip():
        path.unlink()
    try:
        os.link(aside, path)  # the first of several processes wins
    except FileExistsError:
        pass
    finally:
        aside.unlink()
    return path.read_text().strip()


def database_url() -> str:
    if given := os.environ.get("DATABASE_URL"):
        return given
    return f"postgres://{ROLE}@/{quote(f'{socket_dir()}/{DATABASE}', safe='')}"


def redis_url(number: int = 0) -> str:
    if given := os.environ.get("REDIS_URL"):
        return given
    if not is_embedded():
        raise EmbeddedError("REDIS_URL 未设置：设置了 DATABASE_URL 时，REDIS_URL 也必须由环境变量提供。")
    return f"unix://{quote(str(socket_dir() / REDIS_SOCKET))}?db={number}"


def broker_url(url: str) -> str:
    """The same Redis in Celery's words."""
    parts = urlsplit(url)
    if parts.scheme != "unix":
        return url
    number = parse_qs(parts.query).get("db", ["0"])[0]
    return f"redis+socket://{parts.path}?virtual_host={number}"
