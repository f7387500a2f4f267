"""Only tokens that user_service signed, for this shop, still valid and whole, let anybody in."""

import base64
import json
import time

import jwt
import pytest

from libs.access.revocations import Revocation
from order_service.api.authentication import StrictAccessToken, revocations
from order_service.tests.integration.conftest import Caller
from order_service.tests.integration.test_placing import problem
from tests.host_clock import shift

pytestmark = pytest.mark.django_db

KEY = "another-key-of-more-than-thirty-two-bytes"


def b64(data):
    return (
        base64.urlsafe_b64encode(data if isinstance(data, bytes) else json.dumps(data).encode()).rstrip(b"=").decode()
    )


@pytest.fixture
def claims():
    now = time.time()
    who = {"user_id": "0" * 24, "sub": "0" * 24, "email": "a@example.com", "username": "a", "roles": []}
    return who | {
        "token_type": "access",
        "jti": "1",
        "iat": now,
        "exp": now + 60,
        "iss": "microshop",
        "aud": "microshop",
    }


@pytest.fixture
def sign(config, claims):
    """`sign(roles=["staff"])`: a token with other claims; None removes one."""

    def make(algorithm="HS256", key=None, headers=None, **other):
        body = {name: value for name, value in (claims | other).items() if value is not None}
        return jwt.encode(body, key or config.jwt_secret.get_secret_value(), algorithm, headers=headers)

    return make


def test_a_token_as_it_should_be_is_accepted(sign):
    assert Caller(sign()).get("/orders").status_code == 200


@pytest.mark.parametrize(
    "missing", ["exp", "iat", "sub", "iss", "aud", "jti", "user_id", "email", "username", "roles", "token_type"]
)
def test_a_token_without_a_claim_is_refused(sign, missing):
    problem(Caller(sign(**{missing: None})).get("/orders"), 401, "not-authenticated")


ODD = [
    *({"sub": "1" * 24}, {"sub": 7}, {"user_id": ["0"]}, {"token_type": "refresh"}, {"iss": "other"}, {"aud": "other"}),
    *({"roles": "staff"}, {"roles": ["root"]}, {"roles": [["staff"]]}, {"email": ""}, {"exp": "soon"}, {"iat": "now"}),
]


ODD_TIMES = [10**30, 10**400, -(10**400), -1, 2**63, "1", "1e400", True, [], {}, [1], 1e308, float("nan"), float("inf")]


@pytest.mark.parametrize("value", ODD_TIMES, ids=lambda value: str(value)[:12])
@pytest.mark.parametrize("claim", ["exp", "iat", "nbf"])
def test_a_token_with_an_odd_time_is_refused(sign, claim, value):
    problem(Caller(sign(**{claim: value})).get("/orders"), 401, "not-authenticated")


def test_a_deep_token_is_refused(config):
    token = jwt.api_jws.encode(b"[" * 2000, config.jwt_secret.get_secret_value(), algorithm="HS256")
    problem(Caller(token).get("/orders"), 401, "not-authenticated")


@pytest.mark.parametrize("claim", ODD, ids=str)
def test_a_token_with_an_odd_claim_is_refused(sign, claim):
    problem(Caller(sign(**claim)).get("/orders"), 401, "not-authenticated")


@pytest.mark.parametrize(
    ("claim", "seconds", "status"), [("exp", -25, 200), ("exp", -35, 401), ("iat", 25, 200), ("iat", 35, 401)]
)
def test_clocks_may_differ_by_half_a_minute(sign, claim, seconds, status):
    assert Caller(sign(**{claim: time.time() + seconds})).get("/orders").status_code == status


@pytest.mark.usefixtures("read_revocations")
@pytest.mark.parametrize("skew", [-3600, -300, 300, 3600])
def test_the_clock_of_the_host_decides_nothing(sign, monkeypatch, skew):
    client, expired = Caller(sign()), Caller(sign(exp=time.time() - 35))
    early = Caller(sign(iat=time.time() + 35))
    shift(monkeypatch, skew)
    assert [client.get("/orders").status_code for _ in range(2)] == [200, 200]
    for wrong in (expired, early):
        problem(wrong.get("/orders"), 401, "not-authenticated")


