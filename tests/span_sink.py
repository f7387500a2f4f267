"""A collector of traces for tests: it takes spans as Zipkin does, and keeps them by trace."""

from __future__ import annotations

import json
import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from deploy.local.ports import LOOPBACK


class SpanSink:
    """The spans of each trace, as JSON objects of Zipkin."""

    def __init__(self, port: int) -> None:
        self.port, self.spans = port, defaultdict[str, list[dict[str, Any]]](list)

    @property
    def endpoint(self) -> str:
        return f"http://{LOOPBACK}:{self.port}/api/v2/spans"

    def names(self, trace: str) -> list[str]:
        return sorted(span["name"] for span in self.spans[trace])

    def take(self, spans: list[dict[str, Any]]) -> None:
        for span in spans:
            self.spans[span["traceId"]].append(span)


@contextmanager
def collecting() -> Iterator[SpanSink]:
    """A sink on a free port."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            sink.take(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(202)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer((LOOPBACK, 0), Handler) as server:
        sink = SpanSink(server.server_port)
        threading.Thread(target=server.serve_forever, args=[0.05], daemon=True).start()
        try:
            yield sink
        finally:
            server.shutdown()
