"""JSON in, and the schemas of JSON out for the OpenAPI document."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    RootModel,
    StringConstraints,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError, PydanticKnownError

from libs.values.money import parse_money
from libs.values.schema import StrictModel, StrictQuery
from libs.values.text import Name, check_line
from order_service.domain import order, pricing
from order_service.domain.countries import COUNTRIES, needed_lines
from order_service.domain.rejection import OTHER_REASON, REJECTION_REASONS

PRICE_SCHEMA = {
    "anyOf": [
        {"type": "string", "pattern": r"^[0-9]{1,12}(\.[0-9]{1,2})?$"},
        {"type": "number", "minimum": 0, "maximum": 99_999.99, "multipleOf": 0.01},
    ]
}
Price = Annotated[int, BeforeValidator(parse_money), WithJsonSchema(PRICE_SCHEMA)]
ProductId = Annotated[str, StringConstraints(min_length=1, max_length=64), AfterValidator(check_line)]  # byte by byte
Quantity = Annotated[int, Field(ge=1, le=1000)]
AddressLine = Annotated[Name, StringConstraints(min_length=1, max_length=200)]
COUNTRY_SCHEMA = {"type": "string", "enum": sorted(COUNTRIES), "description": "ISO 3166-1 alpha-2"}
Status = Literal["pending", "confirmed", "rejected", "shipped", "delivered", "cancelled"]


def _require_country(text: str) -> str:
    """The code in upper case. Raises pydantic's error `unknown_country`."""
    if not text.isascii() or (code := text.upper()) not in COUNTRIES:
        raise PydanticCustomError("unknown_country", "Enter the two letters of a country in ISO 3166-1, such as DE")
    return code


class ShippingAddress(StrictModel):
    """Where the order goes. The country says whether city and postal code are needed; an empty line is an absent one."""

    name: AddressLine
    line1: AddressLine
    line2: AddressLine | None = None
    country: Annotated[str, AfterValidator(_require_country), WithJsonSchema(COUNTRY_SCHEMA)]
    city: AddressLine | None = None
    postal_code: Annotated[Name, StringConstraints(min_length=1, max_length=20)] | None = None

    @model_validator(mode="before")
    @classmethod
    def _empty_lines_are_absent(cls, sent: Any) -> Any:
        if not isinstance(sent, Mapping):
            return sent
        lines = {name: sent.get(name) for name in ("line2", "city", "postalCode")}
        return {**sent, **{n: None if isinstance(v, str) and not v.strip() else v for n, v in lines.items()}}

    @field_validator("city", "postal_code", mode="after")
    @classmethod
    def _require_what_the_country_needs(cls, value: str | None, info: ValidationInfo) -> str | None:
        country = info.data.get("country")  # absent when it was refused
        if value is None and country and info.field_name in needed_lines(country):
            raise PydanticKnownError("missing")
        return value


class WantedItem(StrictModel):
    product_id: ProductId
    quantity: Quantity
    product_price: Price | None = None

    def requested_item(self) -> pricing.RequestedItem:
        """The item for the use case."""
        return pricing.RequestedItem(product_id=self.product_id, quantity=self.quantity, price=self.product_price)


class _Order(StrictModel):
    shipping_address: ShippingAddress | None = None

    def address(self) -> order.ShippingAddress | None:
        """The address for the use case."""
        return order.ShippingAddress(**self.shipping_address.model_dump()) if self.shipping_address else None


class OneItem(WantedItem, _Order):
    """An order of one product."""

    def requested_items(self) -> list[pricing.RequestedItem]:
        """The only item."""
        return [self.requested_item()]


class ManyItems(_Order):
    """An order of up to 50 products, each named once."""

    items: list[WantedItem] = Field(min_length=1, max_length=50)

    @field_validator("items", mode="after")
    @classmethod
    def _refuse_duplicates(cls, items: list[WantedItem]) -> list[WantedItem]:
        ids = [item.product_id for item in items]
        if len(set(ids)) < len(ids):
            raise PydanticCustomError("duplicate_product", "Name each product once, with its whole quantity")
        return items

    def requested_items(self) -> list[pricing.RequestedItem]:
        """The items in their order."""
        return [item.requested_item() for item in self.items]


class PlaceOrder(RootModel[OneItem | ManyItems]):
    """One product, or several."""


class SetStatus(StrictModel):
    status: Status


class Nothing(StrictModel):
    """An empty object, or no body at all."""


class LineOut(StrictModel):
    product_id: str
    name: str
    quantity: int
    unit_price: str
    line_total: str


class AddressOut(StrictModel):
    """The lines that the address has. Orders of earlier versions may have any two letters as their country."""

    name: str
    line1: str
    line2: str | None = None
    city: str | None = None
    postal_code: str | None = None
    country: str


class ShortageOut(StrictModel):
    product_id: str
    name: str
    wanted: int
    available: int
    reason: Literal["withdrawn"] | None = Field(None, description="Of a product that was no longer sold; else left out")


class PriceOut(StrictModel):
    product_id: str
    price: str


REASONS = (*REJECTION_REASONS, OTHER_REASON, "timeout", "cancelled_by_customer", "cancelled_by_staff")


class OrderOut(StrictModel):
    id: str
    status: Status
    items: list[LineOut]
    product_id: str
    quantity: int
    total: str
    currency: str
    shipping_address: AddressOut | None = Field(None, description="Left out when there is none")
    reason: str | None = Field(
        None, description=f"Why it was cancelled or rejected: {', '.join(REASONS)}. Left out when there is no reason"
    )
    shortages: list[ShortageOut] | None = Field(
        None,
        description="Of an order that is rejected as `out_of_stock` or `withdrawn`: the lines of which stock had too few pieces",
    )
    prices: list[PriceOut] | None = Field(
        None, description="Of an order that is rejected as `price_changed`: the prices that differ, as they were then"
    )
    created_at: str
    updated_at: str


class PlacedOut(StrictModel):
    status: Literal["success"]
    message: str
    order_id: str
    order: OrderOut


LIMIT_SCHEMA = {"type": "integer", "minimum": 1, "maximum": 100}


class ChangesQuery(StrictQuery):
    """The parameters of the feed of changes."""

    after: str | None = Field(None, description="From `next` of another page; without it the feed begins")
    limit: Annotated[str, WithJsonSchema(LIMIT_SCHEMA)] | None = Field(
        None, description="Changes on a page, 1 to 100; 20 by default"
    )


class ChangeOut(StrictModel):
    at: str
    previous_status: Status | None
    status: Status
    order: OrderOut


class ChangesPage(StrictModel):
    next: str
    results: list[ChangeOut]


class OrderPage(StrictModel):
    next: str | None
    previous: str | None
    results: list[OrderOut]