def test_a_forged_token_is_refused(sign, claims, config):
    head, body, signature = sign().split(".")
    forged = {
        "unsigned": f"{b64({'alg': 'none', 'typ': 'JWT'})}.{body}.",
        "unsigned, in capitals": f"{b64({'alg': 'NoNe'})}.{body}.",
        "no signature": f"{head}.{body}.",
        "other claims": f"{head}.{b64(claims | {'roles': ['admin']})}.{signature}",
        "other key": sign(key=KEY),
        "other algorithm": sign(algorithm="HS512"),
        "critical extension": sign(headers={"crit": ["x"], "x": 1}),
        "nested header": f"{b64(b'[' * 2000)}.{body}.{signature}",
        "too long": sign(padding="x" * 5000),
        "not a token": "x",
        "three parts": "a.b.c",
        "two words": "a b",
        "no letters": "\u00e9",
    }
    for name, token in forged.items():
        answer = Caller(token).get("/orders")
        assert (answer.status_code, answer["WWW-Authenticate"]) == (401, 'Bearer error="invalid_token"'), name
        assert answer["Content-Type"] == "application/problem+json", name


def test_keys_and_addresses_in_a_header_are_not_followed(sign):
    for header in (
        {"kid": "../../x"},
        {"jku": "http://127.0.0.1:1/keys"},
        {"jwk": {"kty": "oct", "k": b64(KEY.encode())}},
    ):
        assert Caller(sign(headers=header)).get("/orders").status_code == 200  # the shared secret alone decides
        problem(Caller(sign(headers=header, key=KEY)).get("/orders"), 401)


def test_the_refusal_of_a_request_without_a_token_names_the_scheme(anybody):
    for header in ({}, {"authorization": "Basic YTpi"}, {"authorization": "Digest x"}, {"authorization": ""}):
        answer = anybody.get("/orders", headers={"accept": "application/json", **header})
        problem(answer, 401, "not-authenticated")
        assert answer["WWW-Authenticate"] == "Bearer"


ROUTES = [("GET", ""), ("POST", ""), ("GET", "/x"), ("POST", "/x/cancel"), ("PUT", "/x/status")]


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_every_route_of_orders_requires_a_token(anybody, method, path):
    problem(anybody.send(f"/orders{path}", {}, method), 401, "not-authenticated")


def test_a_token_is_checked_without_a_query(sign, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert Caller(sign()).get("/orders?limit=0").status_code == 400


@pytest.mark.parametrize("accept", ["application/json", "text/html"])
@pytest.mark.parametrize("header", ["Bearer", "Bearer x", "Bearer a b", "BEARER é"])
def test_a_malformed_header_is_a_bad_token_on_pages_too(client, header, accept):
    answer = client.get("/orders", headers={"authorization": header, "accept": accept})
    assert (answer.status_code, answer["WWW-Authenticate"]) == (401, 'Bearer error="invalid_token"')


@pytest.mark.parametrize("form", ["BEARER {}", "bearer   {}", " Bearer {} "])
def test_the_scheme_has_no_case_and_spaces_may_follow(client, sign, form):
    assert client.get("/orders", headers={"authorization": form.format(sign())}).status_code == 200


def test_a_token_that_was_accepted_before_expires_and_is_revoked_all_the_same(sign, claims, monkeypatch):
    client, end = Caller(sign()), claims["exp"] + 30
    assert [client.get("/orders").status_code for _ in range(2)] == [200, 200]
    with monkeypatch.context() as later:
        later.setattr(revocations, "now", lambda: end + 1)
        problem(client.get("/orders"), 401, "not-authenticated")
    assert client.get("/orders").status_code == 200
    revocations.add([Revocation(claims["user_id"], None, round(claims["iat"] * 1000) + 1)])
    problem(client.get("/orders"), 401, "not-authenticated")
    monkeypatch.setattr(revocations, "_ends", {})
    assert client.get("/orders").status_code == 200


def test_a_token_is_verified_once(sign, monkeypatch):
    token, seen = sign(), []
    verify = StrictAccessToken.verify
    monkeypatch.setattr(StrictAccessToken, "verify", lambda self: seen.append(token) or verify(self))
    for _ in range(3):
        assert Caller(token).get("/orders").status_code == 200
    assert seen == [token]
