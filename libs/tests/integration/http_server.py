"""A small HTTP server in place of another service."""

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple
from urllib.parse import parse_qsl, urlsplit


class Asked(NamedTuple):
    """A request that the server received."""

    method: str
    path: str
    query: dict
    body: dict
    headers: dict

    @property
    def token(self):
        return self.headers.get("Authorization", "").removeprefix("Bearer ")


@contextmanager
def serving(answer):
    """The address of a server that answers each Asked with the status and JSON that `answer` returns for it."""

    class Handler(BaseHTTPRequestHandler):
        def answer(self):
            place, raw = urlsplit(self.path), self.rfile.read(int(self.headers.get("Content-Length") or 0))
            body = json.loads(raw) if raw else {}
            asked = Asked(self.command, place.path, dict(parse_qsl(place.query)), body, dict(self.headers))
            status, found = answer(asked)
            raw_answer = b"" if found is None else json.dumps(found).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(raw_answer)))
            self.end_headers()
            self.wfile.write(raw_answer)

        do_GET = do_POST = do_PATCH = answer

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=[0.02], daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
