"""Settings: everything a deployment chooses comes from environment variables and has a working default."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import urlsplit

from loop311.accounts.providers import providers
from loop311.kit import environment, logs
from loop311.kit.database import connection_settings, connection_url
from loop311.kit.secrets import secret_key
from loop311.notifications.policies import smtp_settings

ROOT = Path(__file__).resolve().parents[2]
LOOP311_HOME = Path(os.environ.get("LOOP311_HOME") or ROOT / "var").resolve()
PORT = environment.whole("LOOP311_PORT", 8311, least=1, most=65_535)
BASE_URL = environment.address("LOOP311_BASE_URL", f"http://127.0.0.1:{PORT}")
PRODUCTION = bool(os.environ.get("LOOP311_BASE_URL"))
"""A deployment with an address of its own is a real one: no demo sign-ins, secure cookies."""

DEBUG = False
SECRET_KEY = secret_key(os.environ.get("LOOP311_SECRET_KEY"), LOOP311_HOME)
ALLOWED_HOSTS = [str(urlsplit(BASE_URL).hostname), "127.0.0.1", "localhost"] if PRODUCTION else ["*"]
"""People come by the address; whoever watches /healthz and /metrics, on this machine, by the port."""
CSRF_TRUSTED_ORIGINS = [BASE_URL]
_OVER_TLS = BASE_URL.startswith("https://")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _OVER_TLS
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = (
    "Lax"  # "Strict" would lose the session on the way back from an identity provider
)
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if PRODUCTION and _OVER_TLS else None
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if _OVER_TLS else 0
ALLAUTH_TRUSTED_PROXY_COUNT = environment.whole("LOOP311_TRUSTED_PROXIES", 1 if PRODUCTION else 0, least=0, most=20)
"""How many proxies of our own add to X-Forwarded-For; the web server listens on 127.0.0.1 only."""
SECURE_CONTENT_TYPE_NOSNIFF = True
X_FRAME_OPTIONS = "DENY"

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "procrastinate.contrib.django",
    "loop311.kit",
    "loop311.jurisdictions",
    "loop311.ledger",
    "loop311.accounts",
    "loop311.residents",
    "loop311.places",
    "loop311.catalog",
    "loop311.knowledge",
    "loop311.interactions",
    "loop311.requests",
    "loop311.notifications",
    "loop311.callbacks",
    "loop311.open311",
    "loop311.workorders",
    "loop311.desk",
    "loop311.measures",
    "loop311.site",
    "allauth",  # after our rooms, whose templates come before its own
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
]

MIDDLEWARE = [
    "loop311.site.observing.observed",
    "loop311.site.middleware.content_security_policy",
    "django.middleware.security.SecurityMiddleware",
    "loop311.site.middleware.live_updates",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "loop311.site.api_middleware.ApiDoor",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
]

ROOT_URLCONF = "loop311.site.urls"
WSGI_APPLICATION = "loop311.site.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

DATABASE_IS_EMBEDDED = not os.environ.get("DATABASE_URL")
"""Ours to start and stop, under LOOP311_HOME."""
DATABASE_URL = os.environ.get("DATABASE_URL") or connection_url(LOOP311_HOME)
DATABASES = {"default": connection_settings(DATABASE_URL, LOOP311_HOME)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_USER_MODEL = "accounts.User"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]

AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/desk/home/"
ACCOUNT_LOGOUT_REDIRECT_URL = "/desk/sign-in/"
ACCOUNT_ADAPTER = "loop311.desk.adapter.StaffAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_RATE_LIMITS = {"login": "120/m/ip", "login_failed": "60/m/ip,5/5m/key"}
"""A call centre comes from one address. Wrong passwords are counted by accounts.lockout; wrong codes by this."""
ACCOUNT_DEFAULT_HTTP_PROTOCOL = "https" if _OVER_TLS else "http"
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_REAUTHENTICATION_TIMEOUT = 300
MFA_ADAPTER = "loop311.desk.adapter.FactorsAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_ALLOW_UNVERIFIED_EMAIL = True  # addresses are an administrator's word; nobody gives their own
MFA_TOTP_TOLERANCE = 1
MFA_FORMS = {
    "authenticate": "loop311.desk.factor_forms.OnceForm",
    "reauthenticate": "loop311.desk.factor_forms.OnceAgainForm",
}
IDENTITY_PROVIDERS = providers(os.environ)
"""See docs/how-to/sign-in.md."""
SOCIALACCOUNT_ADAPTER = "loop311.desk.adapter.ProviderAdapter"
SOCIALACCOUNT_PROVIDERS = {"openid_connect": {"APPS": IDENTITY_PROVIDERS}}
SOCIALACCOUNT_OPENID_CONNECT_URL_PREFIX = ""
SOCIALACCOUNT_LOGIN_ON_GET = (
    True  # a form could not leave the site (form-action); the state in the session guards the way back
)
SESSION_COOKIE_AGE = 12 * 60 * 60
"""A shift."""
CACHES = {"default": {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "site_cache"}}
"""In the database, so that attempts to sign in are counted over all processes; see desk/migrations."""

USE_TZ = True
TIME_ZONE = "UTC"
USE_I18N = True
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English")]
"""Of the staff's pages: those we have words in. What residents get is in their own languages, by words beside it."""

