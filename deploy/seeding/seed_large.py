"""`make seed-large`: a million products and a million orders of three months, straight into the stores of the running shop."""

from __future__ import annotations

import shutil
import time
from collections.abc import Sequence

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from deploy.local.console import console, say
from deploy.local.errors import LocalError
from deploy.local.stack import Stack
from deploy.seeding import writers
from deploy.seeding.story import Size
from deploy.seeding.writers import News, Stores

COUNT, MAX_COUNT = 1_000_000, 10_000_000
BYTES_OF_ORDER, BYTES_OF_PRODUCT = 6_000, 4_000  # in both databases, with their logs
GIB = 2**30


def seed_large(stack: Stack, arguments: Sequence[str]) -> None:
    """Write PRODUCTS products and ORDERS orders, COUNT of each by default. Raises LocalError, also when they are there already."""
    products, orders = read_counts(arguments)
    stores = stores_of(stack)
    writers.require_room(stores)
    need = orders * BYTES_OF_ORDER + products * BYTES_OF_PRODUCT
    if (free := shutil.disk_usage(stack.state.data).free) < need:
        raise LocalError(f"{need / GIB:.1f} GiB of disk space are needed, and {free / GIB:.1f} GiB are free")
    size = Size(products=products, orders=orders, end=time.time())
    say(f"  {products:,} products, {size.accounts:,} customers, {orders:,} orders of {size.days} days")
    began = time.monotonic()
    show(stores, size)
    say(f"  written in {time.monotonic() - began:.0f} s")


def show(stores: Stores, size: Size) -> None:
    """Write everything, with a bar for each database."""
    columns = (TextColumn(" "), TextColumn("{task.description}", markup=False), BarColumn(24), MofNCompleteColumn())
    with Progress(*columns, TimeElapsedColumn(), TimeRemainingColumn(), console=console) as progress:
        total = size.products + size.orders + size.accounts
        bars = {name: progress.add_task(name, total=total) for name in ("MySQL", "MongoDB")}

        def report(news: News) -> None:
            progress.update(
                bars[news.writer], advance=news.rows, description=" ".join(filter(None, (news.writer, news.text)))
            )

        writers.run(stores, size, report)


def stores_of(stack: Stack) -> Stores:
    """The databases of a stack."""
    settings = stack.settings
    names = ("MYSQL_MIGRATE_USER", "MYSQL_MIGRATE_PASSWORD")
    if names[1] not in settings.values:  # an .env of an older version has one account for everything
        names = ("MYSQL_USER", "MYSQL_PASSWORD")
    stack.state.make()
    return Stores(
        mysql_port=settings.port("MYSQL_PORT", 3306),
        database=settings.get("MYSQL_DATABASE"),
        login=(settings.get(names[0]), settings.get(names[1])),
        products_uri=settings.get("MONGO_URI_PRODUCT"),
        users_uri=settings.get("MONGO_URI_USER"),
        note=stack.state.path / "indexes-to-make.json",
    )


def read_counts(arguments: Sequence[str]) -> tuple[int, int]:
    """The numbers of products and of orders. Raises LocalError."""
    given = dict(argument.partition("=")[::2] for argument in arguments)
    both = given.pop("COUNT", str(COUNT))
    texts = given.pop("PRODUCTS", both), given.pop("ORDERS", both)
    numbers = [int(text) if text.isascii() and text.isdigit() and len(text) < 9 else 0 for text in texts]
    if given or not all(1 <= number <= MAX_COUNT for number in numbers):
        raise LocalError(f"COUNT, PRODUCTS and ORDERS are 1 to {MAX_COUNT:,}")
    return numbers[0], numbers[1]
