"""The orders' tables as a Django app."""

from django.apps import AppConfig


class OrdersConfig(AppConfig):
    """Named `orders` in migrations, tables of permissions and the admin's addresses."""

    name, label, verbose_name = "order_service.store", "orders", "Shop"
    default_auto_field = "django.db.models.BigAutoField"
