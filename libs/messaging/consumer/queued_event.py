"""An event that a batch thread has: from its fetch until its offset is stored."""

from dataclasses import dataclass

from confluent_kafka import Message

from libs.messaging.envelope import Event, parse


@dataclass(eq=False, slots=True)
class QueuedEvent:
    """`outcome`: None while it is open, "" when it was handled, else the reason of its dead letter.

    Once it is done, only its offset is kept: it may have to wait for an open event before it.
    """

    topic: str
    partition: int
    offset: int
    key: bytes
    size: int
    message: Message | None
    event: Event | None = None
    outcome: str | None = None
    attempts: int = 0  # that count: not those that a server which was unavailable ended
    tries: int = 0  # all of them
    retries: int = 0
    limits: int = 0  # how often it met a time limit alone, in a row
    done: bool = False
    active: bool = False
    dropped: bool = False  # the partition was revoked, or the consumer stops
    open: bool = True  # counted as open

    @classmethod
    def of(cls, message: Message) -> "QueuedEvent":
        """From a message as it was fetched."""
        key = message.key() or b""
        size = len(key) + len(message.value() or b"")
        return cls(str(message.topic()), message.partition() or 0, message.offset() or 0, key, size, message)

    @property
    def timestamp(self) -> int | None:
        """The time of its message, in ms since the epoch; None once it is done."""
        message = self.message  # another thread may end it
        return None if message is None else int(message.timestamp()[1])

    def read(self) -> Event:
        """The event. Raises MalformedEvent."""
        if self.event is None:
            assert self.message is not None
            self.event = parse(self.message)
        return self.event

    def finish(self, outcome: str) -> None:
        """It is done: its memory is freed."""
        self.outcome, self.message, self.event, self.done = outcome, None, None, True
