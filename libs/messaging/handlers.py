"""Handlers of single events."""

from collections.abc import Callable

from libs.messaging.envelope import Event

RETRY_SECONDS = (1.0, 2.0, 4.0, 8.0, 15.0)
"""The pauses of an event that fails by itself. After the last one it is dead-lettered."""

Handler = Callable[[Event], None]
