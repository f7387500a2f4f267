"""Outcomes of sending a mail that are no outcome of handling an event."""


class InDoubt(Exception):
    """The SMTP server may have the mail: its final dot was sent, and no answer came. The text holds no address."""
