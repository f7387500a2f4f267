"""Accounts: registration, login, account management.

Owns: users (MongoDB). Publishes: user-registered, user-updated, user-deleted. Consumes: nothing.
Read on in app.py (wiring), api/routes.py (what it answers), use_cases.py (what happens).
"""

__version__ = "0.1.0"
