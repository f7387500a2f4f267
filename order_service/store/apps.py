"""The tables of the service as a Django app."""

from django.apps import AppConfig


class OrdersConfig(AppConfig):
    """Label `orders`, which migrations, permissions and the addresses of the admin contain."""

    name, label, verbose_name = "order_service.store", "orders", "Shop"
    default_auto_field = "django.db.models.BigAutoField"
