"""The periodic task that publishes the reservations in force, a round a day."""

from collections.abc import Mapping

from libs.mongo_store.failures import is_temporary
from libs.runtime.periodic import PeriodicTask
from product_service.use_cases.publish_held_stock import publish_next_page

INTERVAL_SECONDS = 2.0  # a page; so 100,000 reservations take 7 minutes


def make_held_stock(currency: str) -> PeriodicTask:
    """The task. Any number of workers may run it. `currency`: the shop's, for stored prices without one."""

    def work() -> Mapping[str, int]:
        return {"pages": int(publish_next_page(currency=currency))}

    return PeriodicTask("held-stock", work, seconds=INTERVAL_SECONDS, is_temporary=is_temporary, counts=["pages"])
