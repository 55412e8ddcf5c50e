"""One settings module. Everything that differs between machines comes from the environment (docs/deploy.md)."""

from pathlib import Path
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured
from django.http.request import validate_host

from config.env import database, flag, folder, number, origin, redis, secret, text, words

BASE_DIR = Path(__file__).resolve().parent.parent
DEBUG = flag("DEBUG", default=False)
DEMO = flag("DEMO", default=False)
LOCAL = flag("LOCAL", default=False)  # one machine, plain http on loopback, SQLite allowed: what `make run` sets
DATA_DIR = folder("DATA_DIR", BASE_DIR / "data", private=not LOCAL)
SECRET_KEY = secret("SECRET_KEY")
SECRET_KEY_FALLBACKS = [secret("SECRET_KEY_FALLBACKS", value=old) for old in words("SECRET_KEY_FALLBACKS")]
AUDIT_KEY = secret("AUDIT_KEY") if text("AUDIT_KEY") else ""  # signs the anchors; derived from SECRET_KEY where empty
AUDIT_KEY_FALLBACKS = words("AUDIT_KEY_FALLBACKS")  # keys of before, that old anchors are read with
BASE_URL = origin("BASE_URL", "http://localhost:8000")
ALLOWED_HOSTS = words("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]")
PROXY_COUNT = number("PROXY_COUNT", 0, most=10)
DATABASE_URL = text("DATABASE_URL")
REDIS_URL = redis("REDIS_URL")

if DEBUG and not LOCAL:
    raise ImproperlyConfigured("DEBUG is only for LOCAL=on: it shows settings and source to whoever asks.")
if not LOCAL:
    if "*" in ALLOWED_HOSTS or not ALLOWED_HOSTS:
        raise ImproperlyConfigured("ALLOWED_HOSTS must name the hosts people use; * lets anybody choose.")
    if not BASE_URL.startswith("https://"):
        raise ImproperlyConfigured("BASE_URL must begin with https:// (or set LOCAL=on for one machine).")
    if not validate_host(str(urlsplit(BASE_URL).hostname), ALLOWED_HOSTS):
        raise ImproperlyConfigured("ALLOWED_HOSTS must name the host of BASE_URL: links in mails lead there.")
    if not DATABASE_URL:
        raise ImproperlyConfigured("DATABASE_URL is not set: production needs PostgreSQL (SQLite only with LOCAL=on).")
    if not REDIS_URL:
        raise ImproperlyConfigured("REDIS_URL is not set: several processes need a shared cache and queue.")
    if DEMO:
        raise ImproperlyConfigured("DEMO loads people with a published password: only with LOCAL=on.")
    if text("PROXY_COUNT") == "":
        raise ImproperlyConfigured("PROXY_COUNT is not set: say how many proxies stand before Treeline (0 for none).")

INSTALLED_APPS = [
    "config.apps.RoofConfig",
    "core",
    "people",
    "incidents",
    "tickets",
    "runbooks",
    "comms",
    "intake",
    "reporting",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django.forms",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.usersessions",
    "crispy_forms",
    "crispy_bootstrap5",
    "csp",
    "django_filters",
    "django_htmx",
    "guardian",
    "mptt",
    "simple_history",
]
MIDDLEWARE = [
    "core.middleware.request_ids",
    "core.middleware.security_headers",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "people.middleware.Authentication",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "allauth.usersessions.middleware.UserSessionsMiddleware",
    "people.middleware.login_for_fragments",
    "people.middleware.session_limits",
    "people.middleware.demand_mfa",
]
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "builtins": ["core.templatetags.rendered", "core.templatetags.treeline", "people.templatetags.drafts"],
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "people.context.navigation",
            ],
        },
    }
]
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"

