"""Each setting of each service has a type that refuses what can't work, with status 78 and one line."""

import os
import subprocess
import sys

import pytest
from cryptography.fernet import Fernet

from deploy.service_list import ROOT
from libs.runtime.config import BadConfiguration, load
from order_service.config import Migrator
from tests.architecture.test_configuration import CONFIGS
from user_service.config import StaffPassword

KEY = "Zq3-a-key-of-more-than-thirty-two-bytes"
ON_OFF = ("on", ["yes", "1", "ON"])
PORT = ("8080", ["0", "65536", "http"])
LIMIT = ("5/15minutes", ["many", "0/minute", "20/0hours", "-1/hour", "20/fortnight", "20"])
SECRET = ("Zq3-not-a-placeholder", ["changeme", "<your-password>", "password"])
ADDRESS = (
    "https://shop.example:8443/accounts",
    [
        "https://shop.example/?lang=de",
        "shop.example",
        "ftp://shop.example",
        "https://shop.example#top",
        "https://me:word@shop.example",
        "https://shop..example",
        "https://shop.example:0",
        "https://999.1.1.1",
    ],
)
HOST = (
    "mail.example.com",
    ["https://mail.example.com", "mail.example.com:25", "mail example", "-mail", "1.2.3", "a..b"],
)
COLLECTOR = ("http://127.0.0.1:4318", ["collector:4318", "ftp://collector", "http://"])

SETTINGS: dict[str, tuple[str, list[str]]] = {
    "ACCESS_TOKEN_SECONDS": ("900", ["0", "86400", "15m"]),
    "ALLOWED_HOSTS": (
        "orders.example,.example.com, 10.0.0.7,[::1],",
        [
            "https://orders.example",
            "orders.example:3000",
            "orders.example/",
            "*.example",
            "orders example",
            "a.example.",
        ],
    ),
    "BIND_HOST": ("[::]", ["::", "0.0.0.0:80", "https://here", "256.0.0.1"]),
    "CORS_ORIGINS": (
        "https://shop.example,http://localhost:5173",
        [
            "*",
            "other.example",
            "https://shop.example/",
            "https://Shop.example",
            "https://shop.example:443",
            "http://a:99999",
        ],
    ),
    "DESK_URL": ADDRESS,
    "DJANGO_SECRET_KEY": (KEY, ["tiny", "changeme", "your-secret-key-of-more-than-32-bytes"]),
    "ENCRYPTION_KEY": (Fernet.generate_key().decode(), ["tiny", "A" * 43 + "=", KEY]),
    "FROM_EMAIL": ("shop@example.com", ["MicroShop", "boss@", "a@example.com, b@example.com", "boss@example"]),
    "JWT_AUDIENCE": ("shop", ["two\nlines", "x" * 201, "\u200b"]),
    "JWT_ISSUER": ("https://shop.example", ["two\nlines", "x" * 201, "\u200b"]),
    "JWT_SECRET": (KEY, ["tiny", "secret", "your-secret-key-of-more-than-32-bytes"]),
    "KAFKA_BROKERS": (
        "kafka-1:9092, kafka-2:9092,[::1]:9092",
        ["http://kafka:9092", "kafka:0", "kafka:port", "kafka 9092", ",", "kafka;9092"],
    ),
    "KAFKA_PASSWORD": SECRET,
    "KAFKA_SECURITY": ("none", ["ssl", "plain", "NONE"]),
    "KAFKA_USERNAME": ("orders", ["two\nlines", "x" * 81, "\u200b"]),
    "LOG_FORMAT": ("console", ["text", "JSON", "xml"]),
    "LOG_LEVEL": ("warning", ["verbose", "TRACE", "10"]),
    "MAIL_ANSWER_SECONDS": ("600", ["0", "3601", "nan"]),
    "MAIL_CONCURRENCY": ("4", ["0", "17", "4.5"]),
    "MAIL_DOUBT_PAUSES": ("120,1200", ["soon", "0", "60,-1", "inf"]),
    "MAIL_PARKED": ("50000", ["0", "1000001", "all"]),
    "MAIL_RETRY_HOURS": ("24", ["-1", "169", "a day"]),
    "MAIL_RETRY_PAUSES": ("60,300", ["1,,2", "60;300", "86401"]),
    "MONGO_URI": (
        "mongodb://me:Zq3%40x@mongo-1:27017,mongo-2/shop?replicaSet=rs0&w=majority",
        [
            "mongodb://127.0.0.1",
            "http://127.0.0.1/shop",
            "mongodb://u:changeme@127.0.0.1/shop",
            "mongodb://u:p@ss@127.0.0.1/shop",
            "mongodb://127.0.0.1:99999/shop",
            "mongodb://a b/shop",
            "mongodb:///shop",
            "mongodb://127.0.0.1/sh.op",
            "mongodb://127.0.0.1/shop?replicaSet",
        ],
    ),
    "MYSQL_DATABASE": ("microshop", ["micro/shop", "x" * 65, "micro.shop", "größe"]),
    "MYSQL_HOST": HOST,
    "MYSQL_MIGRATE_PASSWORD": SECRET,
    "MYSQL_MIGRATE_USER": ("migrator", ["two\nlines", "x" * 81, "\u200b"]),
    "MYSQL_PASSWORD": SECRET,
    "MYSQL_PORT": PORT,
    "MYSQL_USER": ("microshop", ["two\nlines", "x" * 81, "\u200b"]),
    "NOTIFICATION_SERVICE_PORT": PORT,
    "NOTIFICATION_SERVICE_URL": ADDRESS,
    "ORDER_PENDING_LIMIT": ("1800", ["59", "604801", "30m"]),
    "ORDER_SERVICE_PORT": PORT,
    "ORDER_SERVICE_URL": ADDRESS,
    "OTEL_EXPORTER_OTLP_ENDPOINT": COLLECTOR,
    "OTEL_EXPORTER_ZIPKIN_ENDPOINT": COLLECTOR,
    "OTEL_TRACES_SAMPLER_ARG": ("0.1", ["-0.1", "1.5", "nan", "a tenth"]),
    "PRODUCT_SERVICE_PORT": PORT,
    "PRODUCT_SERVICE_URL": ADDRESS,
    "PROXY_COUNT": ("1", ["-1", "6", "one"]),
    "PUBLIC_URL": ADDRESS,
    "RATE_LIMIT_CODE": LIMIT,
    "RATE_LIMIT_EXPORT": LIMIT,
    "RATE_LIMIT_FAILURES": LIMIT,
    "RATE_LIMIT_LINKS": LIMIT,
    "RATE_LIMIT_LOGIN": LIMIT,
    "RATE_LIMIT_MAILS": LIMIT,
    "RATE_LIMIT_REGISTER": LIMIT,
    "RATE_LIMIT_RESET": LIMIT,
    "RATE_LIMIT_VERIFY": LIMIT,
    "REFRESH_GRACE": ("10", ["-1", "61", "10s"]),
    "REFRESH_TOKEN_SECONDS": ("2592000", ["59", "99999999999999", "30d"]),
    "REQUEST_MIN_RATE": ("1024", ["0", "1000001", "1k"]),
    "REQUEST_SECONDS": ("10", ["0", "nan", "301"]),
    "SECURE_COOKIES": ON_OFF,
    "SHOP_CURRENCY": ("EUR", ["JPY", "euro", "eur"]),
    "SHOP_NAME": ("Größe 7½ & Söhne", ["Micro\nShop", "\u200b", "x" * 201]),
    "SHOP_TIME_ZONE": ("Europe/Berlin", ["Mars", "CEST+1", "Europe/Atlantis"]),
    "SMTP_PASSWORD": ("Zq3-not-a-placeholder", ["password", "pässwörd-of-the-shop", "nul\0byte"]),
    "SMTP_PORT": PORT,
    "SMTP_SECONDS": ("15", ["0", "16", "inf"]),
    "SMTP_SECURITY": ("tls", ["ssl", "on", "TLS"]),
    "SMTP_SERVER": HOST,
    "SMTP_USERNAME": ("shop@example.com", ["häns", "nul\0byte", "two\nlines"]),
    "SMTP_UTF8": ON_OFF,
    "STAFF_PASSWORD": SECRET,
    "STAFF_TOTP": ("required", ["on", "yes", "REQUIRED"]),
    "TRACE_TRUST": ON_OFF,
    "TRACE_URL": (
        "http://127.0.0.1:9411/zipkin/traces/{traceId}",
        ["http://zipkin/traces", "javascript:alert('{traceId}')", "ftp://zipkin/{traceId}"],
    ),
    "UNVERIFIED_OPEN_PIECES": ("100", ["-1", "many", "1.5"]),
    "USER_SERVICE_PORT": PORT,
    "USER_SERVICE_URL": ADDRESS,
}
"""Each variable: a value that is taken, and at least three that can't work."""
ALL = {**CONFIGS, "order_service migrate": Migrator, "user_service staff": StaffPassword}
OWNED = [(owner, name.upper()) for owner, config in ALL.items() for name in config.model_fields]
TOGETHER = {"MYSQL_MIGRATE_USER": {"MYSQL_MIGRATE_PASSWORD": "Zq3-the-migrators-own"}}
"""What a variable needs beside it."""


