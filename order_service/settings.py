"""Django's settings, made from the configuration. Django imports them once per process."""

from datetime import timedelta

from libs.access.encryption import Encryption
from libs.access.tokens import ALGORITHM
from libs.runtime.config import load
from libs.web.bodies import MAX_BODY_BYTES
from order_service import __doc__ as description
from order_service import __version__
from order_service.config import Config
from order_service.desk.theme import unfold_settings

config = load(Config)

SECRET_KEY = config.django_secret_key.get_secret_value()
ENCRYPTION = Encryption(config.encryption_key)  # of the tokens that the desk keeps
ALLOWED_HOSTS = ["localhost", "127.0.0.1", "[::1]", *config.allowed_hosts]
ROOT_URLCONF = "order_service.urls"
SHOP_NAME = config.shop_name
SHOP_TIME_ZONE = config.shop_time_zone  # of the desk; TIME_ZONE is that of everything else
TRACE_URL = config.trace_url
UNVERIFIED_OPEN_PIECES = config.unverified_open_pieces

INSTALLED_APPS = [
    "order_service.desk.apps.DeskConfig",  # first: its templates replace those of the others
    "order_service.api.browsable.apps.BrowsableConfig",
    "order_service.store.apps.OrdersConfig",
    "unfold",  # before the admin, whose templates it replaces
    "unfold.contrib.filters",
    "unfold.contrib.import_export",
    "import_export",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_filters",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "axes",
]
MIDDLEWARE = [
    "libs.web.drf.RequestMiddleware",
    # The rest is for pages: order_service.api.handler takes requests of clients past it.
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "order_service.desk.sign_in.staff_login.RevokedLoginMiddleware",
    "axes.middleware.AxesMiddleware",
    "order_service.desk.once.OnceMiddleware",
    "order_service.desk.zone.ShopTimeZoneMiddleware",
]
TEMPLATES: list[dict[str, object]] = [
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

DATABASES: dict[str, dict[str, object]] = {
    "default": {
        "ENGINE": "libs.django_store.mysql",
        "NAME": config.mysql_database,
        "USER": config.mysql_user,
        "PASSWORD": config.mysql_password.get_secret_value(),
        "HOST": config.mysql_host,
        "PORT": config.mysql_port,
        "CONN_MAX_AGE": None,  # each thread keeps its connection
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {
            "charset": "utf8mb4",
            "isolation_level": "read committed",  # the order of the outbox depends on it
            # Seconds, the minimum: the server must not wait for a lock longer than the client waits for the server.
            "init_command": "SET SESSION innodb_lock_wait_timeout = 1",
            # Seconds. A frozen server costs a ping and a new connection: the response comes within 5 s.
            "connect_timeout": 2,
            "read_timeout": 2,
            "write_timeout": 2,
        },
        "TEST": {"CHARSET": "utf8mb4", "COLLATION": "utf8mb4_unicode_ci"},
    }
}
USE_TZ, TIME_ZONE = True, "UTC"
USE_I18N = False
DATETIME_FORMAT = "j M Y, H:i:s"

STATIC_URL = "/static/"
WHITENOISE_USE_FINDERS = True  # files are served from their packages: there is no collectstatic step

PASSWORD_HASHERS = ["order_service.desk.sign_in.hashers.Argon2Hasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("MinimumLengthValidator", "CommonPasswordValidator", "UserAttributeSimilarityValidator")
]
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",  # first: it refuses clients with too many failed sign-ins
    "django.contrib.auth.backends.ModelBackend",  # local accounts, and the permissions of groups
    "order_service.desk.sign_in.backend.UserServiceBackend",
]
USER_SERVICE_URL = str(config.user_service_url)
PRODUCT_SERVICE_URL = str(config.product_service_url)
NOTIFICATION_SERVICE_URL = str(config.notification_service_url)
AXES_FAILURE_LIMIT, AXES_COOLOFF_TIME = 4, timedelta(minutes=15)  # one less than user_service allows this service
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]  # together: failures elsewhere lock no account
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT, AXES_RESET_ON_SUCCESS = False, True
AXES_LOCKOUT_CALLABLE = "order_service.desk.sign_in.views.locked_out"
AXES_CLIENT_IP_CALLABLE = "order_service.desk.sign_in.views.address_of"
AXES_DISABLE_ACCESS_LOG, AXES_VERBOSE = True, False
AXES_SENSITIVE_PARAMETERS = ["username", "ip_address", "code", "csrfmiddlewaretoken"]  # not kept with a failed try
SESSION_COOKIE_AGE, SESSION_SAVE_EVERY_REQUEST = 1800, True  # seconds; the reason is in desk/sign_in/staff_login.py
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = config.secure_cookies
CORS_ORIGINS = config.cors_origins
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "order_service.desk.sign_in.views.token_refused"
DATA_UPLOAD_MAX_MEMORY_SIZE = MAX_BODY_BYTES

UNFOLD = unfold_settings(SHOP_NAME)

LOGGING_CONFIG = None  # libs.runtime.logs configures logging

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "order_service.api.authentication.BearerAuthentication",  # first, so that 401 stays 401
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["order_service.api.permissions.IsSignedIn"],
    "DEFAULT_RENDERER_CLASSES": ["libs.web.drf.JSONRenderer", "order_service.api.browsable.renderers.Pages"],
    "DEFAULT_PARSER_CLASSES": ["libs.web.drf.JSONParser"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "libs.web.drf.Negotiation",
    "DEFAULT_SCHEMA_CLASS": "order_service.api.openapi.Documented",
    "EXCEPTION_HANDLER": "libs.web.drf.handle_exception",
    "URL_FORMAT_OVERRIDE": None,
}
SIMPLE_JWT = {
    "ALGORITHM": ALGORITHM,
    "SIGNING_KEY": config.jwt_secret.get_secret_value(),
    "ISSUER": config.jwt_issuer,
    "AUDIENCE": config.jwt_audience,
    # The host's clock decides nothing: StrictAccessToken compares with the database's.
    "LEEWAY": timedelta(days=365_000),
    "AUTH_TOKEN_CLASSES": ["order_service.api.authentication.StrictAccessToken"],
}
SPECTACULAR_SETTINGS = {
    "TITLE": "order_service",
    "DESCRIPTION": (description or "").partition("\n")[0],
    "VERSION": __version__,
    "SERVE_AUTHENTICATION": [],
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "PREPROCESSING_HOOKS": ["order_service.api.openapi.each_route_once"],
    "POSTPROCESSING_HOOKS": ["order_service.api.openapi.with_problems"],
}