DATABASES = {"default": database(DATABASE_URL, DATA_DIR)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

CACHES = {
    "default": (
        {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL, "KEY_PREFIX": "treeline"}
        if REDIS_URL
        else {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "core_cache"}
    )
}

# -- Files -----------------------------------------------------------------
STATIC_URL = "/static/"
STATIC_ROOT = DATA_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
S3_BUCKET = text("S3_BUCKET")
STORAGES = {
    "default": (
        {
            "BACKEND": "storages.backends.s3.S3Storage",
            "OPTIONS": {
                "bucket_name": S3_BUCKET,
                "endpoint_url": text("S3_ENDPOINT_URL") or None,
                "access_key": text("S3_ACCESS_KEY") or None,
                "secret_key": text("S3_SECRET_KEY") or None,
                "default_acl": "private",
                "querystring_auth": True,
                "file_overwrite": False,
            },
        }
        if S3_BUCKET
        else {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {
                "location": DATA_DIR / "files",
                "file_permissions_mode": 0o600,
                "directory_permissions_mode": 0o700,
            },
        }
    ),
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
MEDIA_URL = ""  # uploads have no address of their own: every download passes an access check
FILE_UPLOAD_TEMP_DIR = DATA_DIR / "tmp"
FILE_UPLOAD_TEMP_DIR.mkdir(mode=0o700, exist_ok=True)
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 2**20
DATA_UPLOAD_MAX_NUMBER_FIELDS = 2000
DATA_UPLOAD_MAX_NUMBER_FILES = 20
FILE_UPLOAD_HANDLERS = [
    "core.uploads.BoundedUpload",
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "django.core.files.uploadhandler.TemporaryFileUploadHandler",
]
ATTACHMENT_MAX_BYTES = number("ATTACHMENT_MAX_MB", 50, least=1, most=2048) * 2**20
IMPORT_MAX_BYTES = number("IMPORT_MAX_MB", 512, least=1, most=4096) * 2**20
UPLOAD_MAX_BYTES = max(ATTACHMENT_MAX_BYTES, IMPORT_MAX_BYTES) + 2**20  # a request's files and its fields together

# -- People and sessions ---------------------------------------------------
AUTH_USER_MODEL = "people.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
SESSION_ENGINE = "people.sessions"
SESSION_COOKIE_NAME = "treeline_session"
SESSION_COOKIE_AGE = number("SESSION_HOURS", 12, least=1, most=168) * 3600
SESSION_IDLE_SECONDS = number("SESSION_IDLE_MINUTES", 30, least=1, most=720) * 60
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = BASE_URL.startswith("https://")
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_NAME = "treeline_csrf"
CSRF_FAILURE_VIEW = "core.views.errors.csrf_failure"
CSRF_TRUSTED_ORIGINS = [BASE_URL]
MFA_REQUIRED_GROUPS = words("MFA_REQUIRED_GROUPS")

ACCOUNT_ADAPTER = "people.adapters.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"email", "username"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "username*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"  # addresses are verified by the invitation itself; signup is closed
ACCOUNT_DEFAULT_HTTP_PROTOCOL = BASE_URL.split(":", 1)[0]
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = False  # the session that changes it stays; people.adapters ends all others
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_EMAIL_NOTIFICATIONS = True  # a changed password or second factor is told by mail
ACCOUNT_EMAIL_SUBJECT_PREFIX = "[Treeline] "
ACCOUNT_RATE_LIMITS = {
    "login": "30/m/ip",
    "login_failed": "5/5m/key,50/5m/ip",
    "reset_password": "20/m/ip,5/5m/key",
    "reset_password_from_key": "20/m/ip",
    "reauthenticate": "5/5m/user",
    "change_password": "5/5m/user",
    "change_email": "5/5m/user",
    "manage_email": "10/m/user",
}
MFA_ADAPTER = "people.adapters.MFAAdapter"
MFA_ALLOW_UNVERIFIED_EMAIL = True  # the library knows of no verification: the invitation was it
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_PASSKEY_SIGNUP_ENABLED = False
MFA_TOTP_ISSUER = "Treeline"
MFA_FORMS = {
    "login_webauthn": "people.forms.factors.LoginForm",
    "authenticate_webauthn": "people.forms.factors.AuthenticateForm",
    "reauthenticate_webauthn": "people.forms.factors.ReauthenticateForm",
    "add_webauthn": "people.forms.factors.AddForm",
}
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = LOCAL
USERSESSIONS_TRACK_ACTIVITY = False
ALLAUTH_TRUSTED_PROXY_COUNT = PROXY_COUNT
SOCIALACCOUNT_ADAPTER = "people.adapters.SocialAccountAdapter"
SOCIALACCOUNT_AUTO_SIGNUP = False
SOCIALACCOUNT_EMAIL_AUTHENTICATION = False
SOCIALACCOUNT_ONLY = False
SOCIALACCOUNT_PROVIDERS: dict[str, object] = {}
OIDC_ISSUER = text("OIDC_ISSUER")
if OIDC_ISSUER:
    if not OIDC_ISSUER.startswith("https://") and not LOCAL:
        raise ImproperlyConfigured("OIDC_ISSUER must begin with https://: whoever answers there logs people in.")
    if not (text("OIDC_CLIENT_ID") and text("OIDC_CLIENT_SECRET")):
        raise ImproperlyConfigured("OIDC_ISSUER needs OIDC_CLIENT_ID and OIDC_CLIENT_SECRET.")
    INSTALLED_APPS.append("allauth.socialaccount.providers.openid_connect")
    SOCIALACCOUNT_PROVIDERS["openid_connect"] = {
        "OAUTH_PKCE_ENABLED": True,
        "APPS": [
            {
                "provider_id": "oidc",
                "name": text("OIDC_NAME", "single sign-on"),
                "client_id": text("OIDC_CLIENT_ID"),
                "secret": text("OIDC_CLIENT_SECRET"),
                "settings": {"server_url": OIDC_ISSUER},
            }
        ],
    }

ANONYMOUS_USER_NAME = None  # guardian: no anonymous user row that could be granted anything
GUARDIAN_MONKEY_PATCH_USER = False
SILENCED_SYSTEM_CHECKS = [
    "guardian.W001",  # its backend is not used: core.access reads the grants itself
    "models.W038",  # SQLite has no deferrable constraints: there check_trees tells
]

# -- Mail ------------------------------------------------------------------
EMAIL_HOST = text("EMAIL_HOST")
EMAIL_PORT = number("EMAIL_PORT", 587, least=1, most=65535)
EMAIL_HOST_USER = text("EMAIL_HOST_USER")
EMAIL_HOST_PASSWORD = text("EMAIL_HOST_PASSWORD")
EMAIL_USE_TLS = flag("EMAIL_USE_TLS", default=True)
if EMAIL_HOST_PASSWORD and not EMAIL_USE_TLS and not LOCAL:
    raise ImproperlyConfigured("EMAIL_USE_TLS must be on where EMAIL_HOST_PASSWORD is set: it would be sent in clear.")
EMAIL_TIMEOUT = 10
EMAIL_FILE_PATH = DATA_DIR / "mail"
EMAIL_BACKEND = (
    "django.core.mail.backends.smtp.EmailBackend" if EMAIL_HOST else "django.core.mail.backends.filebased.EmailBackend"
)
DEFAULT_FROM_EMAIL = SERVER_EMAIL = text("MAIL_FROM", "Treeline <treeline@localhost>")

# -- Work ------------------------------------------------------------------
if REDIS_URL:
    CELERY_BROKER_URL = REDIS_URL
    CELERY_WORKER_PREFETCH_MULTIPLIER = 1
    CELERY_BROKER_TRANSPORT_OPTIONS: dict[str, object] = {
        "visibility_timeout": 3600,
        "socket_connect_timeout": 1,
        "socket_timeout": 5,
        "global_keyprefix": "treeline:",
        # A dead broker must cost a request milliseconds: one try, the sweep does the rest.
        "max_retries": 1,
        "interval_start": 0,
        "interval_step": 0,
        "interval_max": 0,
    }
else:
    CELERY_BROKER_URL, CELERY_BROKER_TRANSPORT = "localhost", "core.file_queue:Transport"
    # Looked at ten times a second, the folder would give each thread ten messages a second, were they taken one by one.
    CELERY_WORKER_PREFETCH_MULTIPLIER = 25
    BROKER_DIR = DATA_DIR / "broker"
    BROKER_DIR.mkdir(mode=0o700, exist_ok=True)
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        "data_folder_in": str(BROKER_DIR),
        "data_folder_out": str(BROKER_DIR),
        "control_folder": str(BROKER_DIR / "control"),
        "store_processed": False,
        "polling_interval": 0.1,
    }
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_WORKER_ENABLE_REMOTE_CONTROL = False
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TIMEZONE = "UTC"
SCRIPTS_DIR = Path(text("SCRIPTS_DIR", str(DATA_DIR / "scripts")))  # executables that automations may run
ANCHOR_FILE = Path(text("ANCHOR_FILE", str(DATA_DIR / "anchors.jsonl")))

# -- Pages -----------------------------------------------------------------
LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = False
CRISPY_ALLOWED_TEMPLATE_PACKS = CRISPY_TEMPLATE_PACK = "bootstrap5"
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"  # no-referrer makes browsers send "Origin: null", which CSRF must refuse
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SECURE_HSTS_SECONDS = 31536000 if BASE_URL.startswith("https://") else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = SECURE_HSTS_SECONDS > 0
SECURE_SSL_REDIRECT = BASE_URL.startswith("https://")
SECURE_REDIRECT_EXEMPT = ["^health/"]  # load balancers ask inside the network
if PROXY_COUNT:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        # Browsers hold a form's redirect to this too, and the button of single sign-on leads to the provider.
        "form-action": [
            "'self'",
            *([f"{urlsplit(OIDC_ISSUER).scheme}://{urlsplit(OIDC_ISSUER).netloc}"] if OIDC_ISSUER else []),
        ],
        "object-src": ["'none'"],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
    }
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"request": {"()": "core.middleware.RequestIdFilter"}},
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s [%(request_id)s] %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["request"]}},
    "root": {"handlers": ["console"], "level": text("LOG_LEVEL", "INFO")},
    "loggers": {
        "django.server": {"level": "WARNING"},
        "fontTools": {"level": "WARNING"},
        "weasyprint": {"level": "ERROR"},
    },
}
