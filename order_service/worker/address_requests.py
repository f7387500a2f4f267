"""The periodic task that requests the addresses of accounts from user_service."""

from collections.abc import Mapping

from libs.django_store.connection import renew_connection
from libs.django_store.failures import is_temporary
from libs.runtime.periodic import PeriodicTask
from order_service.use_cases.customers.request_addresses import request_addresses

INTERVAL_SECONDS = 2.0


def make_address_requests() -> PeriodicTask:
    """The task. Any number of workers may run it."""

    def work() -> Mapping[str, int]:
        renew_connection()
        return {"requested": request_addresses()}

    return PeriodicTask("addresses", work, seconds=INTERVAL_SECONDS, is_temporary=is_temporary, counts=["requested"])
