"""How long earlier prices are kept."""

from datetime import UTC, datetime, timedelta

from libs.values.money import Money
from product_service.domain.price_history import EarlierPrice, end_price, price_memory

MOMENT = datetime(2026, 1, 31, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def test_the_history_keeps_the_prices_that_a_late_order_may_name():
    memory = price_memory(1800)
    assert memory == timedelta(minutes=40)
    old, young = (
        EarlierPrice(price=Money(price, "USD"), until=MOMENT - memory + age)
        for price, age in ((100, -SECOND), (200, SECOND))
    )
    history = end_price((old, young), Money(300, "USD"), at=MOMENT, memory=memory)
    assert history == (young, EarlierPrice(price=Money(300, "USD"), until=MOMENT))
