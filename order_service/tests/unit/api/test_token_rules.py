"""order_service reads tokens by simplejwt, the other services by libs.access: both accept and refuse the same ones."""

import base64
import hmac
import json
import time

import pytest
from django.conf import settings
from pydantic import SecretStr
from rest_framework_simplejwt.exceptions import InvalidToken

from libs.access.revocations import Revocations
from libs.access.tokens import AccessTokens
from libs.values.errors import NotAuthenticated
from order_service.api import authentication

KEY, ISSUER, AUDIENCE = (settings.SIMPLE_JWT[name] for name in ("SIGNING_KEY", "ISSUER", "AUDIENCE"))
NOW = int(time.time())
CLAIMS = {"user_id": "a" * 24, "sub": "a" * 24, "email": "ada@example.com", "username": "ada", "roles": []}
CLAIMS |= {"token_type": "access", "jti": "1", "iss": ISSUER, "aud": AUDIENCE, "iat": NOW, "exp": NOW + 900}
HEADER = {"alg": "HS256", "typ": "JWT"}
ABSENT = object()
VALUES = (
    ABSENT,
    None,
    "",
    "x",
    "x" * 64,
    "x" * 65,
    "x" * 254,
    "x" * 255,
    "\0",
    "\x85",
    "\ud800",
    True,
    False,
    [],
    {},
    [""],
    ["x"],
    {"x": 1},
)
NUMBERS = (0, -0.0, -1, 0.5, 1, 10**30, 1e300, float("nan"), float("inf"))
TIMES = (
    NOW,
    NOW - 1,
    NOW + 20,
    NOW + 40,
    NOW - 20,
    NOW - 40,
    NOW + 0.5,
    str(NOW + 100),
    "1e9",
    253402300799,
    253402300800,
)
NAMES = (*CLAIMS, "nbf", "sid", "email_verified")
CASES = [(name, value) for name in NAMES for value in (*VALUES, *NUMBERS, *TIMES)]
CASES += [
    ("aud", [AUDIENCE]),
    ("aud", [AUDIENCE, "x"]),
    ("aud", [AUDIENCE, 1]),
    ("aud", AUDIENCE.upper()),
    ("aud", [[AUDIENCE]]),
]
CASES += [("iss", [ISSUER]), ("iss", {ISSUER: 1}), ("roles", ["admin", "admin"]), ("roles", ["admin", 1])]
HEADERS = [
    ("alg", alg) for alg in ("none", "NONE", "hs256", "HS384", "HS512", "RS256", "ES256", "", None, 1, ["HS256"])
]
HEADERS += [("kid", kid) for kid in ("x", "", 1, None, [])] + [("typ", typ) for typ in ("at+jwt", "jwe", None, 1)]
HEADERS += [("crit", crit) for crit in (["exp"], [], ["b64"], "exp", None)] + [
    ("b64", False),
    ("zip", "DEF"),
    ("jwk", {}),
]


def part(raw):
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def signed(claims, header=HEADER):
    """Signed with the real key by HS256, whatever its header says."""
    text = f"{part(header if isinstance(header, bytes) else json.dumps(header).encode())}.{part(claims)}"
    return f"{text}.{part(hmac.digest(KEY.encode(), text.encode(), 'sha256'))}"


def dumped(claims):
    return json.dumps(claims).encode()


def by_libs(token):
    try:
        return AccessTokens(SecretStr(KEY), ISSUER, AUDIENCE).check(token)
    except NotAuthenticated:
        return None


def by_order_service(token):
    try:
        return authentication.BearerAuthentication()._caller(token.encode())
    except InvalidToken:
        return None


@pytest.fixture(autouse=True)
def _no_database(monkeypatch):
    """Nothing is revoked, and the time is the host's."""
    monkeypatch.setattr(authentication, "revocations", Revocations())


def test_a_good_token_is_accepted():
    assert by_libs(signed(dumped(CLAIMS))) == by_order_service(signed(dumped(CLAIMS))) is not None


@pytest.mark.parametrize(("name", "value"), CASES, ids=[f"{name}-{number}" for number, (name, _) in enumerate(CASES)])
def test_an_odd_claim_counts_alike(name, value):
    token = signed(dumped({k: v for k, v in (CLAIMS | {name: value}).items() if v is not ABSENT}))
    assert by_order_service(token) == by_libs(token)


@pytest.mark.parametrize(("name", "value"), HEADERS)
def test_an_odd_header_counts_alike(name, value):
    token = signed(dumped(CLAIMS), HEADER | {name: value})
    assert by_order_service(token) == by_libs(token)


@pytest.mark.parametrize(
    "change",
    [
        lambda text: b"\xef\xbb\xbf" + text,
        lambda text: text.decode().encode("utf-16"),
        lambda text: text[:-1] + b',"roles":["admin"]}',
        lambda text: text[:-1] + b',"nbf":%s}' % (b"1" * 3000),
        lambda text: b" " + text + b" ",
        lambda text: text + b"x",
        lambda text: b"[" + text + b"]",
        lambda text: b"null",
        lambda text: b"[" * 2500,
    ],
    ids=["BOM", "UTF-16", "twice", "3,000 digits", "blanks", "rest", "list", "null", "deep"],
)
def test_odd_json_counts_alike(change):
    token = signed(change(dumped(CLAIMS)))
    assert by_order_service(token) == by_libs(token)
    token = signed(dumped(CLAIMS), change(dumped(HEADER)))
    assert by_order_service(token) == by_libs(token)


@pytest.mark.parametrize(
    "change",
    [
        lambda token: token + "=",
        lambda token: token + "==",
        lambda token: token.replace(".", "=.", 1),
        lambda token: token[:-1] + chr(ord(token[-1]) + 1),
        lambda token: token.replace("-", "+").replace("_", "/"),
        lambda token: token + ".",
        lambda token: "." + token,
    ],
)
def test_odd_parts_count_alike(change):
    token = change(signed(dumped(CLAIMS)))
    assert by_order_service(token) == by_libs(token)
