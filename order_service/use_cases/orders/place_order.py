"""Place an order at the prices of the catalogue."""

from collections.abc import Sequence
from datetime import UTC, datetime

from django.db import transaction

from libs.access.caller import Caller
from libs.values.errors import DomainError, NotAuthenticated
from libs.values.times import now
from order_service.domain.actor import Actor
from order_service.domain.customer import Customer, MailAddress
from order_service.domain.errors import TooManyOpenPieces
from order_service.domain.order import Order, ShippingAddress
from order_service.domain.pricing import RequestedItem
from order_service.events.published import OrderPlaced
from order_service.store import customers, models
from order_service.store.order_tables import orders
from order_service.use_cases.orders.price_order import ReadOffers, price_order


def place_order(
    *,
    caller: Caller,
    items: Sequence[RequestedItem],
    shipping_address: ShippingAddress | None,
    read_offers: ReadOffers,
    unverified_open_pieces: int | None = None,
) -> Order:
    """Place an order at catalogue prices. `read_offers` asks product_service, for an order that differs from the replica.

    `unverified_open_pieces`: how many pieces an account whose address is not verified may have in open orders, this one included.
    Raises UnknownProduct, PriceChanged, MixedCurrencies, TotalTooLarge, TooManyOpenPieces, and NotAuthenticated for an account that
    was deleted since it got its token.
    """
    lines = price_order(items, read_offers)
    limit = None if caller.email_verified else unverified_open_pieces
    pieces = sum(item.quantity for item in items)
    with transaction.atomic(savepoint=False):
        # The row of an account with a limit is held by one order at a time: of two orders, the second one counts the first.
        account = customers.hold(caller.user_id, exclusively=limit is not None)
        refusal = _refusal(account, pieces, limit)
        if refusal is None:
            customer = Customer(user_id=caller.user_id, username=caller.username, address=_address_in_token(caller))
            order = Order.place(
                customer=customer.reached_at(customers.address_of(account)),
                lines=lines,
                shipping_address=shipping_address,
                at=now(),
            )
            return orders.add(order, OrderPlaced.of(order), actor=Actor.customer(caller.user_id))
    raise refusal  # outside: an error inside would end a larger transaction too


def _refusal(account: models.Customer, pieces: int, limit: int | None) -> DomainError | None:
    if account.deleted:
        return NotAuthenticated()
    if limit is None or account.email_verified:  # verified since the token was issued
        return None
    open_pieces = orders.open_pieces(account.user_id)
    return TooManyOpenPieces(limit=limit, open=open_pieces) if open_pieces + pieces > limit else None


def _address_in_token(caller: Caller) -> MailAddress:
    issued_at = datetime.fromtimestamp(caller.issued_at / 1000, UTC)
    return MailAddress(email=caller.email, verified=caller.email_verified, at=issued_at)
