"""The entry for gunicorn. Each web process imports it after the fork."""

from libs.runtime.config import load_or_exit
from user_service.api.app import create_app
from user_service.config import Config

app = create_app(load_or_exit(Config, "user_service"))
