"""Settings, from the environment only.

Without DATABASE_URL / REDIS_URL the portal runs on an embedded PostgreSQL and Redis
(portal/embedded.py): the same engines as production, so there is one code path.
"""

from pathlib import Path

import environ
from csp.constants import NONCE, NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from portal import embedded

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()

DEMO = env.bool("PORTAL_DEMO", default=False)
DEBUG = env.bool("DEBUG", default=False)
VAR_DIR = embedded.var_dir()

# --- Secrets -----------------------------------------------------------------
SECRET_KEY = env("SECRET_KEY", default="") or embedded.local_secret()
if not SECRET_KEY:
    raise ImproperlyConfigured("SECRET_KEY 未设置：生产环境必须由环境变量提供。")

ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])

# --- Apps: the house, roof to ground (DESIGN: imports run down only) ------------
INSTALLED_APPS = [
    "portal",
    "archive",
    "penalties",
    "inspections",
    "scenarios",
    "institutions",
    "departments",
    "ledger",
    "core",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django.contrib.humanize",
    "guardian",
    "axes",
    "csp",
    "django_htmx",
    "rest_framework",
    "drf_spectacular",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "departments.middleware.RenewalMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "departments.middleware.AccessMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "csp.middleware.CSPMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "core.middleware.DomainErrorMiddleware",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "portal.urls"
WSGI_APPLICATION = "portal.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "csp.context_processors.nonce",
                "departments.context_processors.acting",
                "portal.context_processors.navigation",
                "portal.context_processors.public_links",
                "portal.tabs.page_tabs",
            ],
        },
    }
]

# --- Database, broker, files ---------------------------------------------------
DATABASES = {"default": env.db_url_config(embedded.database_url())}
DATABASES["default"].update(
    CONN_MAX_AGE=env.int("CONN_MAX_AGE", default=60),
    CONN_HEALTH_CHECKS=True,
)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = embedded.redis_url()
CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}}

CELERY_BROKER_URL = embedded.broker_url(REDIS_URL)
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# A dead broker must not hang a web request: publishing fails fast, the sweep re-enqueues.
CELERY_BROKER_TRANSPORT_OPTIONS = {"socket_timeout": 3, "socket_connect_timeout": 2}
CELERY_TASK_PUBLISH_RETRY = False
CELERY_TIMEZONE = "Asia/Shanghai"
# Beat only nudges: every sweep looks at the database for what is due.
SWEEP_SECONDS = env.float("SWEEP_SECONDS", default=5.0)
CELERY_BEAT_SCHEDULE = {
    "heartbeat": {"task": "core.tasks.record_worker_heartbeat", "schedule": SWEEP_SECONDS},
    "sweep-jobs": {"task": "core.tasks.sweep_jobs", "schedule": SWEEP_SECONDS},
    "forget-uploads": {"task": "scenarios.tasks.forget_uploads", "schedule": 3600.0},
    "expire-imports": {"task": "core.tasks.expire_imports", "schedule": 3600.0},
    # Hourly, so that a machine switched off at night misses no day; each certificate is told of once.
    "warn-of-certificates": {"task": "departments.tasks.warn_of_certificates", "schedule": 3600.0},
    "remind-ticking": {"task": "inspections.tasks.remind_due_ticking", "schedule": 600.0},
    "carry-messages": {"task": "departments.tasks.carry_messages", "schedule": 60.0},
    "close-ticking": {"task": "inspections.tasks.close_due_ticking", "schedule": SWEEP_SECONDS},
    # Hourly: a first check is due in days, and each is drafted once.
    "open-due-checks": {"task": "inspections.tasks.open_due_checks", "schedule": 3600.0},
    "advance-draws": {"task": "inspections.tasks.advance_due_draws", "schedule": SWEEP_SECONDS},
}

STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
if env("S3_BUCKET", default=""):
    STORAGES["default"] = {
        "BACKEND": "storages.backends.s3.S3Storage",
        "OPTIONS": {
            "bucket_name": env("S3_BUCKET"),
            "endpoint_url": env("S3_ENDPOINT_URL", default=None),
            "access_key": env("S3_ACCESS_KEY", default=None),
            "secret_key": env("S3_SECRET_KEY", default=None),
        },
    }
