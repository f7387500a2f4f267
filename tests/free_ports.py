"""Free ports for the servers of a test run."""

import itertools
import random

from deploy.local.ports import is_free

OUR_RANGE = range(15000, 30000)
"""Below the range from which Linux takes the local ports of clients: 32768 and up, ip(7)."""

_places = itertools.count(random.SystemRandom().choice(OUR_RANGE))


def pick_free(count: int) -> list[int]:
    """Different ports that are free now.

    The first call starts at a random place, so that two runs do not pick the same ports. The next call continues after the
    last port: the servers of the last call may not listen yet.
    """
    found: list[int] = []
    for place in itertools.islice(_places, len(OUR_RANGE)):
        port = OUR_RANGE[place % len(OUR_RANGE)]
        if is_free(port):
            found.append(port)
        if len(found) == count:
            break
    return found
