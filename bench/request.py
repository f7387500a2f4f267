"""One request that a load repeats."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

ACCOUNTS = 50
"""Customers who log in in turn. Logins of one account at the same time would wait for each other."""


def registrations(accounts: Mapping[str, str]) -> list[dict[str, str]]:
    """The bodies that register the customers of `accounts`: credentials with `~` in the address."""
    emails = [accounts["email"].replace("~", str(number)) for number in range(ACCOUNTS)]
    return [{**accounts, "email": email, "username": email.partition("@")[0]} for email in emails]


@dataclass(frozen=True)
class Request:
    """`body` is sent as JSON. In it `#` becomes a text that no other request has, and `~` the number of an account, in turn."""

    url: str
    method: str = "GET"
    token: str = ""
    body: object = None

    def environment(self) -> dict[str, str]:
        """The variables that request.lua and open_loop.py read: a token has no place in a command line."""
        found = {"BENCH_METHOD": self.method, "BENCH_ACCOUNTS": str(ACCOUNTS)}
        if self.token:
            found["BENCH_TOKEN"] = self.token
        if self.body is not None:
            found["BENCH_BODY"] = json.dumps(self.body)
        return found

    def numbered(self, number: int, unique: str) -> str:
        """The body of one request, the `number`-th."""
        text = json.dumps(self.body)
        return text.replace("#", unique).replace("~", str(number % ACCOUNTS))
