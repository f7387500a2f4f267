"""Who may call what: one row for every operation in the four OpenAPI documents. A route without a row fails the tests."""

from __future__ import annotations

from typing import NamedTuple

ROLES = ("viewer", "staff", "admin")


class Rule(NamedTuple):
    """`least`: who has to call. `last`: the call ends the caller's account or logins, so it is made by somebody new."""

    least: str  # anyone, token or a role
    last: bool = False

    def allows(self, actor: str) -> bool:
        """Whether this actor passes the check of roles. The use case may still refuse."""
        if self.least == "anyone":
            return True
        if actor == "nobody":
            return False
        return self.least == "token" or (actor in ROLES and ROLES.index(actor) >= ROLES.index(self.least))


ANYONE, TOKEN, VIEWER, STAFF, ADMIN = map(Rule, ("anyone", "token", "viewer", "staff", "admin"))
END = Rule("token", last=True)

RULES = {
    ("user", "POST", "/register"): ANYONE,
    ("user", "POST", "/login"): ANYONE,
    ("user", "POST", "/token/refresh"): ANYONE,
    ("user", "POST", "/logout"): ANYONE,
    ("user", "POST", "/password-reset"): ANYONE,
    ("user", "POST", "/password-reset/confirm"): ANYONE,
    ("user", "POST", "/verify-email"): ANYONE,
    ("user", "GET", "/users/me"): TOKEN,
    ("user", "PATCH", "/users/me"): TOKEN,
    ("user", "POST", "/users/me/delete"): TOKEN,
    ("user", "POST", "/users/me/verify-email"): TOKEN,
    ("user", "GET", "/users/me/export"): TOKEN,
    ("user", "POST", "/users/me/password"): TOKEN,
    ("user", "GET", "/users/me/sessions"): TOKEN,
    ("user", "DELETE", "/users/me/sessions"): END,
    ("user", "DELETE", "/users/me/sessions/{sid}"): TOKEN,
    ("user", "POST", "/users/me/totp"): TOKEN,
    ("user", "POST", "/users/me/totp/confirm"): TOKEN,
    ("user", "POST", "/users/me/totp/remove"): TOKEN,
    ("user", "GET", "/users"): VIEWER,
    ("user", "GET", "/users/{user_id}"): VIEWER,
    ("user", "GET", "/users/{user_id}/changes"): VIEWER,
    ("user", "PATCH", "/users/{user_id}"): STAFF,
    ("user", "DELETE", "/users/{user_id}"): ADMIN,
    ("user", "POST", "/users/{user_id}/totp/approval"): ADMIN,
    ("user", "DELETE", "/users/{user_id}/totp"): ADMIN,
    ("product", "GET", "/products"): ANYONE,
    ("product", "GET", "/products/offers"): ANYONE,
    ("product", "GET", "/products/{product_id}"): ANYONE,
    ("product", "POST", "/products"): STAFF,
    ("product", "PUT", "/products/{product_id}"): STAFF,
    ("product", "PATCH", "/products/{product_id}"): STAFF,
    ("product", "DELETE", "/products/{product_id}"): STAFF,
    ("product", "POST", "/products/{product_id}/stock"): STAFF,
    ("product", "GET", "/products/{product_id}/changes"): VIEWER,
    ("product", "GET", "/reservations"): VIEWER,
    ("order", "GET", "/orders"): TOKEN,
    ("order", "POST", "/orders"): TOKEN,
    ("order", "GET", "/orders/changes"): VIEWER,
    ("order", "GET", "/orders/{order_id}"): TOKEN,
    ("order", "POST", "/orders/{order_id}/cancel"): TOKEN,
    ("order", "PUT", "/orders/{order_id}/status"): STAFF,
    ("notification", "GET", "/emails"): VIEWER,
    ("notification", "GET", "/emails/{kind}"): VIEWER,
    ("notification", "POST", "/test-email"): STAFF,
}

READS_A_TOKEN = {("product", "GET", "/products"), ("product", "GET", "/products/{product_id}")}
"""Open to anyone, but a token that is sent has to be a good one: staff see more."""


def checks_tokens(operation: tuple[str, str, str]) -> bool:
    """Whether a bad token is refused there."""
    return operation in READS_A_TOKEN or RULES[operation].least != "anyone"
