"""supervisor with a shorter interval: `python -m deploy.local.supervise CONFIG`.

supervisord checks its children once a second and restarts one at the second check: up to 2 s. Here it checks ten times a second.
"""

import sys
from contextlib import suppress

from supervisor.medusa.asyncore_25 import ExitNow
from supervisor.options import ServerOptions
from supervisor.poller import Poller
from supervisor.supervisord import Supervisor

INTERVAL_SECONDS = 0.1


class QuickPoller(Poller):  # type: ignore[misc] # the library has no types
    """Returns from every wait after 0.1 s. That costs 0.2 % of a core."""

    def poll(self, timeout: float) -> object:
        """Wait for input of the children, for `timeout` seconds at most."""
        return super().poll(min(timeout, INTERVAL_SECONDS))


def main(arguments: list[str]) -> None:
    """Run in the foreground until SIGTERM. The stack itself puts it into the background."""
    options = ServerOptions()
    options.poller = QuickPoller(options)
    options.realize(["-c", arguments[0], "--nodaemon"], doc=__doc__)
    options.first, options.test = True, False
    with suppress(ExitNow):  # supervisor raises it when everything has stopped
        Supervisor(options).main()


if __name__ == "__main__":
    main(sys.argv[1:])
