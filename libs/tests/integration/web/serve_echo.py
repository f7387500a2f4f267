"""`python -m libs.tests.integration.web.serve_echo PORT WORKERS`. The workers import the service: prometheus_client comes last."""

import sys

from libs.runtime.config import WebConfig, load
from libs.web.serving.server import serve_web

if __name__ == "__main__":
    serve_web(
        "libs.tests.integration.web.echo_service:make()",
        web=load(WebConfig),
        host="127.0.0.1",
        port=int(sys.argv[1]),
        workers=int(sys.argv[2]),
        threads=2,
    )
