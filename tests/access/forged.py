"""Tokens that every service must refuse, made from a valid one, and some with the right key."""

from __future__ import annotations

import base64
import json
import time
from typing import Any

import jwt

OTHER_KEY = "another-key-that-is-long-enough-for-sha-512-another-key-that-is-long-enough"
REQUIRED = ("exp", "iat", "sub", "iss", "aud", "jti", "user_id", "email", "username", "roles", "token_type")


def b64(value: Any) -> str:
    """As a part of a token."""
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def forge(good: str, key: str) -> dict[str, str]:
    """Bad tokens by what is wrong with them. `good` was signed with `key`."""
    head, body, signature = good.split(".")
    claims = jwt.decode(good, options={"verify_signature": False})
    now = int(time.time())

    def sign(drop: str = "", with_key: str = key, algorithm: str = "HS256", headers: Any = None, **changes: Any) -> str:
        changed = {name: value for name, value in (claims | changes).items() if name != drop}
        return jwt.encode(changed, with_key, algorithm, headers)

    def unsigned(algorithm: Any) -> str:
        return f"{b64({'alg': algorithm, 'typ': 'JWT'})}.{body}."

    king = b64(claims | {"roles": ["admin"]})
    return {
        "a word": "x",
        "three words": "a.b.c",
        "two parts": f"{head}.{body}",
        "four parts": f"{good}.x",
        "no signature": f"{head}.{body}.",
        "a cut signature": good[:-4],
        "another signature": f"{head}.{body}.{b64(bytes(32))}",
        "another body": f"{head}.{king}.{signature}",
        "an empty body": f"{head}..{signature}",
        "a body that is no object": jwt.api_jws.encode(b"[]", key, "HS256"),
        "a nested header": f"{b64(b'[' * 2000)}.{body}.{signature}",
        "alg none": unsigned("none"),
        "alg NoNe": unsigned("NoNe"),
        "alg NONE with roles": f"{b64({'alg': 'NONE'})}.{king}.",
        "alg null": unsigned(None),
        "alg empty": unsigned(""),
        "alg RS256": f"{b64({'alg': 'RS256', 'typ': 'JWT'})}.{body}.{signature}",
        "no alg": f"{b64({'typ': 'JWT'})}.{body}.{signature}",
        "HS384 with the right key": sign(algorithm="HS384"),
        "HS512 with the right key": sign(algorithm="HS512"),
        "another key": sign(with_key=OTHER_KEY),
        "another key and its jwk": sign(
            with_key=OTHER_KEY, headers={"jwk": {"kty": "oct", "k": b64(OTHER_KEY.encode())}}
        ),
        "another key and its jku": sign(with_key=OTHER_KEY, headers={"jku": "http://127.0.0.1:1/keys"}),
        "another key and its x5u": sign(with_key=OTHER_KEY, headers={"x5u": "http://127.0.0.1:1/keys"}),
        "an empty file for a key": sign(with_key=" " * 32, headers={"kid": "../../../dev/null"}),
        "a kid of SQL": sign(with_key=OTHER_KEY, headers={"kid": "x' UNION SELECT 'key"}),
        "an unknown crit": sign(headers={"crit": ["x"], "x": 1}),
        "expired": sign(exp=now - 31),
        "expired long ago": sign(exp=1),
        "no time for exp": sign(exp="soon"),
        "issued in the future": sign(iat=now + 3600),
        "no time for iat": sign(iat="now"),
        "not valid yet": sign(nbf=now + 3600),
        "another issuer": sign(iss="elsewhere"),
        "another audience": sign(aud="elsewhere"),
        "a list of other audiences": sign(aud=["elsewhere", "nowhere"]),
        "a refresh token's type": sign(token_type="refresh"),
        "another subject": sign(sub="1" * 24),
        "a number for a subject": sign(sub=7, user_id=7),
        "an operator for a user": sign(user_id={"$gt": ""}),
        "an operator for a session": sign(sid={"$ne": None}),
        "an empty e-mail": sign(email=""),
        "an unknown role": sign(roles=["root"]),
        "a role in a word": sign(roles="admin"),
        "nested roles": sign(roles=[["admin"]]),
        "6 KB": sign(pad="x" * 4500),
        **{f"no {name}": sign(drop=name) for name in REQUIRED},
    }
