"""The desk as a Django app: templates, static files and admin pages."""

from django.apps import AppConfig


class DeskConfig(AppConfig):
    """Labelled `desk`. It comes before unfold, whose templates it overrides."""

    name, label, verbose_name = "order_service.desk", "desk", "Desk"
    default_auto_field = "django.db.models.BigAutoField"