STATIC_URL = "/static/"
_ASSETS = {
    "uswds": ROOT / "node_modules" / "@uswds" / "uswds" / "dist",
    "htmx": ROOT / "node_modules" / "htmx.org" / "dist",
    "leaflet": ROOT / "node_modules" / "leaflet" / "dist",
}
STATICFILES_DIRS = [(name, folder) for name, folder in _ASSETS.items() if folder.exists()]
"""Packages that script/assets installs; served from where they are, as /static/uswds/... and /static/htmx/..."""
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = False
WHITENOISE_MAX_AGE = 3600

FILE_UPLOAD_HANDLERS = ["loop311.kit.uploads.Bounded"]
"""Files stay in memory, and no more of them than is taken."""

CSRF_FAILURE_VIEW = "loop311.site.errors.csrf_failed"
LOGGING = logs.settings()

CONTACT_LEFT_OPEN_HOURS = environment.hours("LOOP311_CONTACT_HOURS", 2)
"""A contact that nobody has touched for so long was left open: its owner and the supervisor are told."""

GEOCODER_URL = os.environ.get("LOOP311_GEOCODER_URL") or ""
"""A server that answers like Nominatim, asked when the city's own addresses do not know a text. Empty: none."""
GEOCODER_SECONDS = 1.5

MAP_TILES_URL = os.environ.get("LOOP311_MAP_TILES_URL") or ""
"""Pictures of the earth behind the city's own map, for instance https://tiles.example/{z}/{x}/{y}.png. Empty: none."""
MAP_TILES_CREDIT = os.environ.get("LOOP311_MAP_TILES_CREDIT") or ""
"""Whom the pictures' maker asks to be named."""

SMTP_URL = os.environ.get("LOOP311_SMTP_URL") or ""
"""The mail server: smtp://user:password@host:587?starttls=1 or smtps://host. Empty: mail is written into `outbox`."""
if SMTP_URL:
    EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    globals().update(environment.sentence(smtp_settings, SMTP_URL))
else:
    EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    EMAIL_FILE_PATH = LOOP311_HOME / "outbox"
EMAIL_TIMEOUT = 20
DEFAULT_FROM_EMAIL = os.environ.get("LOOP311_MAIL_FROM") or f"311@{urlsplit(BASE_URL).hostname}"

SMS_URL = os.environ.get("LOOP311_SMS_URL") or ""
"""A gateway for texts (see docs/how-to/send-mail-and-texts.md). Empty: texts are printed by the worker."""
SMS_TOKEN = os.environ.get("LOOP311_SMS_TOKEN") or ""
SMS_KEEPS_KEYS = os.environ.get("LOOP311_SMS_KEEPS_KEYS") == "1"
"""The gateway makes one text of two calls with one Idempotency-Key, so an interrupted call may be made again."""

PROCRASTINATE_ON_APP_READY = None
