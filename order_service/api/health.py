"""What must be up for the web process to take traffic, and what it shows besides."""

from collections.abc import Mapping
from typing import Any

from django.db import connection

from libs.django_store.worker_status import DjangoWorkerStatus
from libs.runtime.health import CheckFailed, Health, worker_check
from order_service import __version__
from order_service.store.models import CatalogueState


def check_database() -> Mapping[str, Any]:
    """Raises when the server is away."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return {}


def check_catalogue() -> Mapping[str, Any]:
    """Raises Down until the replica was filled once."""
    if not CatalogueState.objects.filter(ready_at__isnull=False).exists():
        raise CheckFailed("the catalogue has not been read to its end yet")
    return {}


health = Health(
    "order_service",
    __version__,
    required={"mysql": check_database, "catalogue": check_catalogue},
    shown={"worker": worker_check(DjangoWorkerStatus())},
    gauges={"oldestPendingSeconds": ("orders_oldest_pending_seconds", "Age of the oldest order that is not decided")},
)
