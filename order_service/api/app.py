"""The wiring of the web process: logs, Django, the proxy's headers."""

from werkzeug.middleware.proxy_fix import ProxyFix

from libs.web.security_headers import BrowserHeaders
from order_service.config import Config, setup_django


def create_app(config: Config) -> BrowserHeaders | ProxyFix:
    """The application of a web process."""
    setup_django("order_service", config)
    from order_service.api.handler import Handler

    app, count = BrowserHeaders(Handler(), config.cors_origins), config.proxy_count
    return ProxyFix(app, x_for=count, x_proto=count, x_host=count) if count else app
