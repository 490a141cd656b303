"""Django's settings. What a deployment changes is in `environment`; Celery's configuration is in `celery_app`."""

from pathlib import Path

from django.utils.translation import gettext_lazy as _

from autotest.environment import environment

ENV = environment()
BASE_DIR = Path(__file__).resolve().parent.parent

SECRET_KEY = ENV.secret_key
DEBUG = ENV.debug
ALLOWED_HOSTS = list(ENV.allowed_hosts)
CSRF_TRUSTED_ORIGINS = list(ENV.csrf_trusted_origins)
TRUSTED_PROXIES = ENV.trusted_proxies  # how many proxies in front may be believed about the client's address

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django_htmx",
    "django_celery_results",
    "myapp",
    "myapp.web",
    "reliability",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "myapp.web.headers.SecurityHeaders",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "myapp.web.refusals.Refusals",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",  # no page is anonymous unless it says so
]
ROOT_URLCONF = "autotest.urls"
WSGI_APPLICATION = "autotest.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

DATABASES = {"default": {**ENV.database, "CONN_HEALTH_CHECKS": True}}
if "sqlite3" in ENV.database["ENGINE"]:
    # A result that cannot be written within the timeout becomes FAILURE although the work was done, and its message is
    # acknowledged all the same: so wait long, and let readers not block writers.
    DATABASES["default"]["OPTIONS"] = {
        "timeout": 30,
        "transaction_mode": "IMMEDIATE",
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
    }
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]
LOGIN_URL = "web:login"
LOGIN_REDIRECT_URL = "web:dashboard"
LOGOUT_REDIRECT_URL = "web:login"

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("zh-hans", _("简体中文"))]
LOCALE_PATHS = [BASE_DIR / "myapp" / "locale"]
TIME_ZONE = "UTC"
USE_TZ = True

# Without this an error in production would only be mailed, to nobody.
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"console": {"class": "logging.StreamHandler"}},
    "loggers": {"django": {"handlers": ["console"], "level": "WARNING", "propagate": False}},
}

KEEP_REPORTS = ENV.keep_reports  # of each app, the newest
REPORT_BYTES = ENV.report_mib * 2**20  # the longest report.json that is taken, and the longest page

STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticfiles"

if ENV.production:
    STORAGES = {
        "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
        "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
    }
    SECURE_REDIRECT_EXEMPT = [r"^health/$"]  # load balancers ask inside, without TLS
    SECURE_SSL_REDIRECT = True
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_HSTS_SECONDS = 365 * 24 * 3600
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True
SESSION_COOKIE_HTTPONLY = True
X_FRAME_OPTIONS = "DENY"
