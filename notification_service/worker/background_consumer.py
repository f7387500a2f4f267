"""The consumer in threads of the web process, and the watchdog that ends the process when one of them dies or hangs.

gunicorn then starts another worker process. So the service never answers requests while it consumes nothing.
"""

import math
import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from libs.messaging.kafka.brokers import Brokers
from libs.messaging.kafka.topics import create_topics_patiently
from libs.runtime.health import CheckFailed
from libs.runtime.logs import get_logger
from libs.runtime.steps import Steps
from libs.runtime.worker import EX_SOFTWARE, GRACE_SECONDS, JOIN_SECONDS, BackgroundTask, SupervisedThread
from notification_service.events.topics import GROUP, topics
from notification_service.worker.mail_consumer import MailConsumer

log = get_logger(__name__)

WATCH_SECONDS = 1.0


class BackgroundConsumer:
    """Consumes between `start` and `stop`."""

    def __init__(
        self,
        brokers: Brokers,
        make_consumer: Callable[[], MailConsumer],
        readers: Sequence[BackgroundTask],
        *,
        steps: Steps,
        close: Callable[[], None],
        end: Callable[[int], Any] = os._exit,
    ) -> None:
        """`make_consumer` is called after the fork, because a Kafka client does not survive one. `readers`: the tasks that read
        what mails need. `close` ends the clients of the senders. `end` ends the process at once with a status: a process whose
        consumer hangs may not be able to end in order."""
        self._brokers, self._make_consumer, self._readers = brokers, make_consumer, readers
        self._steps, self._close, self._end = steps, close, end
        self._consumer: MailConsumer | None = None
        self._threads = list[SupervisedThread]()
        self._stopping, self._stopped = threading.Event(), threading.Event()

    def start(self) -> None:
        """Start consuming. Call it after the fork."""
        self._consumer = self._make_consumer()
        prepare = partial(create_topics_patiently, self._brokers, topics())
        self._threads = [SupervisedThread(task, self._stopping, prepare) for task in (self._consumer, *self._readers)]
        for thread in self._threads:
            thread.start()
        threading.Thread(target=self._watch, name="watchdog", daemon=True).start()

    def stop(self) -> None:
        """Finish the mails past the fence, commit, and leave the group, within 20 s. The watchdog runs until that is done."""
        self._stopping.set()
        end = time.monotonic() + JOIN_SECONDS
        for thread in self._threads:
            thread.join(max(0, end - time.monotonic()))
        self._stopped.set()
        self._close()

    def check(self) -> dict[str, object]:
        """A health check: the state of the consumer and of what it reads.

        Raises CheckFailed without a broker, until partitions are assigned and all is read that mails need, and when that is so no
        more for a minute. A rebalance is shorter.
        """
        if self._consumer is None:
            raise CheckFailed("not consuming yet")
        parts = self.parts()
        state = parts[GROUP]
        if not state["broker"]:
            raise CheckFailed("no Kafka broker answers", parts=parts)
        if (idle := self._consumer.idle_seconds) > GRACE_SECONDS:
            problem = "what mails need is not read" if state["assigned"] else "no partition is assigned"
            since = " yet" if idle == math.inf else f" for {idle:.0f} s"
            raise CheckFailed(problem + since, parts=parts)
        return {"parts": parts}

    def parts(self) -> dict[str, Mapping[str, object]]:
        """The status of each task, by name."""
        return {thread.task.name: thread.task.status() for thread in self._threads}

    def check_progress(self) -> dict[str, object]:
        """As `check`. Also raises CheckFailed when a partition stands still, or an offset was out of range."""
        checked = self.check()
        parts = self.parts()
        problems = [f"{name}: {part['problem']}" for name, part in parts.items() if part.get("problem")]
        if stalled := parts[GROUP]["stalled"]:
            problems.append(f"events wait and none was handled for two minutes: {stalled}")
        if resets := parts[GROUP]["offsetResets"]:
            problems.append(f"{resets} partitions were read from their start, because their offset was out of range")
        if problems:
            raise CheckFailed("; ".join(problems), parts=parts)
        return checked

    def _watch(self) -> None:
        while not self._stopped.wait(WATCH_SECONDS):
            problems: dict[str, str | None] = {thread.name: thread.problem() for thread in self._threads}
            if overdue := self._steps.overdue():
                problems[overdue] = "hangs"
            if any(p == "hangs" or (p and not self._stopping.is_set()) for p in problems.values()):
                log.critical("consumer thread lost, process ends", problems=problems)
                self._end(EX_SOFTWARE)
                return
