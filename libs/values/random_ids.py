"""Ids that only have to differ: of requests, traces and spans. Never use them where a guess would do harm: `secrets` is for that.

The system's generator is a call to the kernel, at which a thread lets another one run (docs/adr/0064).
"""

import os
import random

_random = random.Random()
os.register_at_fork(after_in_child=_random.seed)


def random_hex(size: int) -> str:
    """`size` random bytes as hex digits."""
    return f"{_random.getrandbits(8 * size):0{2 * size}x}"
