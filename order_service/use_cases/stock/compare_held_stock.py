"""Compare a page of the reservations in force with the orders of its range, and keep what differs.

A difference stays until a later round does not find it. An order that has changed within an hour before the page is left out: its
events may have been on their way.
"""

from django.db import transaction

from order_service.domain.order_id import first_id
from order_service.domain.order_status import Status
from order_service.domain.reconciliation import SETTLED, Difference, HeldPage, compare, without_order
from order_service.store import reconciliation
from order_service.use_cases.stock.request_release import request_release


@transaction.atomic
def compare_held_stock(page: HeldPage) -> None:
    """Compare the page, unless a later one was compared before. Reservations of delivered orders are closed."""
    if not reconciliation.begin_page(page):
        return
    settled_at = page.as_of - SETTLED
    orders = reconciliation.settled(page.held.keys(), settled_at)
    for order in orders:
        if order.status is Status.DELIVERED:
            request_release(order_id=order.id, delivered=True)
    found: list[Difference | None] = [compare(order, page.held[order.id]) for order in orders]
    found += [compare(order, {}) for order in reconciliation.in_need(page, settled_at)]
    unknown = page.held.keys() - reconciliation.existing(page.held.keys())
    found += [without_order(one, page.held[one]) for one in sorted(unknown) if one < first_id(settled_at)]
    reconciliation.replace(page, [difference for difference in found if difference])
