"""`python -m bench.ceilings APP PORT`: serve one ceiling until a signal."""

from __future__ import annotations

import sys

from deploy.local.ports import LOOPBACK
from libs.runtime.config import WebConfig
from libs.web.serving.server import serve_web

if __name__ == "__main__":
    serve_web(sys.argv[1], web=WebConfig(), host=LOOPBACK, port=int(sys.argv[2]))
