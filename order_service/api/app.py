"""The only wiring of the processes: logs, then Django."""

import logging

import django
from django.core.handlers.wsgi import WSGIHandler
from django.core.wsgi import get_wsgi_application
from werkzeug.middleware.proxy_fix import ProxyFix

from libs.runtime.logs import configure_logs
from order_service.config import Config, use_django_settings


def set_up(name: str, config: Config) -> None:
    """Make models and use cases importable; `name` is told in the logs."""
    configure_logs(name, config.log_level, config.log_format)
    logging.getLogger("django.request").setLevel(logging.CRITICAL)  # libs.web.drf logs requests, without raw paths
    use_django_settings()
    django.setup(set_prefix=False)


def create_app(config: Config) -> WSGIHandler | ProxyFix:
    """The application of a web process."""
    set_up("order_service", config)
    app, count = get_wsgi_application(), config.proxy_count
    return ProxyFix(app, x_for=count, x_proto=count, x_host=count) if count else app
