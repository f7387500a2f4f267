"""Flask with one view."""

from __future__ import annotations

from flask import Flask, Response, jsonify

app = Flask(__name__)


@app.get("/")
def answer() -> Response:
    """Answer alike."""
    return jsonify(status="ok")
