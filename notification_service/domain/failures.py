"""Outcomes of sending a mail that are no outcome of handling an event."""


class InDoubt(Exception):
    """The SMTP server may have the mail: its final dot was sent, and no answer came. The text holds no address."""


class Fenced(Exception):
    """The final dot was not sent, because another process may send the mail."""


class NotKnownYet(Exception):
    """The ledger is not read far enough to know whether the mail was sent."""
