"""The consumer in its threads, and the watchdog that ends the process when that thread dies or hangs.

gunicorn starts another worker then: the service is never healthy to look at and deaf to events.
"""

import os
import threading
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from libs.messaging.consumer import EventConsumer
from libs.messaging.handler_pool import Handler
from libs.messaging.topics import create_topics_patiently
from libs.runtime.health import CheckFailed
from libs.runtime.logs import get_logger
from libs.runtime.worker import EX_SOFTWARE, JOIN_SECONDS, SupervisedThread
from notification_service.events.consumed import UserMailRequested
from notification_service.events.topics import GROUP, topics
from notification_service.store.accounts import AccountView
from notification_service.store.mail_ledger import Ledger

log = get_logger(__name__)

SECRET = (UserMailRequested.topic,)  # no dead letter keeps its tokens
WATCH_SECONDS = 1.0


class Listener:
    """Consumes in the background between `start` and `stop`."""

    def __init__(
        self,
        brokers: str,
        handlers: Mapping[str, Handler],
        ledger: Ledger,
        accounts: AccountView,
        lanes: int,
        end: Callable[[int], Any] = os._exit,
    ) -> None:
        """`lanes`: mails that are sent at once. `end` ends the process with a status, at once: nothing can be relied on in a
        process whose consumer hangs."""
        self._brokers, self._handlers, self._ledger, self._lanes, self._end = brokers, handlers, ledger, lanes, end
        self._accounts, self._threads = accounts, list[SupervisedThread]()
        self._stopping, self._stopped = threading.Event(), threading.Event()

    def start(self) -> None:
        """Start consuming. Call it after the fork: a Kafka client does not survive one."""
        consumer = EventConsumer(
            self._brokers, GROUP, self._handlers, threads=self._lanes, on_assigned=self._prepare, secret=SECRET
        )
        prepare = partial(create_topics_patiently, self._brokers, topics())
        self._threads = [SupervisedThread(part, self._stopping, prepare) for part in (consumer, self._accounts)]
        for thread in self._threads:
            thread.start()
        threading.Thread(target=self._watch, name="watchdog", daemon=True).start()

    def stop(self) -> None:
        """Finish the events in hand, commit, and leave the group; 20 s at most. The watchdog watches until that is done."""
        self._stopping.set()
        for thread in self._threads:
            thread.join(JOIN_SECONDS)
        self._stopped.set()
        self._ledger.close()

    def check(self) -> dict[str, Any]:
        """A health check: the consumer's state. Raises Down without partitions or broker."""
        if not self._threads:
            raise CheckFailed("not consuming yet")
        state, accounts = (thread.task.status() for thread in self._threads)
        parts = {GROUP: state, self._accounts.name: accounts}
        if not state["broker"]:
            raise CheckFailed("no Kafka broker answers", parts=parts)
        if not state["assigned"]:
            raise CheckFailed("no partitions are assigned yet", parts=parts)
        if not accounts["complete"]:
            raise CheckFailed("what happened to accounts is not read to its end yet", parts=parts)
        return {"parts": parts}

    def _prepare(self, partitions: set[int]) -> None:
        self._accounts.await_complete()
        self._ledger.load(partitions)

    def _watch(self) -> None:
        while not self._stopped.wait(WATCH_SECONDS):
            problems = {thread.name: thread.problem() for thread in self._threads}
            if any(p == "hangs" or (p and not self._stopping.is_set()) for p in problems.values()):
                log.critical("the process ends: its consumer is lost", problems=problems)
                self._end(EX_SOFTWARE)
                return
