"""Mails to customers: a welcome, and every step of an order.

Owns: nothing. Publishes: nothing. Consumes: user-registered, order-*.
Read on in app.py (wiring), handlers.py (which event is mailed how), mails.py (what the mails say), mailer.py (how they are sent).
"""

__version__ = "0.1.0"
