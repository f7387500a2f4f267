"""Orders: placing, cancelling, fulfilling, and the shop's desk for them.

Owns: orders, their lines and changes, the addresses of the accounts that order, a replica of the catalogue (MySQL). Publishes:
order-*, mail-resend-requested, user-resend-requested, stock-release-requested.
Consumes: product-*, stock-*, user-deleted, user-updated, user-revocations, mail-sent.
Three Django apps: store, api.browsable and desk. Continue with settings.py and api/app.py (wiring), urls.py (routes) and use_cases/
(all changes, one module each).
"""

__version__ = "0.1.0"
