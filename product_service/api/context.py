"""Values that routes take from the application."""

from typing import cast

from flask import current_app

from product_service.config import Config
from product_service.queries.product_json import ProductJson


def config() -> Config:
    """The configuration of this process."""
    return cast(Config, current_app.extensions["config"])


def product_json() -> ProductJson:
    """The JSON of products that this process keeps."""
    return cast(ProductJson, current_app.extensions["product_json"])
