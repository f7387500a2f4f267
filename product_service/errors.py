"""Domain errors: kind + code + title; chassis.errors says how they look on the wire."""

from chassis.errors import DomainError, Kind


class UnknownProduct(DomainError):
    kind, code, title = Kind.MISSING, "unknown-product", "There is no such product"


class SkuTaken(DomainError):
    kind, code, title = Kind.CONFLICT, "sku-taken", "There is a product with this SKU"


class StaleProduct(DomainError):
    kind, code, title = Kind.STALE, "stale-product", "The product was changed meanwhile: read it again"


class StockOutOfRange(DomainError):
    kind, code, title = Kind.CONFLICT, "stock-out-of-range", "The stock would leave its range of 0 to 10,000,000"
