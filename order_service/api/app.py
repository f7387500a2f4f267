"""The wiring of the web process: logs, Django, the proxy's headers."""

from django.core.handlers.wsgi import WSGIHandler
from werkzeug.middleware.proxy_fix import ProxyFix

from order_service.config import Config, setup_django


def create_app(config: Config) -> WSGIHandler | ProxyFix:
    """The application of a web process."""
    setup_django("order_service", config)
    from order_service.api.handler import Handler

    app, count = Handler(), config.proxy_count
    return ProxyFix(app, x_for=count, x_proto=count, x_host=count) if count else app
