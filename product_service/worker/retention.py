"""The periodic task that deletes closed reservations. It reports prices in other currencies."""

from collections.abc import Mapping

from libs.mongo_store.connection import UNAVAILABLE_ERRORS
from libs.runtime.periodic import PeriodicTask
from product_service.store import products, reservations

PERIOD_SECONDS = 300.0


def make_retention(currency: str) -> PeriodicTask:
    """The task. Its status holds the number of reservations that it has purged.

    It also holds the number of products whose price is in another currency than `currency`, the shop's.
    """

    def purge() -> Mapping[str, int]:
        return {"reservations": reservations.purge_closed()}

    return PeriodicTask(
        "housekeeping",
        purge,
        seconds=PERIOD_SECONDS,
        unavailable=UNAVAILABLE_ERRORS,
        counts=["reservations"],
        status=lambda: {"otherCurrencies": products.count_other_currencies(currency)},
    )
