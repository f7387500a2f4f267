"""Access tokens: one good kind, and the many bad ones."""

import base64
import contextlib
import json
import time

import jwt
import pytest
from pydantic import SecretStr

from libs.access.caller import Caller
from libs.access.tokens import AccessTokens, bearer_token
from libs.values.errors import InvalidToken, NotAllowed, NotAuthenticated

SECRET = "s" * 64
DAY = 86_400  # no token of the collection expires before its test runs
TOKENS = AccessTokens(SecretStr(SECRET), "microshop", "microshop", lifetime_seconds=DAY)
GOOD = TOKENS.mint(user_id="u1", email="a@example.com", username="ann", roles=["staff"])
CLAIMS = jwt.decode(GOOD, SECRET, algorithms=["HS256"], audience="microshop")


def signed(secret=SECRET, algorithm="HS256", headers=None, drop=(), **changes):
    claims = {name: value for name, value in (CLAIMS | changes).items() if name not in drop}
    return jwt.encode(claims, secret, algorithm=algorithm, headers=headers)


def b64(value):
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def unsigned(algorithm):
    return f"{b64({'alg': algorithm, 'typ': 'JWT'})}.{GOOD.split('.')[1]}."


HEAD, BODY, SIGNATURE = GOOD.split(".")
NOW = int(time.time())
BAD = {
    "empty": "",
    "a word": "x",
    "three words": "a.b.c",
    "two parts": f"{HEAD}.{BODY}",
    "four parts": f"{GOOD}.x",
    "no signature": f"{HEAD}.{BODY}.",
    "a cut signature": GOOD[:-3],
    "a changed body": f"{HEAD}.{b64(CLAIMS | {'roles': ['admin']})}.{SIGNATURE}",
    "alg none": unsigned("none"),
    "alg NoNe": unsigned("NoNe"),
    "alg null": f"{b64({'alg': None})}.{BODY}.{SIGNATURE}",
    "another key": signed(secret="t" * 64),
    "a longer hash": signed(algorithm="HS512"),
    "an unknown crit": signed(headers={"crit": ["x"], "x": 1}),
    "expired": signed(exp=NOW - 31),
    "issued in the future": signed(iat=NOW + DAY),
    "not valid yet": signed(nbf=NOW + DAY),
    "another issuer": signed(iss="elsewhere"),
    "another audience": signed(aud="elsewhere"),
    "a refresh token": signed(token_type="refresh"),
    "another subject": signed(sub="u2"),
    "a number for a subject": signed(sub="1", user_id=1),
    "a word for a verified address": signed(email_verified="yes"),
    "a king": signed(roles=["king"]),
    "roles in a word": signed(roles="admin"),
    "a nested user": signed(user_id={"$gt": ""}),
    "a nested session": signed(sid={"$gt": ""}),
    "an empty session": signed(sid=""),
    "a user that no column holds": signed(user_id="u" * 65, sub="u" * 65),
    "an address that no column holds": signed(email="a" * 243 + "@example.com"),
    "a name that no column holds": signed(username="a" * 65),
    "a session that no column holds": signed(sid="s" * 65),
    "a line break in a name": signed(username="ann\nx"),
    "a NUL in an address": signed(email="\0a@example.com"),
    "an escape in a user": signed(user_id="u\x9b1", sub="u\x9b1"),
    "endlessly young": signed(iat=float("inf")),
    "8 KB": signed(pad="x" * 8192),
    **{f"no {name}": signed(drop=[name]) for name in CLAIMS if name != "email_verified"},
}


ODD_TIMES = [
    10**30, -(10**30), 10**400, -(10**400), 10**20, 2**63, -1, 253_402_300_800, "1", "", "x", "1e400", "9999999999", "٣", True,
    None, [], {}, [1], {"a": 1}, 1e308, -1e308, float("nan"), float("inf"), float("-inf"),
]  # fmt: skip


@pytest.mark.parametrize("value", ODD_TIMES, ids=lambda value: str(value)[:12])
@pytest.mark.parametrize("claim", ["exp", "iat", "nbf"])
def test_odd_times_are_refused(claim, value):
    with pytest.raises(NotAuthenticated):
        TOKENS.check(signed(**{claim: value}))


