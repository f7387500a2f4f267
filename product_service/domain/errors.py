"""The errors that a client may see: kind, code and title. libs.values.errors gives their form on the wire."""

from libs.values.errors import DomainError, ErrorKind


class UnknownProduct(DomainError):
    kind, code, title = ErrorKind.MISSING, "unknown-product", "There is no such product"


class SkuTaken(DomainError):
    """`productId` is the product that has the SKU. `active` is false when it is withdrawn: it keeps its SKU."""

    kind, code, title = ErrorKind.CONFLICT, "sku-taken", "There is a product with this SKU"


class StaleProduct(DomainError):
    kind, code, title = ErrorKind.STALE, "stale-product", "The product has changed since you read it. Read it again."


class StockOutOfRange(DomainError):
    kind, code, title = ErrorKind.CONFLICT, "stock-out-of-range", "The stock would leave its range of 0 to 10,000,000"
