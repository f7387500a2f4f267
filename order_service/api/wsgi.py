"""The gunicorn entry: imported in each web process, after the fork."""

from libs.runtime.config import load_or_exit
from order_service.api.app import create_app
from order_service.config import Config

app = create_app(load_or_exit(Config, "order_service"))