MEDIA_ROOT = env("MEDIA_ROOT", default=str(VAR_DIR / "files"))
STATIC_URL = "/static/"
STATIC_ROOT = env("STATIC_ROOT", default=str(VAR_DIR / "static"))
STATICFILES_DIRS = [BASE_DIR / "static"]

# --- Who is who -------------------------------------------------------------------
AUTH_USER_MODEL = "departments.User"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
    "guardian.backends.ObjectPermissionBackend",
]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
# 等保三级：长度不少于8位、三类字符（law.md §8）
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "departments.passwords.LengthValidator", "OPTIONS": {"min_length": 8}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "departments.passwords.CharacterClassValidator"},
]
LOGIN_URL = "departments:login"
LOGIN_REDIRECT_URL = "portal:desk"
LOGOUT_REDIRECT_URL = "departments:login"
SESSION_ENGINE = "django.contrib.sessions.backends.db"
SESSION_COOKIE_AGE = env.int("SESSION_SECONDS", default=30 * 60)  # 等保三级：≤30分钟无操作
# RenewalMiddleware counts the half hour from what a person did, not from what an open page asks by itself.
SESSION_SAVE_EVERY_REQUEST = False
# The server forgets the session by itself; a cookie that outlives it lets the login page say why.
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
SESSION_COOKIE_HTTPONLY = True
ANONYMOUS_USER_NAME = None  # guardian: no database row stands for a stranger
GUARDIAN_MONKEY_PATCH_USER = False
AXES_FAILURE_LIMIT = 5  # 等保三级：连续5次失败锁定（law.md §8）
AXES_COOLOFF_TIME = 0.25  # hours
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_LOCKOUT_TEMPLATE = "departments/locked.html"
AXES_RESET_ON_SUCCESS = True
# Every failed login stands in the trail, for six months at least (网络安全法21条). The limit is out of reach, since
# what axes drops beyond it are the newest.
AXES_ENABLE_ACCESS_FAILURE_LOG = True
AXES_ACCESS_FAILURE_LOG_PER_USER_LIMIT = 1_000_000
AXES_IPWARE_PROXY_COUNT = env.int("PROXY_COUNT", default=0)

# --- Security ----------------------------------------------------------------------
BEHIND_TLS = env.bool("BEHIND_TLS", default=False)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = BEHIND_TLS
SECURE_REDIRECT_EXEMPT = [r"^healthz$"]
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if BEHIND_TLS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = BEHIND_TLS
if BEHIND_TLS:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF, NONCE],
        "style-src": [SELF],
        "img-src": [SELF, "data:", "blob:"],
        "object-src": [NONE],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        "form-action": [SELF],
    }
}
CSRF_FAILURE_VIEW = "portal.views.csrf_failure"
# One upload: a phone photo before shrinking is a few MB; a matrix workbook far less.
UPLOAD_MAX_BYTES = env.int("UPLOAD_MAX_BYTES", default=20 * 1024 * 1024)
DATA_UPLOAD_MAX_MEMORY_SIZE = 25 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 20_000

# --- Language, time ------------------------------------------------------------------
LANGUAGE_CODE = "zh-hans"
TIME_ZONE = "Asia/Shanghai"
USE_I18N = True
USE_TZ = True
DATE_FORMAT = "Y-m-d"

# --- API ------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["core.authentication.SessionAuthentication401"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_PAGINATION_CLASS": "rest_framework.pagination.LimitOffsetPagination",
    "PAGE_SIZE": 50,
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "core.api.exception_handler",
}
SPECTACULAR_SETTINGS = {"TITLE": "养老服务机构监管一件事 API", "VERSION": "1", "SERVE_INCLUDE_SCHEMA": False}

