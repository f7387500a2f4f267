"""gunicorn, run from Python: one set of settings for all web processes.

gthread, two workers of eight threads; never preload: Kafka and MongoDB clients do not survive a fork.
"""

import os
import shutil
import tempfile
import time
from collections.abc import Callable
from typing import Any, cast

from gunicorn.app.base import BaseApplication
from gunicorn.glogging import Logger
from gunicorn.util import import_app
from gunicorn.workers.gthread import ThreadWorker

LAST_CALL_SECONDS = 5.0
STEP_BACK_SECONDS, STEP_BACK_LIMIT = 0.0002, 10


class QuietLogger(Logger):
    """gunicorn's records go through the service's own logs; requests are logged by the adapters."""

    def setup(self, cfg: Any) -> None:
        self.error_log.propagate = True
        self.error_log.handlers.clear()


class LastCallWorker(ThreadWorker):
    """gthread that shares connections evenly, and answers who is still in the socket's backlog when it stops.

    gunicorn's worker stops accepting, ends its requests and closes the socket: the kernel resets the connections that it has
    completed meanwhile (seen: 1 of 500 requests in a rolling restart at 50/s). All workers share the backlog; each empties it
    right before it closes its end, so the last one leaves nobody standing there.
    """

    def accept(self, listener: Any) -> None:
        """gunicorn's, a little later for each connection that the worker has: the one with the fewest is first.

        Without it the worker that happens to wake first takes most of a burst, and kept connections stay where they are (seen:
        15 of 16 in one of two workers, half the throughput).
        """
        if self.alive:
            time.sleep(min(self.nr_conns, STEP_BACK_LIMIT) * STEP_BACK_SECONDS)
        super().accept(listener)

    def murder_keepalived(self, force: bool = False) -> None:
        """gunicorn's, and with `force`, which it uses once, at the end: the last call."""
        super().murder_keepalived(force)  # type: ignore[call-arg] # the stubs are older than gunicorn 27
        if force:
            for listener in self.sockets:
                taken = -1
                while taken < (taken := self.nr_conns):
                    self.accept(listener)
                listener.close()
            end = time.monotonic() + LAST_CALL_SECONDS
            while self.nr_conns > 0 and time.monotonic() < end:
                self.wait_for_and_dispatch_events(timeout=0.1)
                super().murder_keepalived(force)  # type: ignore[call-arg] # the stubs are older than gunicorn 27


class _Web(BaseApplication):
    def __init__(self, app: str, settings: dict[str, Any]) -> None:
        self._app, self._settings = app, settings
        super().__init__()

    def load_config(self) -> None:
        for name, value in self._settings.items():
            self.cfg.set(name, value)

    def load(self) -> Callable[..., Any]:
        return cast(Callable[..., Any], import_app(self._app))


def serve_web(app: str, *, host: str, port: int, workers: int = 2, threads: int = 8, **hooks: Any) -> None:
    """Serve `app` ("package.wsgi:app") until a signal; `hooks` are gunicorn's (post_worker_init, worker_exit, …)."""
    metrics = os.environ["PROMETHEUS_MULTIPROC_DIR"] = tempfile.mkdtemp(prefix="metrics-")  # noqa: TID251 -- read at its import
    settings = {
        "bind": f"{host}:{port}",
        "worker_class": LastCallWorker,
        "workers": workers,
        "threads": threads,
        "timeout": 60,
        "graceful_timeout": 30,
        "keepalive": 5,
        "limit_request_line": 4094,
        "control_socket_disable": True,
        "logger_class": QuietLogger,
        "proc_name": app.partition(".")[0],
        "on_exit": lambda _: shutil.rmtree(metrics, ignore_errors=True),
        **hooks,
    }
    _Web(app, settings).run()
