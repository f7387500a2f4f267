"""Reads of orders: one, or a page of a list."""

from django.db.models import QuerySet

from libs.access.caller import Caller
from libs.values.pages import Page, PageRequest, build_page
from order_service.domain.errors import UnknownOrder
from order_service.domain.order import Order
from order_service.store import models
from order_service.store.order_tables import orders


def get_order(caller: Caller, order_id: str) -> Order:
    """One order. Raises UnknownOrder, also for another customer's."""
    if not (order := orders.find(order_id, caller=caller)):
        raise UnknownOrder
    return order


def orders_of(caller: Caller) -> QuerySet[models.Order]:
    """The caller's own orders, or all for viewers and staff, to be filtered and listed."""
    return orders.visible_to(caller)


def list_orders(found: QuerySet[models.Order], request: PageRequest) -> Page[Order]:
    """A page of the orders found, by the time of ordering: the newest or the oldest first. Two queries."""
    ascending = (request.sort == "oldest") != request.backwards
    if request.position:
        found = found.filter(**{"id__gt" if ascending else "id__lt": request.position[0]})
    rows = orders.read(found.order_by("id" if ascending else "-id")[: request.limit + 1])
    return build_page(request, rows, lambda order: (order.id,))
