"""Small servers in place of the other services: what they were asked, and answers like theirs."""

import secrets

from libs.tests.integration.http_server import serving

__all__ = ["PASSWORD", "Accounts", "Mails", "Products", "problem", "serving", "sign_in"]

PASSWORD = "Correct-horse-battery"


def problem(status, code, title, **more):
    return status, {"status": status, "code": code, "title": title, **more}


UNKNOWN_TOKEN = problem(401, "not-authenticated", "A valid access token is required")


class Accounts:
    """user_service: accounts, logins and refresh tokens that work once."""

    def __init__(self, tokens):
        self.tokens, self.asked, self.accounts = tokens, [], {}
        self.valid, self.refresh_tokens = set(), {}  # access tokens; refresh token → the account's address
        self.before_renewing = lambda: None

    def add(self, *roles, totp=False, sid=None):
        user_id = secrets.token_hex(12)
        email = f"u{user_id[:10]}@example.com"
        account = {"user_id": user_id, "roles": roles, "totp": totp, "sid": sid or secrets.token_hex(8), "active": True}
        self.accounts[email] = account
        return email

    def public(self, email):
        """An account as GET /users/{id} shows it."""
        account = self.accounts[email]
        told = {"id": account["user_id"], "username": email.partition("@")[0], "email": email, "emailVerified": True}
        times = dict.fromkeys(("createdAt", "updatedAt"), "2026-11-01T10:00:00.000Z")
        return told | times | {"roles": list(account["roles"]), "active": account["active"]}

    def tokens_for(self, email):
        account = self.accounts[email]
        names = {"email": email, "username": email.partition("@")[0]}
        access = self.tokens.mint(user_id=account["user_id"], roles=account["roles"], sid=account["sid"], **names)
        refresh = f"refresh-of-{account['user_id']}-{secrets.token_hex(8)}"
        self.valid.add(access)
        self.refresh_tokens[refresh] = email
        return 200, {"token": access, "expiresIn": 900, "refresh": refresh}

    def __call__(self, asked):
        self.asked.append(asked)
        match asked.method, asked.path:
            case _, "/logout":
                return 204, None
            case _, "/login":
                return self._log_in(asked.body)
            case _, "/token/refresh":
                self.before_renewing()
                email = self.refresh_tokens.pop(asked.body["refresh"], None)
                return self.tokens_for(email) if email else problem(401, "session-ended", "This session has ended")
            case "GET", "/health":
                return 200, {"status": "ok", "service": "user_service", "checks": {}}
        if asked.token not in self.valid:
            return UNKNOWN_TOKEN
        return self._users(asked)

    def _log_in(self, body):
        account = self.accounts.get(body["email"])
        if not account or body["password"] != PASSWORD:
            return 401, {"code": "wrong-credentials"}
        if account["totp"] and body.get("code") != "123456":
            return 401, {"code": "wrong-credentials" if body.get("code") else "code-required"}
        return self.tokens_for(body["email"])

    def _users(self, asked):
        if asked.path == "/users":
            rows = [self.public(email) for email in self.accounts if email.startswith(asked.query.get("search", ""))]
            return 200, {"next": None, "previous": None, "results": rows}
        user_id = asked.path.removeprefix("/users/")
        email = next((email for email, account in self.accounts.items() if account["user_id"] == user_id), None)
        if not email:
            return problem(404, "unknown-user", "There is no such user")
        if asked.method == "PATCH" and self.accounts[email]["roles"]:
            return problem(403, "not-allowed", "Your account may not do this")
        self.accounts[email] |= asked.body
        return 200, self.public(email)

    def renewals(self):
        return sum(asked.path == "/token/refresh" for asked in self.asked)


class Products:
    """product_service: what it sells, for those whose tokens user_service gave."""

    def __init__(self, accounts):
        self.accounts, self.asked, self.products = accounts, [], {}
        self.refuse = None  # the answer to everything, when set
        self.before_refusing = lambda: None

    def add(self, name="Brass lamp", stock=100, **more):
        product_id = secrets.token_hex(12)
        fixed = {"sku": None, "category": None, "description": "", "price": "19.90", "currency": "USD", "version": 1}
        times = dict.fromkeys(("createdAt", "updatedAt"), "2026-11-01T10:00:00.000Z")
        product = {"id": product_id, "name": name, "stock": stock, "active": True, **fixed, **times, **more}
        self.products[product_id] = product
        return product

    def __call__(self, asked):
        self.asked.append(asked)
        if self.refuse:
            return self.refuse
        if asked.token not in self.accounts.valid:
            self.before_refusing()
            return UNKNOWN_TOKEN
        if asked.path == "/products":
            link = "http://10.0.0.1:8000/products?cursor=the-next"
            return 200, {"next": link, "previous": None, "results": list(self.products.values())}
        product = self.products.get(asked.path.split("/")[2])
        if not product:
            return problem(404, "unknown-product", "There is no such product")
        if asked.method == "POST":
            if product["stock"] + asked.body["delta"] < 0:
                return problem(409, "stock-out-of-range", "The stock would leave its range")
            product["stock"] += asked.body["delta"]
        return 200, product


class Mails:
    """notification_service: its mails with sample data."""

    KINDS = ("user-registered", "order-placed")

    def __init__(self, accounts):
        self.accounts, self.asked = accounts, []

    def mail(self, kind, query):
        text = f"Text of {kind}, {query.get('sample')}"
        html = f"<p style='color: red'>{kind}, {query.get('sample')}, {query.get('scheme')}</p>"
        return {"kind": kind, "subject": f"Subject <of> {kind}", "html": html, "text": text}

    def __call__(self, asked):
        self.asked.append(asked)
        if asked.token not in self.accounts.valid:
            return UNKNOWN_TOKEN
        if asked.path == "/emails":
            return 200, {"next": None, "previous": None, "results": [self.mail(k, asked.query) for k in self.KINDS]}
        kind = asked.path.removeprefix("/emails/")
        return (200, self.mail(kind, asked.query)) if kind in self.KINDS else problem(404, "unknown-mail", "Unknown")


def sign_in(browser, email, password=PASSWORD, code="", path="/admin/login/", **more):
    return browser.post(path, {"username": email, "password": password, "code": code}, **more)
