"""The JSON of the responses."""

from typing import Any

import orjson

from libs.values.pages import Page
from libs.values.times import rfc3339
from product_service.domain.product import Product
from product_service.domain.product_change import ProductChange
from product_service.domain.reservation import Reservation
from product_service.queries.product_json import ProductState


def to_public(product: Product) -> dict[str, Any]:
    """A product as clients see it."""
    return {
        "id": product.id,
        "sku": product.sku,
        "name": product.name,
        "description": product.description,
        "category": product.category,
        "imageUrl": product.image_url,
        "price": str(product.price),
        "currency": product.price.currency,
        "stock": product.stock,
        "active": product.active,
        "version": product.version,
        "createdAt": rfc3339(product.created_at),
        "updatedAt": rfc3339(product.updated_at),
    }


def to_offer(product: Product) -> dict[str, Any]:
    """What an order needs to know of a product: the fields that a replica of the catalogue has."""
    return {
        "id": product.id,
        "name": product.name,
        "price": str(product.price),
        "currency": product.price.currency,
        "active": product.active,
        "version": product.version,
        "updatedAt": rfc3339(product.updated_at),
    }


def to_change(change: ProductChange) -> dict[str, Any]:
    """A change of a product, as viewers see it."""
    return {
        "id": change.id,
        "at": rfc3339(change.at),
        "actor": change.actor,
        "action": change.action,
        "changes": change.changes,
    }


def to_change_page(page: Page[ProductChange], url: str) -> dict[str, Any]:
    """A page of changes. `url`: that of the request, for the links to the next and the previous page."""
    return page.render(url, to_change)


def to_page(page: Page[ProductState], url: str) -> dict[str, Any]:
    """A page of products; `url`: that of the request, for the links to the next and the previous page."""
    return page.render(url, lambda product: orjson.Fragment(product.json))


def to_reservation(reservation: Reservation) -> dict[str, Any]:
    """A reservation, as viewers see it. One in force has no `closedAt`."""
    items = [{"productId": product_id, "quantity": quantity} for product_id, quantity in reservation.pieces]
    public: dict[str, Any] = {
        "orderId": reservation.order_id,
        "state": reservation.status.value.lower(),
        "items": items,
        "createdAt": rfc3339(reservation.created_at),
    }
    return public | ({"closedAt": rfc3339(reservation.closed_at)} if reservation.closed_at else {})


def to_reservation_page(page: Page[Reservation], url: str) -> dict[str, Any]:
    """A page of reservations. `url`: that of the request, for the links to the next and the previous page."""
    return page.render(url, to_reservation)
