"""Repair a difference between an order and its stock, on demand. product_service does it, and the next round shows it."""

from django.db import transaction

from order_service.domain.customer import erased_name
from order_service.domain.reconciliation import Difference, Kind
from order_service.store import customers, reconciliation
from order_service.store.order_tables import orders
from order_service.use_cases.stock.request_release import request_release


def repair_difference(difference: Difference) -> bool:
    """Ask product_service to repair it. Return False when it can't be asked: staff have to look at the order.

    Stock that no order needs is released. The reservation of an order that holds nothing is requested again, by the event that
    requested it first, so the ledger of mails knows it.
    """
    if difference.kind is Kind.HELD:
        request_release(order_id=difference.order_id, delivered=False)
        return True
    if difference.kind is Kind.DIFFERENT:
        return False
    return _request_reservation(difference.order_id)


@transaction.atomic
def _request_reservation(order_id: str) -> bool:
    """The request names the customer. So the account is held: its erasure waits, or is complete for this order."""
    order = orders.find(order_id)
    if order is None:
        return False
    account = customers.hold(order.customer.user_id)
    if account.deleted and order.customer.username != erased_name(account.user_id):
        return False
    reconciliation.count_request(order_id)
    return orders.request_reservation_again(order_id)
