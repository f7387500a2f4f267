"""The wiring of the web process: logs, Django, the proxy's headers."""

from werkzeug.middleware.proxy_fix import ProxyFix

from libs.web.security_headers import BrowserHeaders
from order_service.config import Config, setup_django


def create_app(config: Config) -> BrowserHeaders | ProxyFix:
    """The application of a web process."""
    setup_django("order_service", config)
    from order_service.api.handler import Handler

    _disconnect_signals()
    app, count = BrowserHeaders(Handler(), config.cors_origins), config.proxy_count
    return ProxyFix(app, x_for=count, x_proto=count, x_host=count) if count else app


def _disconnect_signals() -> None:
    """Django calls these functions at each request. Here they change nothing (docs/adr/0066)."""
    from django.core.cache import close_caches
    from django.core.signals import request_finished, request_started
    from django.db import close_old_connections, reset_queries

    request_started.disconnect(reset_queries)  # of a list that only DEBUG fills
    request_started.disconnect(close_old_connections)  # the end of each request does the same
    request_finished.disconnect(close_caches)  # there is no connection to a cache
