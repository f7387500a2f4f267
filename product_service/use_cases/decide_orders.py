"""A batch of orders is decided in one transaction: each order reserves all of its items or none, once, and gives them back once.

The result is that of the orders one by one. The order's id is the key of its reservation, so an event that comes again finds the
decision, and repeats the reply. Reservations, stock, movements and replies are one transaction. A reservation never expires:
order_service alone ends orders.

The transaction claims the products that it judges no later than it reads them. So the stock that it reads stays as it is until the
commit, and another writer of a product costs it two statements.
"""

from collections.abc import Mapping, Sequence

from pymongo.client_session import ClientSession

from libs.mongo_store.transactions import until_written
from libs.values.times import now
from product_service.domain.order_batch import CancelledOrder, OrderRequest, PlacedOrder, decide_in_turn, named_prices
from product_service.store import price_history, products, reservations


@until_written
def decide_orders(requests: Sequence[OrderRequest], *, currency: str) -> bool | None:
    """Reserve, reject and release in the order of the requests, and store the replies. A decided order gets its last reply again.

    An order that is cancelled before it arrives is marked, so that it gets nothing. A delivered one closes its reservation.
    `currency`: the shop's, for stored prices without one. Returns True.
    """
    placed = [request for request in requests if isinstance(request, PlacedOrder)]
    order_ids = {request.order_id for request in requests}

    def decide(transaction: ClientSession) -> None:
        stored = reservations.find_many(order_ids, currency=currency, transaction=transaction)
        judged = _judged(requests, reservations.held_by(stored.values()))
        found = products.claim(judged, currency=currency, transaction=transaction)
        ends, at = price_history.find_ends(named_prices(placed, found), transaction=transaction), now()
        decisions = decide_in_turn(requests, reservations=stored, products=found, price_ends=ends, at=at)
        products.apply_movements([m for decision in decisions for m in decision.movements(at=at)], transaction)
        reservations.write(decisions, transaction)

    try:
        reservations.transact(decide)
    except reservations.Overtaken:
        return None
    return True


def _judged(requests: Sequence[OrderRequest], held: Mapping[str, set[str]]) -> set[str]:
    """The products whose stock is judged or changed: those of new orders, and those that cancelled orders hold.

    `held`: of each decided order, the products of which it holds pieces. An order that only comes again judges nothing.
    """
    judged: set[str] = set()
    for request in requests:
        if isinstance(request, CancelledOrder):
            judged |= held.get(request.order_id, set())
        elif isinstance(request, PlacedOrder) and request.order_id not in held:
            judged |= {item.product_id for item in request.items}
    return judged
