"""GET /healthz: what runs and what does not, for supervisors and load balancers."""

import datetime as dt

import psycopg
import redis
from django.conf import settings
from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from core.models import WorkerHeartbeat
from departments.access import public

WORKER_SILENCE = dt.timedelta(seconds=30)
CONNECT_SECONDS = 2


def database_answers() -> bool:
    """Ask over a connection of our own: a pooled one would wait on a hung server."""
    params = connection.get_connection_params()
    known = {key: params[key] for key in ("dbname", "user", "password", "host", "port") if params.get(key)}
    try:
        with psycopg.connect(
            **known, connect_timeout=CONNECT_SECONDS, options="-c statement_timeout=2000"
        ) as probe:
            probe.execute("SELECT 1")
    except psycopg.Error:
        return False
    return True


def broker_answers() -> bool:
    try:
        with redis.Redis.from_url(
            settings.REDIS_URL, socket_timeout=CONNECT_SECONDS, socket_connect_timeout=CONNECT_SECONDS
        ) as probe:
            return bool(probe.ping())
    except redis.RedisError:
        return False


def worker_beats() -> bool:
    try:
        newest = WorkerHeartbeat.objects.order_by("-beat_at").values_list("beat_at", flat=True).first()
    except DatabaseError:
        return False
    return newest is not None and timezone.now() - newest <= WORKER_SILENCE


@public
@never_cache
@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    database = database_answers()
    up = {
        "database": database,
        "broker": broker_answers(),
        "worker": database and worker_beats(),
    }
    healthy = all(up.values())
    body = {"status": "ok" if healthy else "down"} | {name: "ok" if ok else "down" for name, ok in up.items()}
    return JsonResponse(body, status=200 if healthy else 503)
