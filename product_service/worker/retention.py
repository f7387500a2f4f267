"""The periodic task that deletes closed reservations and old movements. It reports prices in other currencies."""

from collections.abc import Mapping

from libs.mongo_store.failures import is_temporary
from libs.runtime.periodic import PeriodicTask
from product_service.store import old_stock, products

PERIOD_SECONDS = 300.0


def make_retention(currency: str) -> PeriodicTask:
    """The task. Its status holds the numbers of reservations and movements that it has purged. After a full batch it continues
    soon.

    It also holds the number of products whose price is in another currency than `currency`, the shop's.
    """

    def purge() -> Mapping[str, int]:
        return {"reservations": old_stock.purge_reservations(), "movements": old_stock.purge_movements()}

    return PeriodicTask(
        "housekeeping",
        purge,
        seconds=PERIOD_SECONDS,
        is_temporary=is_temporary,
        counts=["reservations", "movements"],
        batch=old_stock.BATCH_SIZE,
        status=lambda: {"otherCurrencies": products.count_other_currencies(currency)},
    )
