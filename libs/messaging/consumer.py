"""A consumer of single events, by threads: each event has an effect of its own.

It stores an event's effect first and commits its offset afterwards. No event ends the loop. Most groups handle batches instead
(`libs.messaging.batch_consumer`).
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from confluent_kafka import KafkaException, Message

from libs.messaging.brokers import Brokers
from libs.messaging.dead_letters import KeptFields, write_dead_letter
from libs.messaging.group_member import GroupMember
from libs.messaging.handler_pool import ErrorTypes, Handler, HandlerPool, Job

MAX_IN_FLIGHT = 32  # events per handler thread


class EventConsumer(GroupMember[Job]):
    """One group member with one handler per topic. Run it in its own thread."""

    def __init__(
        self,
        brokers: Brokers,
        group: str,
        handlers: Mapping[str, Handler],
        *,
        unavailable: ErrorTypes = (),
        threads: int = 1,
        commit_seconds: float = 0.5,
        on_assigned: Callable[[set[int]], None] = lambda _: None,
        on_revoked: Callable[[], None] = lambda: None,
        secret: Mapping[str, KeptFields] = MappingProxyType({}),
    ) -> None:
        """`handlers`: the handler of each topic. `on_assigned`, `on_revoked`: as GroupMember has them.
        `unavailable`: errors of a handler that mean ServerUnavailable.
        `threads`: the number of handler threads. One thread handles all events of a key.
        `secret`: topics with secret data, and the fields of it that a dead letter keeps."""
        self._secret, self._max_in_flight = secret, threads * MAX_IN_FLIGHT
        unavailable = (KafkaException, *unavailable)
        pool = HandlerPool(threads, handlers.__getitem__, self._dead_letter, unavailable, group=group)
        super().__init__(
            brokers,
            group,
            list(handlers),
            pool,
            commit_seconds=commit_seconds,
            on_assigned=on_assigned,
            on_revoked=on_revoked,
        )

    def _job_of(self, message: Message) -> Job:
        return Job(message)

    def _room(self) -> int:
        return self._max_in_flight - self._in_flight

    def _dead_letter(self, job: Job) -> None:
        write_dead_letter(self._producer, self.name, job, kept=self._secret.get(str(job.message.topic())))
