"""Orders that are decided in turn on the same stock."""

from datetime import UTC, datetime, timedelta

from libs.values.money import Money
from product_service.domain.order_batch import CancelledOrder, DeliveredOrder, PlacedOrder, decide_in_turn, named_prices
from product_service.domain.product import Product
from product_service.domain.reservation import Release, RequestedItem, Status

AT = datetime(2026, 1, 31, 12, tzinfo=UTC)
PRICE = Money(1990, "USD")


def product(product_id="p", stock=3, **fields):
    columns = {"id": product_id, "name": "Lamp", "price": PRICE, "stock": stock, "created_at": AT, "updated_at": AT}
    return Product(**columns | fields)


def placed(order_id, quantity=1, product_id="p", price=PRICE):
    item = RequestedItem(product_id=product_id, quantity=quantity, unit_price=price)
    return PlacedOrder(order_id=order_id, items=(item,), placed_at=AT)


def decide(*requests, stored=None, products=(), ends=None):
    known = {one.id: one for one in products or [product()]}
    return decide_in_turn(requests, reservations=stored or {}, products=known, price_ends=ends or {}, at=AT)


def shown(decisions):
    return [(d.after.order_id, d.after.status, sum(m.delta for m in d.movements(at=AT))) for d in decisions]


def test_each_order_finds_what_those_before_it_left():
    decisions = decide(placed("a", 2), placed("b", 2), placed("c", 1), placed("d", 1))
    assert shown(decisions) == [
        ("a", "RESERVED", -2),
        ("b", "REJECTED", 0),
        ("c", "RESERVED", -1),
        ("d", "REJECTED", 0),
    ]
    assert [short.available for short in decisions[1].after.reply.shortages] == [1]


def test_a_copy_repeats_the_decision():
    first, copy = decide(placed("a", 2), placed("a", 2))
    assert (first.is_repetition, copy.is_repetition) == (False, True)
    assert copy.after is first.after
    assert copy.movements(at=AT) == ()


def test_a_cancellation_gives_back_for_the_orders_behind_it():
    decisions = decide(placed("a", 3), CancelledOrder(order_id="a"), placed("b", 3), CancelledOrder(order_id="a"))
    assert shown(decisions) == [
        ("a", "RESERVED", -3),
        ("a", "RELEASED", 3),
        ("b", "RESERVED", -3),
        ("a", "RELEASED", 0),
    ]
    assert decisions[1].after.reply == Release(pieces=(("p", 3),))
    assert [d.after.event_count for d in decisions] == [1, 2, 1, 2]
    assert decisions[3].is_repetition


def test_an_order_that_is_cancelled_first_gets_nothing():
    decisions = decide(CancelledOrder(order_id="a"), placed("a"))
    assert [d.after.status for d in decisions] == [Status.RELEASED] * 2
    assert decisions[0].after.event_count == 1
    assert decisions[1].is_repetition


def test_what_is_stored_is_repeated_and_can_be_released():
    [earlier] = decide(placed("a", 2))
    stored = {"a": earlier.after}
    again, cancelled = decide(placed("a", 2), CancelledOrder(order_id="a"), stored=stored, products=[product(stock=1)])
    assert again.is_repetition
    assert again.after is earlier.after
    assert shown([cancelled]) == [("a", "RELEASED", 2)]


def test_a_batch_of_orders_is_the_orders_one_by_one():
    requests = [placed(f"o{n}", n % 3 + 1, f"p{n % 2}") for n in range(12)]
    requests += [CancelledOrder(order_id=f"o{n}") for n in range(0, 14, 4)] + requests[:5] + [placed("last", 2, "p0")]
    products = {f"p{n}": product(f"p{n}", stock=7) for n in range(2)}
    together = decide(*requests, products=list(products.values()))
    stored, alone = {}, []
    for request in requests:
        [one] = decide_in_turn([request], reservations=stored, products=products, price_ends={}, at=AT)
        stored[one.after.order_id] = one.after
        for movement in one.movements(at=AT):
            kept = products[movement.product_id]
            products[movement.product_id] = product(kept.id, stock=kept.stock + movement.delta)
        alone.append(one)
    assert list(together) == alone


def test_only_prices_that_are_not_the_present_ones_are_looked_up():
    old = Money(1000, "USD")
    orders = [placed("a"), placed("b", price=old), placed("c", product_id="gone")]
    assert named_prices(orders, {"p": product()}) == {("p", old)}
    fair, unfair = (decide(orders[1], ends={("p", old): AT + ended}) for ended in (timedelta(0), timedelta(hours=-1)))
    assert (fair[0].after.status, unfair[0].after.status) == ("RESERVED", "REJECTED")


def test_a_delivered_order_is_closed_gets_no_reply_and_gives_nothing_back():
    requests = [
        placed("a", 3),
        DeliveredOrder(order_id="a"),
        DeliveredOrder(order_id="a"),
        CancelledOrder(order_id="a"),
    ]
    decisions = decide(*requests, placed("b"), DeliveredOrder(order_id="unknown"))
    assert shown(decisions) == [
        ("a", "RESERVED", -3),
        ("a", "RESERVED", 0),
        ("a", "RESERVED", 0),
        ("a", "RESERVED", 0),
        ("b", "REJECTED", 0),
    ]
    assert [(d.has_new_reply, d.is_repetition) for d in decisions[:4]] == [
        (True, False),
        (False, False),
        (False, False),
        (True, False),
    ]
    assert decisions[1].after.closed_at == AT
    assert decisions[3].after.reply == Release()