@pytest.mark.parametrize(
    "times", [{"exp": NOW + DAY + 0.5}, {"exp": 253_402_300_799}, {"iat": 0}, {"iat": NOW + 0.5, "nbf": NOW}]
)
def test_times_with_a_fraction_and_far_times_are_good(times):
    assert TOKENS.check(signed(**times)).user_id == "u1"


@pytest.mark.parametrize("name", [*CLAIMS, "nbf", "kid"])
@pytest.mark.parametrize("value", [None, 10**30, [], {}, [[]], True, "\ud800", "\0", float("nan")], ids=repr)
def test_odd_values_of_any_claim_are_refused_or_taken(name, value):
    token = jwt.api_jws.encode(json.dumps(CLAIMS | {name: value}).encode(), SECRET, algorithm="HS256")
    with contextlib.suppress(NotAuthenticated):
        TOKENS.check(token).user_id.encode()


@pytest.mark.parametrize(
    "claims", [{"user_id": "u" * 64, "sub": "u" * 64}, {"email": "a" * 242 + "@example.com"}, {"username": "a" * 64}]
)
def test_claims_of_the_greatest_length_are_taken(claims):
    caller = TOKENS.check(signed(**claims))
    assert set(claims.values()) <= {caller.user_id, caller.email, caller.username}


def test_a_deep_token_is_refused():
    head, body = "[" * 1500, b64({})
    for text in (f"{b64_raw(head)}.{body}.x", f"{HEAD}.{b64_raw(head)}.x"):
        with pytest.raises(NotAuthenticated):
            TOKENS.check(text)
    deep = jwt.api_jws.encode(("[" * 2000).encode(), SECRET, algorithm="HS256")
    with pytest.raises(NotAuthenticated):
        TOKENS.check(deep)


def b64_raw(text):
    return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()


@pytest.mark.parametrize("kind", BAD)
def test_bad_tokens_are_refused(kind):
    with pytest.raises(NotAuthenticated):
        TOKENS.check(BAD[kind])


def test_a_good_token_names_its_caller():
    assert TOKENS.check(GOOD) == Caller("u1", "a@example.com", "ann", ("staff",))


@pytest.mark.parametrize("kind", ["jku", "x5u", "kid"])
def test_a_header_that_points_elsewhere_changes_nothing(kind):
    assert TOKENS.check(signed(headers={kind: "../../etc/passwd"})).user_id == "u1"


def test_clocks_may_differ_by_half_a_minute():
    now = int(time.time())
    assert TOKENS.check(signed(exp=now - 25))
    assert TOKENS.check(signed(iat=now + 25))


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer ", f"Basic {GOOD}", GOOD])
def test_only_a_bearer_header_carries_a_token(header):
    with pytest.raises(NotAuthenticated):
        TOKENS.check_header(header)


@pytest.mark.parametrize("header", [None, "", "Basic dTpw", "Digest x", GOOD, "Bearerx y", "basic"])
def test_another_scheme_is_no_token(header):
    assert bearer_token(header) is None
    with pytest.raises(NotAuthenticated) as refused:
        TOKENS.check_header(header)
    assert not isinstance(refused.value, InvalidToken)


@pytest.mark.parametrize(
    "header",
    ["Bearer", "bearer ", f"Bearer {GOOD} {GOOD}", f"Bearer\t{GOOD}", "Bearer é", f"Bearer {GOOD},x", "Bearer x"],
)
def test_a_bearer_header_without_a_good_token_has_a_bad_one(header):
    with pytest.raises(InvalidToken):
        TOKENS.check_header(header)


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "bEaReR"])
@pytest.mark.parametrize("form", ["{} {}", "{}   {}", "  {} {} \t"])
def test_the_scheme_has_no_case_and_any_number_of_spaces_may_follow(scheme, form):
    assert TOKENS.check_header(form.format(scheme, GOOD)).user_id == "u1"


def test_a_role_holds_the_ones_before_it():
    staff = Caller("u1", "a@example.com", "ann", ("staff",))
    assert staff.has_role("viewer")
    staff.require("staff")
    with pytest.raises(NotAllowed):
        staff.require("admin")


def test_a_token_says_whether_the_address_is_verified():
    verified = TOKENS.mint(user_id="u1", email="a@example.com", username="ann", roles=[], email_verified=True)
    assert TOKENS.check(verified).email_verified is True
    assert TOKENS.check(GOOD).email_verified is False
    assert TOKENS.check(signed(drop=["email_verified"])).email_verified is False
