"""Domain errors: kind + code + title; libs.values.errors says how they look on the wire."""

from libs.values.errors import DomainError, ErrorKind


class UnknownProduct(DomainError):
    kind, code, title = ErrorKind.MISSING, "unknown-product", "There is no such product"


class SkuTaken(DomainError):
    kind, code, title = ErrorKind.CONFLICT, "sku-taken", "There is a product with this SKU"


class StaleProduct(DomainError):
    kind, code, title = ErrorKind.STALE, "stale-product", "The product was changed meanwhile: read it again"


class StockOutOfRange(DomainError):
    kind, code, title = ErrorKind.CONFLICT, "stock-out-of-range", "The stock would leave its range of 0 to 10,000,000"
