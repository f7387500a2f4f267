"""Values that routes take from the application."""

from typing import cast

from flask import current_app

from product_service.config import Config


def config() -> Config:
    """The configuration of this process."""
    return cast(Config, current_app.extensions["config"])
