"""The browsable API as a Django app: templates and static files."""

from django.apps import AppConfig


class BrowsableConfig(AppConfig):
    """Label `browsable`."""

    name, label = "order_service.api.browsable", "browsable"
