"""The consumer in its threads, and the watchdog that ends the process when that thread dies or hangs.

gunicorn starts another worker then: the service is never healthy to look at and deaf to events.
"""

import os
import threading
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from chassis.health import Down
from chassis.logs import get_logger
from contracts import topic_settings
from messaging.consumer import EventConsumer, Handler
from messaging.kafka import create_topics_patiently, dead_letter_settings
from messaging.worker import EX_SOFTWARE, JOIN_SECONDS, Watched
from notification_service.events import MailSent
from notification_service.handlers import HANDLERS
from notification_service.ledger import Ledger

log = get_logger(__name__)

GROUP = "notification-service"
WATCH_SECONDS = 1.0


def topics() -> dict[str, dict[str, Any]]:
    """The topics this service needs, with their settings."""
    consumed = topic_settings(*HANDLERS)
    return consumed | topic_settings(MailSent.topic) | dead_letter_settings(consumed, GROUP)


class Listener:
    """Consumes in the background between `start` and `stop`."""

    def __init__(
        self,
        brokers: str,
        handlers: Mapping[str, Handler],
        ledger: Ledger,
        lanes: int,
        end: Callable[[int], Any] = os._exit,
    ) -> None:
        """`lanes`: mails that are sent at once. `end` ends the process with a status, at once: nothing can be relied on in a
        process whose consumer hangs."""
        self._brokers, self._handlers, self._ledger, self._lanes, self._end = brokers, handlers, ledger, lanes, end
        self._thread: Watched | None = None
        self._stopping, self._stopped = threading.Event(), threading.Event()

    def start(self) -> None:
        """Start consuming. Call it after the fork: a Kafka client does not survive one."""
        consumer = EventConsumer(self._brokers, GROUP, self._handlers, lanes=self._lanes, on_assigned=self._ledger.load)
        self._thread = Watched(consumer, self._stopping, partial(create_topics_patiently, self._brokers, topics()))
        self._thread.start()
        threading.Thread(target=self._watch, args=[self._thread], name="watchdog", daemon=True).start()

    def stop(self) -> None:
        """Finish the events in hand, commit, and leave the group; 20 s at most. The watchdog watches until that is done."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(JOIN_SECONDS)
        self._stopped.set()
        self._ledger.close()

    def check(self) -> dict[str, Any]:
        """A health check: the consumer's state. Raises Down without partitions or broker."""
        if self._thread is None:
            raise Down("not consuming yet")
        state = self._thread.part.state()
        parts = {GROUP: state}
        if not state["broker"]:
            raise Down("no Kafka broker answers", parts=parts)
        if not state["assigned"]:
            raise Down("no partitions are assigned yet", parts=parts)
        return {"parts": parts}

    def _watch(self, thread: Watched) -> None:
        while not self._stopped.wait(WATCH_SECONDS):
            problem = thread.problem()
            if problem == "hangs" or (problem and not self._stopping.is_set()):
                log.critical("the process ends: its consumer is lost", problem=problem)
                self._end(EX_SOFTWARE)
                return
