"""Accounts: registration, login and sessions, account management.

Owns: users, sessions, tokens of mails (MongoDB). Publishes: user-registered, user-updated, user-deleted, user-mail-requested,
user-revocations. Consumes: nothing.
Read on in app.py (wiring), api/ (what it answers), use_cases.py (what happens to accounts), sessions.py, mailed.py.
"""

__version__ = "0.1.0"
