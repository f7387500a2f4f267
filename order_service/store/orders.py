"""Orders as plain columns, with which use cases and queries begin: an order in one query, and whose orders a caller may read."""

from libs.access.caller import Caller
from order_service.store.models import Order, OrderLine, RawOrder

ORDER_COLUMNS = tuple(field.attname for field in Order._meta.concrete_fields)
LINE_COLUMNS = ("product_id", "name", "quantity", "unit_price", "line_total", "product_version")


def visible_to(caller: Caller) -> dict[str, str]:
    """The filter for the orders that the caller may read: the own ones, or all for those who work here."""
    return {} if caller.has_role("viewer") else {"user_id": caller.user_id}


def read_order(order_id: str, caller: Caller | None = None) -> RawOrder | None:
    """An order with its lines as plain columns, in one query; None when there is none, or none that the caller may read."""
    scope = {f"order__{name}": value for name, value in visible_to(caller).items()} if caller else {}
    columns = [f"order__{name}" for name in ORDER_COLUMNS]
    rows = list(OrderLine.objects.filter(order_id=order_id, **scope).values(*LINE_COLUMNS, *columns))
    if not rows:
        return None
    order = {name: rows[0][f"order__{name}"] for name in ORDER_COLUMNS}
    return order | {"lines": [{name: row[name] for name in LINE_COLUMNS} for row in rows]}