def environ(name, value):
    return {**os.environ, **TOGETHER.get(name, {}), name: value}


def test_every_variable_has_its_row_and_every_row_a_variable():
    assert {name for _, name in OWNED} == set(SETTINGS)
    assert all(len(set(bad)) >= 3 for _, bad in SETTINGS.values())


@pytest.mark.parametrize(("owner", "name"), OWNED)
def test_a_good_value_is_taken(owner, name):
    good, _ = SETTINGS[name]
    load(ALL[owner], environ(name, good))


@pytest.mark.parametrize(("owner", "name", "value"), [(o, n, bad) for o, n in OWNED for bad in SETTINGS[n][1]])
def test_a_value_that_can_not_work_is_refused_by_name_and_not_shown(owner, name, value):
    with pytest.raises(BadConfiguration) as refused:
        load(ALL[owner], environ(name, value))
    assert set(refused.value.problems) == {name}
    text = str(refused.value)
    assert text.count("\n") == 0
    assert len(value) < 4 or value not in text.removeprefix(name)
    assert "Value error" not in text
    assert "Input should" not in text


SEEN = [
    ("user_service", "LOG_LEVEL", "verbose"),
    ("product_service", "LOG_LEVEL", "verbose"),
    ("order_service", "ALLOWED_HOSTS", "https://orders.example"),
    ("notification_service", "PUBLIC_URL", "https://shop.example/?lang=de"),
]


@pytest.mark.parametrize(("service", "name", "value"), SEEN)
def test_the_process_ends_with_status_78_and_one_line(service, name, value):
    ended = subprocess.run(
        [sys.executable, "-m", service, "web"],
        env=environ(name, value),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (ended.returncode, ended.stdout, ended.stderr.count("\n")) == (78, "", 1), ended.stderr
    assert ended.stderr.startswith(f"{service} does not start: bad configuration: {name} (")
