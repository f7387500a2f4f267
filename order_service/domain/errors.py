"""Domain errors: kind, code and title. libs.values.errors describes their JSON."""

from libs.values.errors import DomainError, ErrorKind


class UnknownOrder(DomainError):
    kind, code, title = ErrorKind.MISSING, "unknown-order", "There is no such order"


class IllegalTransition(DomainError):
    kind, code, title = ErrorKind.CONFLICT, "illegal-transition", "The order's status does not allow that"


class StepNotTaken(DomainError):
    """The order never had the status whose mail was requested."""

    kind, code, title = ErrorKind.CONFLICT, "step-not-taken", "The order has not been through that step"


class CustomerDeleted(DomainError):
    kind, code, title = ErrorKind.CONFLICT, "customer-gone", "The customer's account was deleted"


class UnknownProduct(DomainError):
    """Not in the catalogue, or withdrawn from sale; `products` lists the ids."""

    kind, code, title = ErrorKind.IMPOSSIBLE, "unknown-product", "A product is not in the catalogue"


class PriceChanged(DomainError):
    """The price that the client displayed differs from the catalogue's; `prices` lists the current ones."""

    kind, code, title = ErrorKind.CONFLICT, "price-changed", "The price has changed"


class MixedCurrencies(DomainError):
    kind, code, title = ErrorKind.IMPOSSIBLE, "mixed-currencies", "One order has one currency"


class TooManyOpenPieces(DomainError):
    """An account without a verified address may have `limit` pieces in open orders. It has `open` already."""

    kind, code = ErrorKind.CONFLICT, "too-many-open-pieces"
    title = "Verify your e-mail address to have more pieces in open orders"


class TotalTooLarge(DomainError):
    kind, code, title = ErrorKind.IMPOSSIBLE, "total-too-large", "The total is more than an order can hold"
