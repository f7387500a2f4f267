"""The JSON that requests hold, and the form of the responses for the API documents."""

from typing import Annotated, Any, Literal, cast

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, WithJsonSchema
from pydantic_core import PydanticCustomError

from libs.values.money import Money, parse_money
from libs.values.pages import DEFAULT_LIMIT, MAX_LIMIT
from libs.values.schema import PlainDigits, StrictModel, StrictQuery
from libs.values.text import Line, Matching, Name, Paragraph, check_line, shows_nothing
from product_service.domain.product import MAX_PRICE_MINOR, MAX_STOCK, ProductFields
from product_service.domain.product_change import Action
from product_service.domain.sku import Sku

LIMIT_SCHEMA = {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT}
AMOUNT_SCHEMA = {"type": "string", "pattern": r"^[0-9]{1,12}(\.[0-9]{1,2})?$"}
PRICE_SCHEMA = {
    "anyOf": [
        {"type": "string", "pattern": r"^[0-9]{1,5}(\.[0-9]{1,2})?$"},
        {"type": "number", "minimum": 0, "maximum": 99_999.99, "multipleOf": 0.01},
    ]
}


def _refuse_high_price(minor: int) -> int:
    if minor > MAX_PRICE_MINOR:
        raise PydanticCustomError("too_large", "Enter 99999.99 or less")
    return minor


def _refuse_zero(delta: int) -> int:
    if not delta:
        raise PydanticCustomError("zero", "Enter a number other than 0")
    return delta


def _refuse_invisible(url: str) -> str:
    if any(map(shows_nothing, url)):
        raise PydanticCustomError("character_not_allowed", "A character of the address shows nothing")
    return url


Amount = Annotated[int, BeforeValidator(parse_money), WithJsonSchema(AMOUNT_SCHEMA)]
Price = Annotated[int, BeforeValidator(parse_money), AfterValidator(_refuse_high_price), WithJsonSchema(PRICE_SCHEMA)]
ProductName = Annotated[Name, StringConstraints(min_length=1, max_length=200)]
Description = Annotated[Paragraph, StringConstraints(max_length=5000)]
Category = Annotated[Name, StringConstraints(min_length=1, max_length=100)]
# A web address, or a path on the shop's own host. Other schemes, such as javascript:, could run a script in the page that shows it.
ImageUrl = Annotated[
    str,
    StringConstraints(max_length=2000),
    Matching(
        r"^(https?://|/)[^\s/\\][^\s]*$", "invalid-url", "Enter an address with http:// or https://, or a path with /"
    ),
    AfterValidator(check_line),
    AfterValidator(_refuse_invisible),
]
Stock = Annotated[int, Field(ge=0, le=MAX_STOCK)]


ReservationState = Literal["reserved", "rejected", "released"]


class _Input(StrictModel):
    def product_fields(self, currency: str, *, sent_only: bool = False) -> ProductFields:
        """The fields by their names in the domain. With `sent_only`: only those that the client sent."""
        fields = self.model_dump(exclude_unset=sent_only)
        if "price" in fields:
            fields["price"] = Money(fields["price"], currency)
        return cast(ProductFields, fields)


class NewProduct(_Input):
    name: ProductName
    description: Description = ""
    price: Price
    stock: Stock
    sku: Sku | None = None
    category: Category | None = None
    image_url: ImageUrl | None = None


class ReplaceProduct(NewProduct):
    """All fields: those that are left out are reset. Only the stock stays when it is left out."""

    stock: Stock = Field(default_factory=int)

    def product_fields(self, currency: str, *, sent_only: bool = False) -> ProductFields:
        """As the base's; without the stock when the client left it out."""
        fields = super().product_fields(currency, sent_only=sent_only)
        if "stock" not in self.model_fields_set:
            del fields["stock"]
        return fields


class PatchProduct(_Input):
    """Some fields. The defaults here are never read. Only fields that may be null accept null."""

    name: ProductName = Field(default_factory=str)
    description: Description = Field(default_factory=str)
    price: Price = Field(default_factory=int)
    stock: Stock = Field(default_factory=int)
    sku: Sku | None = None
    category: Category | None = None
    image_url: ImageUrl | None = None
    active: bool = Field(default_factory=bool)


class AdjustStock(StrictModel):
    delta: Annotated[int, Field(ge=-MAX_STOCK, le=MAX_STOCK), AfterValidator(_refuse_zero)]
    reason: Annotated[Name, StringConstraints(min_length=1, max_length=200)]


class ProductsQuery(StrictQuery):
    search: Annotated[Line, StringConstraints(min_length=1, max_length=100)] | None = None
    category: Annotated[Line, StringConstraints(min_length=1, max_length=100)] | None = None
    min_price: Amount | None = None
    max_price: Amount | None = None
    in_stock: bool | None = None
    max_stock: Annotated[Stock, PlainDigits] | None = None
    active: bool = True
    sort: Literal["newest", "price", "-price", "name", "stock"] = "newest"
    limit: Annotated[str, WithJsonSchema(LIMIT_SCHEMA)] | None = None  # read by libs.values.pages
    cursor: Annotated[str, StringConstraints(min_length=1)] | None = None


class OffersQuery(StrictQuery):
    """`ids`: ids of products, with commas between them."""

    ids: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{24}(,[0-9a-f]{24}){0,49}$")]

    @property
    def product_ids(self) -> set[str]:
        """The ids."""
        return set(self.ids.split(","))


class OfferOut(StrictModel):
    id: str
    name: str
    price: str
    currency: str
    active: bool
    version: int
    updated_at: str


class OffersOut(StrictModel):
    results: list[OfferOut]


class ChangesQuery(StrictQuery):
    limit: Annotated[str, WithJsonSchema(LIMIT_SCHEMA)] | None = None  # read by libs.values.pages
    cursor: Annotated[str, StringConstraints(min_length=1)] | None = None


class ReservationsQuery(StrictQuery):
    state: ReservationState | None = None
    limit: Annotated[str, WithJsonSchema(LIMIT_SCHEMA)] | None = None  # read by libs.values.pages
    cursor: str | None = None


class ProductOut(StrictModel):
    id: str
    sku: str | None
    name: str
    description: str
    category: str | None
    image_url: str | None
    price: str
    currency: str
    stock: int
    active: bool
    version: int
    created_at: str
    updated_at: str


class ProductCreatedOut(StrictModel):
    status: Literal["success"]
    product: ProductOut


class ProductPage(StrictModel):
    next: str | None
    previous: str | None
    results: list[ProductOut]


class ChangeOut(StrictModel):
    id: str
    at: str
    actor: Annotated[str, Field(description="The id of the user")]
    action: Action
    changes: Annotated[dict[str, list[Any]], Field(description="By field: the value before and the value after")]


class ChangePage(StrictModel):
    next: str | None
    previous: str | None
    results: list[ChangeOut]


class ReservedPieces(StrictModel):
    product_id: str
    quantity: int


class ReservationOut(StrictModel):
    order_id: str
    state: ReservationState
    items: list[ReservedPieces]
    created_at: str
    closed_at: Annotated[str, Field(description="When it was rejected, released or delivered")] = ""


class ReservationPage(StrictModel):
    next: str | None
    previous: str | None
    results: list[ReservationOut]
