"""Tries parked mails again when they are due, in threads of their own: the threads for new events wait for none of them."""

import random
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor

from confluent_kafka import KafkaException, Message

from libs.messaging.envelope import parse
from libs.messaging.failures import ServerUnavailable
from libs.messaging.handler_pool import Handler
from libs.messaging.tracing import handling
from libs.runtime.logs import get_logger
from notification_service.domain.failures import InDoubt
from notification_service.domain.parked_mail import ParkedMail
from notification_service.smtp.mailer import Mailer
from notification_service.store.mail_ledger import MailLedger
from notification_service.store.parked_mails import ParkedMails
from notification_service.use_cases.park_mail import ParkMail

log = get_logger(__name__)

TURN_SECONDS = 0.25
REFUSED_SECONDS = 5.0  # between two tries while the server refuses everybody
BACKOFF_CAP_SECONDS = 30.0
RELEASE_SECONDS = 20.0  # as long as the consumer waits for its own events


class ParkedMailSender:
    """A background task. Of each ordering key it tries the first mail, and only mails of partitions that this member has."""

    name = "parked-mail-sender"

    def __init__(
        self,
        parked: ParkedMails,
        handlers: Mapping[str, Handler],
        *,
        park_mail: ParkMail,
        mailer: Mailer,
        ledger: MailLedger,
        threads: int,
    ) -> None:
        """`handlers`: of each topic; they send a mail and do not park it. `threads`: how many mails are tried at once."""
        self._parked, self._handlers, self._park_mail = parked, handlers, park_mail
        self._mailer, self._ledger, self._threads = mailer, ledger, threads
        self.owns: Callable[[str, int], bool] = lambda _topic, _partition: False
        """Set by the consumer: true for partitions that this member has."""
        self._active, self._changed = dict[str, tuple[ParkedMail, float]](), threading.Condition()
        self._failures, self._not_before = 0, 0.0
        self.heartbeat = time.monotonic()

    def status(self) -> dict[str, object]:
        """How many mails are tried right now."""
        return {"active": len(self._active)}

    def close(self) -> None:
        """Close the client that writes dead letters."""
        self._park_mail.dead_letters.close()

    def run(self, stop: threading.Event) -> None:
        """Try due mails until `stop` is set, then wait for the active ones."""
        with ThreadPoolExecutor(self._threads, thread_name_prefix=self.name) as pool:
            while not stop.wait(TURN_SECONDS):
                self.heartbeat = min([time.monotonic(), *(began for _, began in list(self._active.values()))])
                for mail in self._due():
                    with self._changed:
                        if not self.owns(mail.topic, mail.partition):
                            continue
                        self._active[mail.event_id] = mail, time.monotonic()
                    pool.submit(self._try, mail)

    def release(self) -> None:
        """Return when no mail of a partition that this member lost is active, after 20 s at most."""
        with self._changed:
            self._changed.wait_for(self._only_own, RELEASE_SECONDS)

    def _only_own(self) -> bool:
        return all(self.owns(mail.topic, mail.partition) for mail, _ in self._active.values())

    def _due(self) -> list[ParkedMail]:
        """The mails to try now, the one that is due for the longest time first."""
        now, refused = time.time_ns() // 1_000_000, self._mailer.refuses_everybody
        alone = refused or self._failures > 0
        room = self._threads - len(self._active)
        if room <= 0 or time.monotonic() < self._not_before or (alone and self._active):
            return []
        due = [
            mail
            for mail in self._parked.heads()
            if (mail.due <= now or mail.state == "behind")
            and mail.event_id not in self._active
            and self.owns(mail.topic, mail.partition)
        ]
        due.sort(key=lambda mail: mail.due)
        if refused and due:
            self._not_before = time.monotonic() + REFUSED_SECONDS
        return due[: 1 if alone else room]

    def _try(self, mail: ParkedMail) -> None:
        try:
            if (message := self._parked.message_of(mail)) is not None:  # a message without a value is false
                with handling(message):
                    self._park_mail(mail, message, self._attempt(mail, message))
            self._failures = 0
        except (ServerUnavailable, KafkaException) as error:
            self._back_off(str(error) if isinstance(error, ServerUnavailable) else "Kafka is unavailable")
        except Exception:  # the mail stays parked
            log.exception("parked mail not handled", offset=mail.offset)
            self._back_off("failed")
        finally:
            with self._changed:
                self._active.pop(mail.event_id, None)
                self._changed.notify_all()

    def _attempt(self, mail: ParkedMail, message: Message) -> Exception | None:
        """Try the mail. Returns what the handler raised, but raises ServerUnavailable."""
        if unanswered := self._park_mail.outstanding.get(mail.event_id):
            return unanswered
        try:
            event = parse(message)
            if self._ledger.has(event):
                return None
            if mail.is_exhausted(self._park_mail.policy):
                return InDoubt(mail.reason)
            self._handlers[mail.topic](event)
        except ServerUnavailable:
            raise
        except Exception as failure:
            return failure
        return None

    def _back_off(self, reason: str) -> None:
        self._failures += 1
        wait = random.uniform(0, min(BACKOFF_CAP_SECONDS, 2.0 ** min(self._failures - 1, 10)))
        self._not_before = time.monotonic() + wait
        log.warning("parked mails wait", reason=reason, wait_seconds=round(wait, 2))
