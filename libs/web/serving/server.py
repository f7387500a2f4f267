"""gunicorn, run from Python with the same settings for all web processes.

It runs two workers (worker.py) of eight threads each. It never preloads: Kafka and MongoDB clients do not survive a fork.
Nothing here imports prometheus_client: that reads at its import where the processes keep their shared counts (metrics_files.py).
"""

import shutil
from collections.abc import Callable, Mapping
from typing import Any, cast

from gunicorn.app.base import BaseApplication
from gunicorn.glogging import Logger
from gunicorn.util import import_app

from libs.runtime.config import WebConfig
from libs.runtime.telemetry import metrics_files
from libs.web.serving.request_buffer import RequestLimits
from libs.web.serving.worker import BufferingWorker

MAX_CONNECTIONS = 900  # of one worker: a process may usually open 1,024 files


class QuietLogger(Logger):
    """gunicorn's records go through the service's logs. The web adapters log the requests."""

    def setup(self, cfg: Any) -> None:
        self.error_log.propagate = True
        self.error_log.handlers.clear()


class _Web(BaseApplication):
    def __init__(self, app: str, settings: Mapping[str, object]) -> None:
        self._app, self._settings = app, settings
        super().__init__()

    def load_config(self) -> None:
        """gunicorn's hook. gunicorn computes a setting at each use, some thirty times a request. Here all are computed once."""
        for name, value in self._settings.items():
            self.cfg.set(name, value)
        vars(self.cfg).update({name: setting.get() for name, setting in self.cfg.settings.items()})

    def load(self) -> Callable[..., Any]:
        return cast(Callable[..., Any], import_app(self._app))


def serve_web(
    app: str, *, web: WebConfig, host: str, port: int, workers: int = 2, threads: int = 8, **hooks: Callable[..., None]
) -> None:
    """Serve `app` ("package.wsgi:app") until a signal. `hooks` are gunicorn's (post_worker_init, worker_exit, …)."""

    class Worker(BufferingWorker):
        limits = RequestLimits(web.request_seconds, web.request_min_rate)

    directory = metrics_files.open_directory()
    settings = {
        "bind": f"{host}:{port}",
        "worker_class": Worker,
        "workers": workers,
        "threads": threads,
        "worker_connections": MAX_CONNECTIONS,
        "timeout": 60,
        "graceful_timeout": 30,
        "keepalive": 5,
        "limit_request_line": 4094,
        "permit_unconventional_http_method": True,  # the web adapters answer 501 to all unknown methods alike
        "forwarded_allow_ips": "",  # gunicorn itself trusts no proxy. PROXY_COUNT alone counts (docs/adr/0019).
        "forwarder_headers": "",  # SCRIPT_NAME and PATH_INFO would replace the path.
        "sendfile": False,  # it would wait for a slow client
        "control_socket_disable": True,
        "logger_class": QuietLogger,
        "proc_name": app.partition(".")[0],
        "child_exit": lambda _, worker: metrics_files.merge_dead(directory, worker.pid),
        "on_exit": lambda _: shutil.rmtree(directory, ignore_errors=True),
        **hooks,
    }
    _Web(app, settings).run()
