"""What signing in costs, and what guessing does not bring: the figures of docs and SECURITY.md on accounts."""

from __future__ import annotations

import secrets
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from pydantic import SecretStr

from bench import goals
from bench.percentiles import percentile
from bench.report import Row
from deploy.local.errors import LocalError
from deploy.local.probe import call
from libs.access.revocations import Revocation, Revocations
from libs.access.tokens import AccessTokens
from libs.values.times import now_ms
from tests.shop import Shop

CHECKS = 5000
REVOKED = 1000
ACCOUNTS, TRIES = 40, 5  # so many that no limit is reached: 200 tries
STORM, STORM_A_SECOND = 1000, 50
Answer = tuple[int, float]
"""Status and milliseconds."""


def measure(shop: Shop) -> list[Row]:
    """All rows. They need a shop whose registrations are not limited, as that of `make env`."""
    port = int(shop.env["USER_SERVICE_PORT"])
    emails = [_register(port) for _ in range(ACCOUNTS)]
    return [*_token_checks(), *_timing(port, emails), *_storm(port, emails[0])]


def _register(port: int) -> str:
    name = f"bench.{secrets.token_hex(6)}"
    body = {"username": name, "email": f"{name}@example.com", "password": secrets.token_urlsafe(12)}
    answer = call(port, "POST", "/register", body)
    if answer.status != 201:
        raise LocalError(f"POST /register answers {answer.status}")
    return body["email"]


def _token_checks() -> list[Row]:
    """Signature, claims and the look at the revocations of an hour, in this process; then the same tokens again."""
    known = Revocations()
    known.add(Revocation(secrets.token_hex(12), None, now_ms()) for _ in range(REVOKED))
    tokens = AccessTokens(SecretStr(secrets.token_urlsafe(48)), "microshop", "microshop", revocations=known)
    minted = [
        tokens.mint(user_id=secrets.token_hex(12), email="ada@example.com", username="ada", roles=["staff"], sid="x")
        for _ in range(CHECKS)
    ]
    return [
        Row("token check, first", _time_checks(tokens, minted), "µs", 300, at_most=True),
        Row("token check, known", _time_checks(tokens, minted), "µs", 30, at_most=True),
    ]


def _time_checks(tokens: AccessTokens, minted: list[str]) -> float:
    began = time.perf_counter()
    for token in minted:
        tokens.check(token)
    return (time.perf_counter() - began) / len(minted) * 1e6


def _timing(port: int, emails: list[str]) -> list[Row]:
    """By how much the median answer for a known address differs from that for an unknown one."""
    return [
        _difference(goals.LOGIN_TIMING, emails, lambda email: _wrong_login(port, email), 401),
        _difference(goals.RESET_TIMING, emails, lambda email: _reset(port, email), 202),
    ]


def _difference(what: str, emails: list[str], ask: Callable[[str], Answer], status: int) -> Row:
    known: list[float] = []
    unknown: list[float] = []
    for email in emails:
        for _ in range(TRIES):
            for times, asked in ((known, email), (unknown, f"nobody.{email}")):
                answered, milliseconds = ask(asked)
                if answered != status:
                    raise LocalError(f"{what}: {answered} where {status} was expected")
                times.append(milliseconds)
    medians = statistics.median(known), statistics.median(unknown)
    note = f"medians of {len(known)}: {medians[0]:.1f} and {medians[1]:.1f} ms"
    return goals.row(what, abs(medians[0] - medians[1]), note=note)


def _storm(port: int, email: str) -> list[Row]:
    """Wrong logins for one account from one address, faster than any person."""
    email = f"storm.{email}"
    began = time.monotonic()

    def guess(number: int) -> Answer:
        time.sleep(max(0.0, began + number / STORM_A_SECOND - time.monotonic()))
        return _wrong_login(port, email)

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(guess, range(STORM)))
    looked_at = sum(status == 401 for status, _ in answers)
    refused = [milliseconds for status, milliseconds in answers if status == 429]
    if looked_at + len(refused) != STORM:
        raise LocalError(f"wrong logins are answered {sorted({status for status, _ in answers})}")
    note = f"of {STORM:,} wrong ones in {STORM / STORM_A_SECOND:.0f} s"
    return [
        Row("logins that reach the password hash", looked_at, "", 5, at_most=True, note=note),
        Row("the others, p99", percentile(refused, 99), "ms", 20, at_most=True),
    ]


def _wrong_login(port: int, email: str) -> Answer:
    return _timed(port, "/login", {"email": email, "password": "wrong-password"})


def _reset(port: int, email: str) -> Answer:
    return _timed(port, "/password-reset", {"email": email})


def _timed(port: int, path: str, body: object) -> Answer:
    began = time.perf_counter()
    answer = call(port, "POST", path, body)
    return answer.status, (time.perf_counter() - began) * 1000
