"""The rows of an order: their conversion to the domain and back."""

from collections.abc import Iterable, Mapping
from typing import Any

import orjson

from libs.django_store.statements import as_stored
from libs.values.money import Money, format_money, parse_money
from order_service.domain.actor import Actor
from order_service.domain.customer import Customer, MailAddress
from order_service.domain.order import Order, OrderLine, ShippingAddress
from order_service.domain.order_status import Status
from order_service.domain.rejection import CurrentPrice, Shortage

ORDER_COLUMNS = (
    *("id", "user_id", "user_email", "email_verified", "email_at", "username", "status", "currency"),
    *("shipping_address", "reason", "rejection", "created_at", "updated_at", "sequence"),
)
ACCOUNT_COLUMNS = ("account__deleted", "account__email", "account__email_verified", "account__email_at")
LINE_COLUMNS = ("product_id", "name", "quantity", "unit_price", "product_version")
ADDRESS_KEYS = {
    "name": "name",
    "line1": "line1",
    "line2": "line2",
    "city": "city",
    "postal_code": "postalCode",
    "country": "country",
}
"""The fields of an address, and their keys in column `shipping_address`."""
Row = Mapping[str, Any]


def to_order(row: Row, lines: Iterable[Row]) -> Order:
    """The order of a row with ORDER_COLUMNS, and ACCOUNT_COLUMNS if they were read, and of rows with LINE_COLUMNS."""
    currency, address, rejection = row["currency"], row["shipping_address"], row["rejection"] or {}
    return Order(
        id=row["id"],
        customer=_customer(row),
        lines=tuple(
            OrderLine(
                product_id=line["product_id"],
                name=line["name"],
                quantity=line["quantity"],
                unit_price=Money.from_decimal(line["unit_price"], currency),
                product_version=line["product_version"],
            )
            for line in lines
        ),
        status=Status(row["status"]),
        shipping_address=address and _shipping_address(address),
        reason=row["reason"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        version=row["sequence"],
        shortages=tuple(
            Shortage(
                product_id=short["productId"],
                wanted=short["wanted"],
                available=short["available"],
                withdrawn=short.get("reason") == "withdrawn",
            )
            for short in rejection.get("shortages", ())
        ),
        prices=tuple(
            CurrentPrice(product_id=current["productId"], price=parse_money(current["price"]))
            for current in rejection.get("prices", ())
        ),
    )


def order_columns(order: Order, *, events: int) -> dict[str, Any]:
    """The columns of a new order's row in the database. `events`: how many are stored with it."""
    address = order.customer.address
    return {
        "id": order.id,
        "user_id": order.customer.user_id,
        "user_email": order.customer.email or "",
        "email_verified": address and address.verified,
        "email_at": address and address.at and as_stored(address.at),
        "username": order.customer.username,
        "status": order.status.value,
        "total": order.total.decimal,
        "currency": order.currency,
        "items": orjson.dumps(
            [item(it.product_id, it.name, it.quantity, str(it.unit_price), str(it.total)) for it in order.lines]
        ).decode(),
        "shipping_address": order.shipping_address and orjson.dumps(_address(order.shipping_address)).decode(),
        "reason": order.reason,
        "sequence": events,
        "created_at": as_stored(order.created_at),
        "updated_at": as_stored(order.updated_at),
    }


def item(product_id: str, name: str, quantity: int, unit_price: str, line_total: str) -> dict[str, object]:
    """A line in column `items`: as clients see it. Amounts are decimal text."""
    return {
        "productId": product_id,
        "name": name,
        "quantity": quantity,
        "unitPrice": unit_price,
        "lineTotal": line_total,
    }


def line_columns(order: Order) -> list[dict[str, Any]]:
    """The columns of a new order's lines in the database."""
    return [
        {
            "order_id": order.id,
            "position": position,
            "product_id": line.product_id,
            "name": line.name,
            "quantity": line.quantity,
            "unit_price": line.unit_price.decimal,
            "line_total": line.total.decimal,
            "product_version": line.product_version,
        }
        for position, line in enumerate(order.lines, start=1)
    ]


def change_columns(before: Order | None, after: Order, actor: Actor) -> dict[str, Any]:
    """The columns of the record of a change."""
    return {
        "order_id": after.id,
        "from_status": before and before.status.value,
        "to_status": after.status.value,
        "actor": str(actor),
        "reason": after.reason,
        "at": after.updated_at,
    }


def to_rejection(order: Order) -> dict[str, Any] | None:
    """Column `rejection` of a rejected order."""
    shortages = [
        {"productId": short.product_id, "wanted": short.wanted, "available": short.available}
        | ({"reason": short.reason} if short.reason else {})
        for short in order.shortages
    ]
    prices = [{"productId": current.product_id, "price": format_money(current.price)} for current in order.prices]
    return {name: rows for name, rows in (("shortages", shortages), ("prices", prices)) if rows} or None


def _customer(row: Row) -> Customer:
    own = MailAddress(email=row["user_email"], verified=row["email_verified"], at=row["email_at"])
    is_erased = not own.email or bool(row.get("account__deleted"))
    customer = Customer(user_id=row["user_id"], username=row["username"], address=None if is_erased else own)
    if not (email := row.get("account__email")):
        return customer
    return customer.reached_at(
        MailAddress(email=email, verified=row["account__email_verified"], at=row["account__email_at"])
    )


def _shipping_address(stored: Mapping[str, str]) -> ShippingAddress:
    """The address of an order. Earlier versions stored the country as it was sent, and empty lines."""
    lines: dict[str, Any] = {name: stored.get(key) or None for name, key in ADDRESS_KEYS.items()}
    return ShippingAddress(**lines | {"country": stored["country"].upper()})


def _address(address: ShippingAddress) -> dict[str, str]:
    values = {key: getattr(address, name) for name, key in ADDRESS_KEYS.items()}
    return {key: value for key, value in values.items() if value is not None}
