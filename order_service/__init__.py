"""Orders: placing, cancelling, fulfilling, and the shop's desk for them.

Owns: orders, their lines and changes, a replica of the catalogue (MySQL). Publishes: order-*,
mail-resend-requested. Consumes: product-*, stock-*, user-deleted, user-revocations, mail-sent.
A Django project of one app. Read on in app.py and settings.py (wiring), urls.py (what it answers), use_cases.py (what happens).
"""

__version__ = "0.1.0"
