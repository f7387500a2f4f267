"""Accounts: registration, logins and sessions, management of accounts.

Owns: users, sessions, tokens of mail links (MongoDB). Publishes: user-registered, user-updated, user-deleted, user-mail-requested,
user-notice-requested, user-revocations. Consumes: user-link-requested, user-resend-requested.
Continue with `__main__.py` (commands), `api/app.py` (wiring) and `use_cases/` (all changes, one module each).
"""

__version__ = "0.1.0"
