"""Domain errors: kind + code + title; libs.values.errors says how they look on the wire."""

from libs.values.errors import DomainError, ErrorKind


class UnknownOrder(DomainError):
    kind, code, title = ErrorKind.MISSING, "unknown-order", "There is no such order"


class IllegalTransition(DomainError):
    kind, code, title = ErrorKind.CONFLICT, "illegal-transition", "The order's status does not allow that"


class StepNotTaken(DomainError):
    """There is no mail to send again, for the order did not come that far."""

    kind, code, title = ErrorKind.CONFLICT, "step-not-taken", "The order has not been through that step"


class CustomerGone(DomainError):
    kind, code, title = ErrorKind.CONFLICT, "customer-gone", "The customer's account was deleted: nobody is mailed"


class UnknownProduct(DomainError):
    """Not in the catalogue, or not sold any more; `products` lists the ids."""

    kind, code, title = ErrorKind.IMPOSSIBLE, "unknown-product", "A product is not in the catalogue"


class PriceChanged(DomainError):
    """The price that the client showed is not the catalogue's; `prices` lists those that are."""

    kind, code, title = ErrorKind.CONFLICT, "price-changed", "The price has changed"


class KeyReused(DomainError):
    kind, code, title = ErrorKind.IMPOSSIBLE, "idempotency-key-reused", "The Idempotency-Key belongs to another body"


class KeyInFlight(DomainError):
    """The first request with the key is not answered yet."""

    kind, code, title = (
        ErrorKind.CONFLICT,
        "idempotency-key-in-flight",
        "An order with this Idempotency-Key is being placed",
    )


class MixedCurrencies(DomainError):
    kind, code, title = ErrorKind.IMPOSSIBLE, "mixed-currencies", "One order has one currency"


class TotalTooLarge(DomainError):
    kind, code, title = ErrorKind.IMPOSSIBLE, "total-too-large", "The total is more than an order can hold"