# --- The office's own numbers (law.md: unconfirmed ones are settings) --------------------
# 双随机、一公开：检查结果20个工作日内公示（law.md §3 K）
DISCLOSURE_WORKDAYS = env.int("DISCLOSURE_WORKDAYS", default=20)
# 行政处罚决定7个工作日内公示（国办发〔2018〕118号，law.md §4 K）
PENALTY_DISCLOSURE_WORKDAYS = env.int("PENALTY_DISCLOSURE_WORKDAYS", default=7)
# 移送线索受理期限，法律未定（law.md §4 K：建议7个工作日）
REFERRAL_WORKDAYS = env.int("REFERRAL_WORKDAYS", default=7)
# 整改期限默认值，法律未定，由责令机关确定
RECTIFICATION_DAYS = env.int("RECTIFICATION_DAYS", default=15)
# 勾选截止前第几个工作日、几点催办（文件未定；0 为截止当天）
TICK_REMINDER_WORKDAYS = env.list("TICK_REMINDER_WORKDAYS", cast=int, default=[1, 0])
TICK_REMINDER_HOUR = env.int("TICK_REMINDER_HOUR", default=9)
# 抽取前征集、公开秘密数各留多少小时，文件未定
DRAW_COMMIT_HOURS = env.int("DRAW_COMMIT_HOURS", default=24)
DRAW_REVEAL_HOURS = env.int("DRAW_REVEAL_HOURS", default=24)
# 同一执法人员连续检查同一机构的次数上限，文件未定；0 为不限
OFFICER_CONSECUTIVE_VISITS = env.int("OFFICER_CONSECUTIVE_VISITS", default=3)
# 未备案首查自何时起算：RESIDENTS 自发现其收住老年人之日（资阳5、本溪2.6），SERVICE 自发现其开展服务之日（楚雄1）
UNFILED_TRIGGER = env.str("UNFILED_TRIGGER", default="RESIDENTS")
# 备案或发现早于多少天的不再自动拟定首查，归入年度覆盖；法律未规定
FIRST_CHECK_LOOKBACK_DAYS = env.int("FIRST_CHECK_LOOKBACK_DAYS", default=365)
# 同一部门每年对同一机构的检查次数上限（日常、个案、专项，不含上级部署），由主管部门公布（law.md §3 K）；可按部门另定
VISITS_A_YEAR = env.int("VISITS_A_YEAR", default=2)
VISITS_A_YEAR_BY_DEPARTMENT = env.json("VISITS_A_YEAR_BY_DEPARTMENT", default={})
# 前后多少天内的检查视为近期检查，发起时提示互认；文件未定
OVERLAP_DAYS = env.int("OVERLAP_DAYS", default=90)
# 情况紧急先行检查的，几个工作日内补办审批；文件未定天数（law.md §3 K）
EMERGENCY_APPROVAL_WORKDAYS = env.int("EMERGENCY_APPROVAL_WORKDAYS", default=2)
# 自几月起在工作台提醒本年度尚未现场检查的机构（requirements B7：第三季度）
COVERAGE_REMINDED_FROM_MONTH = env.int("COVERAGE_REMINDED_FROM_MONTH", default=7)
# 证件到期前多少天提醒
CERTIFICATE_WARNING_DAYS = env.int("CERTIFICATE_WARNING_DAYS", default=60)
# 站外通知渠道（短信、政务通讯等）：可调用对象的路径（departments/services/channels.py）；不设则只在站内
NOTIFICATION_CHANNELS = env.list("NOTIFICATION_CHANNELS", default=[])
# 渠道中断恢复后，补发多少小时以内的消息
NOTIFICATION_CHANNEL_HOURS = env.int("NOTIFICATION_CHANNEL_HOURS", default=24)
# 赋权到期前多少天提醒续签承接确认书；法律未规定
DELEGATION_WARNING_DAYS = env.int("DELEGATION_WARNING_DAYS", default=60)
# 维护机构名录的部门代号：该部门的经办、审核、负责人和部门管理员可登记和变更机构
REGISTER_KEEPER = env("REGISTER_KEEPER", default="minzheng")
# 摘要算法：sm3 由 OpenSSL 提供时用国密，否则 sha256；随摘要一同保存
DIGEST_ALGORITHM = env("DIGEST_ALGORITHM", default="")

# --- Jobs --------------------------------------------------------------------------------
JOB_LEASE_SECONDS = env.int("JOB_LEASE_SECONDS", default=20)
JOB_MAX_ATTEMPTS = env.int("JOB_MAX_ATTEMPTS", default=20)
MERGE_CHUNK = env.int("MERGE_CHUNK", default=500)
# Rows of a register's workbook that are read or written in one transaction.
IMPORT_CHUNK = env.int("IMPORT_CHUNK", default=2000)
# An import nobody confirmed is thrown away after so many days.
IMPORT_KEPT_DAYS = env.int("IMPORT_KEPT_DAYS", default=7)

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": env("LOG_LEVEL", default="INFO")},
    "loggers": {"axes": {"level": "WARNING"}},
}
