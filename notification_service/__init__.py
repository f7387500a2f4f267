"""Mails to customers: a welcome, links for passwords and addresses, and every step of an order.

Owns: no database; topic mail-sent is its ledger of sent mails, and topic mail-parked has the mails that wait for a later try.
Publishes: mail-sent, user-link-requested. Consumes: user-registered, user-mail-requested, user-notice-requested, order-*,
mail-resend-requested, user-deleted, user-revocations.
Start with worker/handlers.py, which maps events to mails. Continue with use_cases/send_mail.py, then with the rooms it uses:
rendering/ composes a mail, smtp/ sends it, store/mail_ledger.py records it. use_cases/park_mail.py decides what
becomes of a mail that was not sent. api/app.py wires the process.
"""

__version__ = "0.1.0"
