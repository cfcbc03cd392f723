"""The portal's settings for unit tests: a cluster of their own, nothing durable, cheap passwords."""

import os
from pathlib import Path

BASE = Path(__file__).resolve().parent.parent
# Before portal.settings, which looks for its services while it is imported.
os.environ["PORTAL_VAR"] = str(BASE / "var" / "test")
os.environ["PORTAL_DURABLE"] = "0"

from portal import embedded  # noqa: E402 - see above
from portal.settings import *  # noqa: E402, F403 - settings are names
from portal.settings import CACHES, DATABASES, VAR_DIR  # noqa: E402

# One Redis database a pytest-xdist worker: gw0 → 1, gw1 → 2, alone → 0.
NUMBER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw-1").removeprefix("gw")) + 1
REDIS_URL = embedded.redis_url(NUMBER)
CACHES["default"]["LOCATION"] = REDIS_URL
CELERY_BROKER_URL = embedded.broker_url(REDIS_URL)
CELERY_TASK_ALWAYS_EAGER = False

DATABASES["default"]["CONN_MAX_AGE"] = 0
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
MEDIA_ROOT = str(VAR_DIR / f"files-{NUMBER}")
STATIC_ROOT = str(VAR_DIR / "static")
Path(STATIC_ROOT).mkdir(parents=True, exist_ok=True)

# Whether a county's domain goes into browsers' preload lists is not ours to decide.
SILENCED_SYSTEM_CHECKS = ["security.W021"]
