"""What a handler raises: the server is unavailable, the event fails for now, the event fails for good."""


class ServerUnavailable(Exception):
    """A server that the handler needs does not answer. The text says which, in words."""


class TransientFailure(Exception):
    """Not this event, not now (a full mailbox, a conflict). The text holds no value of the event."""


class PermanentFailure(Exception):
    """The event can never be handled, by a rule of the handler. The text holds no value of the event."""
