"""Mails to customers: a welcome, links for passwords and addresses, and every step of an order.

Owns: no database; topic mail-sent is its ledger of sent mails. Publishes: mail-sent. Consumes: user-registered,
user-mail-requested, order-*, mail-resend-requested, user-deleted, user-revocations.
Read on in worker/handlers.py (which mail an event asks for), use_cases/send_mail.py (how it is sent once),
domain/mail_kinds.py (the texts), smtp/mailer.py (the SMTP server), store/mail_ledger.py (the ledger), api/app.py (wiring).
"""

__version__ = "0.1.0"
