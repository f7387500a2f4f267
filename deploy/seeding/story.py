"""What happened in a shop of DAYS days: products, customers and orders. One seed always makes the same story.

Nothing is kept in memory, so each store's writer goes through the whole story.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from ulid import ULID

DAYS = 90
ORDERS_OF_A_CUSTOMER = 12  # on average
MS, MINUTE, HOUR, DAY = 1000, 60.0, 3600.0, 86400.0  # milliseconds of a second, and seconds
REJECTED, CANCELLED, FORGOTTEN = 0.04, 0.06, 0.002  # shares; a forgotten order waits for its parcel for ever
ADJECTIVES = (
    *("Oak", "Brass", "Linen", "Cork", "Steel", "Walnut", "Ivory", "Velvet"),
    *("Copper", "Marble", "Paper", "Clay", "Slate", "Amber", "Wool", "Glass"),
)
NOUNS = (
    *("Lamp", "Chair", "Table", "Shelf", "Mug", "Vase", "Rug", "Clock", "Mirror", "Basket"),
    *("Stool", "Bench", "Bowl", "Tray", "Kettle", "Teapot", "Candle", "Cushion", "Blanket", "Towel"),
    *("Curtain", "Frame", "Hook", "Ladder", "Bookend", "Carafe", "Jug", "Plate", "Spoon", "Board"),
    *("Bin", "Box", "Crate", "Desk", "Drawer", "Planter", "Lantern", "Pillow", "Quilt", "Screen"),
)
TEXTS = (
    "Made by hand in small series.",
    "For the kitchen, the hall and the study.",
    "Easy to clean, and made to last for years.",
    "Delivered flat, with all tools for the assembly.",
    "The surface is oiled twice and waxed once.",
)
RARE_CATEGORY = "Collectors"
SERIES = 5000  # each of them has as few products as a rare word


@dataclass(frozen=True, slots=True)
class Size:
    """How much there is. `end`: when the story ends, in seconds since 1970. `pending`: the share of orders without a decision."""

    products: int
    orders: int
    end: float
    pending: float = 0.0
    customers: int = 0
    seed: int = 7
    days = DAYS

    @property
    def accounts(self) -> int:
        """The number of customers."""
        return self.customers or max(5, self.orders // ORDERS_OF_A_CUSTOMER)

    @property
    def begin(self) -> float:
        """The time of the first order."""
        return self.end - DAYS * DAY


class Product(NamedTuple):
    """A product of the catalogue. `price` in cents. `left`: the pieces that no order has taken."""

    id: str
    number: int
    name: str
    sku: str
    category: str
    description: str
    price: int
    left: int
    active: bool
    created_at: float
    updated_at: float

    @property
    def version(self) -> int:
        """One more for a product that was withdrawn."""
        return 1 if self.active else 2


class Step(NamedTuple):
    """A status that an order got, and the id of its event."""

    status: str
    at: float
    event_id: str


class Order(NamedTuple):
    """An order. `lines`: number and quantity of each product. `steps`: the first one is `pending`."""

    id: str
    customer: int
    lines: tuple[tuple[int, int], ...]
    steps: tuple[Step, ...]

    @property
    def status(self) -> str:
        """The status that it has at the end of the story."""
        return self.steps[-1].status


def product_id(size: Size, number: int) -> str:
    """The id of a product, which contains the time of its creation as all such ids do."""
    return f"{int(_created_at(size, number)):08x}5eed{number:012x}"


def product_name(number: int) -> str:
    """Its name. Sixteen names in a row begin with other words."""
    return f"{ADJECTIVES[number % 16]} {NOUNS[number // 16 % len(NOUNS)]} {number:06}"


def product_price(number: int) -> int:
    """Its price in cents: 4.90 to 403.72, and few have the same."""
    return 490 + number * 7919 % 39883


def product(size: Size, number: int) -> Product:
    """One product: its fields follow from its number."""
    category = NOUNS[number // 16 % len(NOUNS)] + "s" if number % SERIES else RARE_CATEGORY
    return Product(
        product_id(size, number),
        number,
        product_name(number),
        f"SEED-{number:07}",
        category,
        f"{TEXTS[number % len(TEXTS)]} Series S{number // 7 % SERIES:04}.",
        product_price(number),
        0 if number % 97 == 0 else number % 11 if number % 53 == 0 else 20 + number * 31 % 400,
        is_active := number % 37 != 5,
        created := _created_at(size, number),
        created if is_active else size.end - MINUTE,
    )


def _created_at(size: Size, number: int) -> float:
    """The catalogue grew for a year before the first order."""
    return size.begin - 300 * DAY * (1 - number / size.products) - HOUR


def customer_id(size: Size, number: int) -> str:
    """The id of an account, which contains the time of its registration."""
    return f"{int(registered_at(size, number)):08x}c0de{number:012x}"


def customer_name(number: int) -> str:
    """Its username."""
    return f"customer.{number}"


def customer_email(number: int) -> str:
    """Its address."""
    return f"customer.{number}@example.com"


def registered_at(size: Size, number: int) -> float:
    """All registered before the first order."""
    return size.begin - 200 * DAY * (1 - number / size.accounts) - HOUR


def orders(size: Size, *, first: int = 0) -> Iterator[Order]:
    """The orders from number `first` on, the oldest first. Few customers order often, and few products are ordered often."""
    rng = random.Random(f"{size.seed} {first}")
    pause = DAYS * DAY / size.orders
    for number in range(first, size.orders):
        moment = size.begin + (number + rng.random()) * pause
        steps = _steps(rng, moment, size)
        customer = min(int(rng.expovariate(5.0) * size.accounts), size.accounts - 1)
        lines = dict(
            (_popular(rng, size.products), rng.choice((1, 1, 1, 2, 3)))
            for _ in range(rng.choice((1, 1, 1, 2, 2, 3, 4)))
        )
        yield Order(ulid(rng, moment), customer, tuple(lines.items()), steps)


def _steps(rng: random.Random, moment: float, size: Size) -> tuple[Step, ...]:
    """What became of an order until the end of the story."""
    fate, decided = rng.random(), moment + 0.2 + rng.random()
    planned = [("pending", moment)]
    if fate < REJECTED:
        planned.append(("rejected", decided))
    elif fate < REJECTED + CANCELLED:
        planned += [("confirmed", decided), ("cancelled", decided + rng.uniform(0.1, 20) * HOUR)]
    elif fate < REJECTED + CANCELLED + size.pending:
        pass
    else:
        planned.append(("confirmed", decided))
        if rng.random() >= FORGOTTEN:
            shipped = decided + rng.uniform(4, 40) * HOUR
            planned += [("shipped", shipped), ("delivered", shipped + rng.uniform(1, 5) * DAY)]
    return tuple(Step(status, at, ulid(rng, at)) for status, at in planned if at < size.end or status == "pending")


def _popular(rng: random.Random, products: int) -> int:
    """The number of a product. A tenth of the products has nearly half of the orders."""
    return int(products * rng.random() ** 3)


def ulid(rng: random.Random, at: float) -> str:
    """An id that begins with a time, as the services make them."""
    return str(ULID.from_bytes(int(at * MS).to_bytes(6, "big") + rng.getrandbits(80).to_bytes(10, "big")))
