"""The entry point for gunicorn, which imports it in the worker process, after the fork."""

from libs.runtime.config import load_or_exit
from notification_service.api.app import create_app
from notification_service.config import Config

app = create_app(load_or_exit(Config, "notification_service"))
