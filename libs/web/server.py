"""gunicorn, run from Python with the same settings for all web processes.

It runs two gthread workers of eight threads each. It never preloads, because Kafka and MongoDB clients do not survive a fork.
"""

import os
import shutil
import tempfile
import time
from collections.abc import Callable, Mapping
from typing import Any, cast

from gunicorn.app.base import BaseApplication
from gunicorn.glogging import Logger
from gunicorn.util import import_app
from gunicorn.workers.gthread import ThreadWorker

BACKLOG_SECONDS = 5.0
ACCEPT_DELAY_SECONDS, MAX_DELAYS = 0.0002, 10  # per open connection


class QuietLogger(Logger):
    """gunicorn's records go through the service's logs. The web adapters log the requests."""

    def setup(self, cfg: Any) -> None:
        self.error_log.propagate = True
        self.error_log.handlers.clear()


class EvenWorker(ThreadWorker):
    """A gthread worker that shares connections evenly, and serves the socket's backlog before it stops.

    gunicorn's worker stops accepting, ends its requests and closes the socket. The kernel then resets the backlog's connections
    (measured: 1 of 500 requests in a rolling restart at 50/s). All workers share the backlog. Each worker empties it right
    before it closes its socket, so the last one leaves no connection in it.
    """

    def accept(self, listener: Any) -> None:
        """As in gunicorn, but later for each connection that the worker has, so the worker with the fewest is first.

        Without the delay the worker that wakes first accepts most of a burst, and keeps these connections (measured: 15 of 16
        in one of two workers, half the throughput).
        """
        if self.alive:
            time.sleep(min(self.nr_conns, MAX_DELAYS) * ACCEPT_DELAY_SECONDS)
        super().accept(listener)

    def murder_keepalived(self, force: bool = False) -> None:
        """As in gunicorn. With `force`, which gunicorn uses once at the end, it first serves the backlog."""
        super().murder_keepalived(force)  # type: ignore[call-arg] # the stubs are older than gunicorn 27
        if force:
            for listener in self.sockets:
                taken = -1
                while taken < (taken := self.nr_conns):
                    self.accept(listener)
                listener.close()
            end = time.monotonic() + BACKLOG_SECONDS
            while self.nr_conns > 0 and time.monotonic() < end:
                self.wait_for_and_dispatch_events(timeout=0.1)
                super().murder_keepalived(force)  # type: ignore[call-arg] # the stubs are older than gunicorn 27


class _Web(BaseApplication):
    def __init__(self, app: str, settings: Mapping[str, object]) -> None:
        self._app, self._settings = app, settings
        super().__init__()

    def load_config(self) -> None:
        for name, value in self._settings.items():
            self.cfg.set(name, value)

    def load(self) -> Callable[..., Any]:
        return cast(Callable[..., Any], import_app(self._app))


def serve_web(
    app: str, *, host: str, port: int, workers: int = 2, threads: int = 8, **hooks: Callable[..., None]
) -> None:
    """Serve `app` ("package.wsgi:app") until a signal. `hooks` are gunicorn's (post_worker_init, worker_exit, …)."""
    metrics = os.environ["PROMETHEUS_MULTIPROC_DIR"] = tempfile.mkdtemp(prefix="metrics-")  # noqa: TID251 -- read at its import
    settings = {
        "bind": f"{host}:{port}",
        "worker_class": EvenWorker,
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
