"""The consumer in threads of the web process, and the watchdog that ends the process when one of them dies or hangs.

gunicorn then starts another worker process. So the service never answers requests while it consumes nothing.
"""

import os
import threading
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from libs.messaging.brokers import Brokers
from libs.messaging.consumer import EventConsumer
from libs.messaging.handler_pool import Handler
from libs.messaging.topics import create_topics_patiently
from libs.runtime.health import CheckFailed
from libs.runtime.logs import get_logger
from libs.runtime.worker import EX_SOFTWARE, JOIN_SECONDS, SupervisedThread
from notification_service.events.topics import GROUP, SECRET_TOPICS, topics
from notification_service.store.accounts import AccountView
from notification_service.store.mail_ledger import MailLedger
from notification_service.store.parked_mails import ParkedMails
from notification_service.worker.parked_mails import ParkedMailSender

log = get_logger(__name__)

WATCH_SECONDS = 1.0


class BackgroundConsumer:
    """Consumes between `start` and `stop`."""

    def __init__(
        self,
        brokers: Brokers,
        handlers: Mapping[str, Handler],
        *,
        ledger: MailLedger,
        accounts: AccountView,
        parked: ParkedMails,
        sender: ParkedMailSender,
        threads: int,
        end: Callable[[int], Any] = os._exit,
    ) -> None:
        """`threads`: how many mails are sent at once. `end` ends the process at once with a status: a process whose consumer
        hangs may not be able to end in order."""
        self._brokers, self._handlers, self._concurrency, self._end = brokers, handlers, threads, end
        self._ledger, self._accounts, self._parked, self._sender = ledger, accounts, parked, sender
        self._threads = list[SupervisedThread]()
        self._stopping, self._stopped = threading.Event(), threading.Event()

    def start(self) -> None:
        """Start consuming. Call it after the fork, because a Kafka client does not survive one."""
        consumer = EventConsumer(
            self._brokers,
            GROUP,
            self._handlers,
            threads=self._concurrency,
            on_assigned=self._prepare,
            on_revoked=self._sender.release,
            secret=SECRET_TOPICS,
        )
        self._sender.owns = consumer.owns
        prepare = partial(create_topics_patiently, self._brokers, topics())
        tasks = (consumer, self._accounts, self._parked, self._sender)
        self._threads = [SupervisedThread(task, self._stopping, prepare) for task in tasks]
        for thread in self._threads:
            thread.start()
        threading.Thread(target=self._watch, name="watchdog", daemon=True).start()

    def stop(self) -> None:
        """Finish the events in flight, commit, and leave the group, within 20 s. The watchdog runs until that is done."""
        self._stopping.set()
        end = time.monotonic() + JOIN_SECONDS
        for thread in self._threads:
            thread.join(max(0, end - time.monotonic()))
        self._stopped.set()
        self._ledger.close()
        self._parked.close()
        self._sender.close()

    def check(self) -> dict[str, object]:
        """A health check: the state of the consumer and of the account view.

        Raises CheckFailed without a broker, without partitions, and until the account topics are read.
        """
        if not self._threads:
            raise CheckFailed("not consuming yet")
        parts = self.parts()
        state, accounts = parts[GROUP], parts[self._accounts.name]
        if not state["broker"]:
            raise CheckFailed("no Kafka broker answers", parts=parts)
        if not state["assigned"]:
            raise CheckFailed("no partitions are assigned yet", parts=parts)
        if not accounts["complete"]:
            raise CheckFailed("the account topics are not read to their ends yet", parts=parts)
        return {"parts": parts}

    def parts(self) -> dict[str, Mapping[str, object]]:
        """The status of each task, by name."""
        return {thread.task.name: thread.task.status() for thread in self._threads}

    def _prepare(self, partitions: set[int]) -> None:
        self._accounts.await_complete()
        self._parked.await_current()
        self._ledger.load(partitions)

    def _watch(self) -> None:
        while not self._stopped.wait(WATCH_SECONDS):
            problems = {thread.name: thread.problem() for thread in self._threads}
            if any(p == "hangs" or (p and not self._stopping.is_set()) for p in problems.values()):
                log.critical("consumer thread lost, process ends", problems=problems)
                self._end(EX_SOFTWARE)
                return
