"""What a handler raises. Transient and permanent failures are named as in RFC 3463."""


class ServerUnavailable(Exception):
    """A server that the handler needs does not answer. The text names it."""


class TransientFailure(Exception):
    """This event fails now and may succeed later (a conflict, a limit). The text holds no value of the event."""


class PermanentFailure(Exception):
    """The event can never be handled, by a rule of the handler. The text holds no value of the event."""
