"""A small service for the tests of the server. serve_echo.py runs it."""

import time

from flask import Response, request
from pydantic import SecretStr

from libs.access.tokens import AccessTokens
from libs.runtime.config import WebConfig, load
from libs.runtime.health import Health
from libs.web.flask import Blueprint, json_response, make_app

routes = Blueprint("echo", __name__)
KEY = "k" * 64
BIG_BYTES = 12 * 1024 * 1024


@routes.post("/echo")
def echo() -> Response:
    """The number of bytes in the body, and the headers that frame it."""
    return json_response({"bytes": len(request.get_data()), "coding": request.headers.get("Transfer-Encoding")})


@routes.post("/ignore")
def ignore() -> Response:
    """Read no body."""
    return json_response({})


@routes.get("/slow")
def slow() -> Response:
    """Take a second and a half without any database."""
    time.sleep(1.5)
    return json_response({})


@routes.get("/big")
def big() -> Response:
    """More than a socket's buffers hold."""
    return Response(b"x" * int(request.args.get("bytes", BIG_BYTES)), mimetype="application/octet-stream")


def make():
    """The application."""
    app = make_app(
        service="echo",
        version="1",
        description="",
        health=Health("echo", "1"),
        tokens=AccessTokens(SecretStr(KEY), "microshop", "microshop"),
        is_unavailable=lambda error: False,
        web=load(WebConfig),
    )
    app.register_blueprint(routes)
    return app
