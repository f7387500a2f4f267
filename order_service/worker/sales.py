"""The periodic task that counts the sales for the desk's first page."""

from collections.abc import Mapping

from libs.django_store.connection import renew_connection
from libs.django_store.failures import is_temporary
from libs.runtime.periodic import PeriodicTask
from order_service.store.sales import MAX_PERIODS
from order_service.use_cases.orders.count_sales import count_sales

INTERVAL_SECONDS = 20.0


def make_sales() -> PeriodicTask:
    """The task. Any number of workers may run it. While much is left it continues soon."""

    def work() -> Mapping[str, int]:
        renew_connection()
        return {"counted": count_sales()}

    return PeriodicTask(
        "sales", work, seconds=INTERVAL_SECONDS, is_temporary=is_temporary, counts=["counted"], batch=MAX_PERIODS
    )
