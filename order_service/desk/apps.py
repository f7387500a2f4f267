"""The desk as a Django app, with templates, static files, admin pages and its own table."""

from django.apps import AppConfig


class DeskConfig(AppConfig):
    """Has the label `desk`. It precedes unfold in INSTALLED_APPS, because it overrides templates of unfold."""

    name, label, verbose_name = "order_service.desk", "desk", "Desk"
    default_auto_field = "django.db.models.BigAutoField"
