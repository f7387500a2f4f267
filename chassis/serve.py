"""gunicorn, run from Python: one set of settings for all web processes.

gthread, two workers of eight threads; never preload: Kafka and MongoDB clients do not survive a fork.
"""

import os
import shutil
import tempfile
from collections.abc import Callable
from typing import Any, cast

from gunicorn.app.base import BaseApplication
from gunicorn.glogging import Logger
from gunicorn.util import import_app


class QuietLogger(Logger):
    """gunicorn's records go through the service's own logs; requests are logged by the adapters."""

    def setup(self, cfg: Any) -> None:
        self.error_log.propagate = True
        self.error_log.handlers.clear()


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
        "worker_class": "gthread",
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
