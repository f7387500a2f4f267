"""The gunicorn entry: imported by each web process, after the fork."""

from libs.runtime.config import load_or_exit
from product_service.api.app import create_app
from product_service.config import Config

app = create_app(load_or_exit(Config, "product_service"))
