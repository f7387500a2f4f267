"""Mails to customers: a welcome, links for password and address, and every step of an order.

Owns: nothing. Publishes: mail-sent, its memory. Consumes: user-registered,
user-mail-requested, order-*, mail-resend-requested, and in memory user-deleted, user-revocations.
Read on in app.py (wiring), handlers.py (which event is mailed how), mails.py (what the mails say), mailer.py (how they are sent),
ledger.py (why each is sent once).
"""

__version__ = "0.1.0"
