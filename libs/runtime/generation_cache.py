"""A cache of a limited size in one process, for several threads."""

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class GenerationCache(Generic[K, V]):
    """Two generations of entries. When the young one is full it becomes the old one, and the old one before is dropped.

    An entry that is read from the old generation moves to the young one, so what is in use stays. Neither a hit in the young
    generation nor a miss takes a lock.
    """

    def __init__(self, capacity: int, size_of: Callable[[V], int] = lambda value: 1) -> None:
        """`capacity`: the size of one generation. `size_of`: the size of a value in the same unit, by default 1."""
        self._capacity, self._size_of = capacity, size_of
        self._young: dict[K, V] = {}
        self._old: dict[K, V] = {}
        self._size = 0  # of the young generation
        self._lock = threading.Lock()

    def get(self, key: K) -> V | None:
        """The value of a key, None when the cache does not have it."""
        value = self._young.get(key)
        if value is None and (value := self._old.get(key)) is not None:
            self.put(key, value)
        return value

    def put(self, key: K, value: V) -> None:
        """Add a value. A value that is larger than a generation is not kept."""
        size = self._size_of(value)
        if size > self._capacity:
            return
        with self._lock:
            if (replaced := self._young.get(key)) is not None:
                self._size -= self._size_of(replaced)
            elif self._size + size > self._capacity:
                self._old, self._young, self._size = self._young, {}, 0
            self._young[key] = value
            self._size += size
