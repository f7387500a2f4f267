"""`make screenshots`: the pictures in docs/screenshots/, of a shop of its own with the demo catalogue and some orders.

Arguments name the pictures to take, by their file's name without .png; without any, all are taken.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping
from itertools import cycle, islice
from pathlib import Path
from typing import NamedTuple

from playwright.sync_api import Browser, BrowserContext, Page

from deploy.customers.demo import ADDRESS
from deploy.install.download import install_zipkin
from deploy.local.console import say, step
from deploy.local.errors import LocalError
from deploy.local.ports import LOOPBACK
from deploy.local.state import ROOT, State
from deploy.observe.servers import Zipkin
from tests.browser.chromium import open_chromium
from tests.browser.desk import sign_in
from tests.e2e.conftest import Person, Town, wait_for
from tests.free_ports import pick_free
from tests.shop import Shop, make_shop
from tests.stack import running

DIRECTORY = ROOT / ".local" / "screenshots"
PICTURES = ROOT / "docs" / "screenshots"
MOST_BYTES = 200 * 1024
CUSTOMERS = ("ada.miller", "grace.okafor", "linus.berg", "mei.tanaka", "omar.haddad")
ORDERS = 24
COUNTED = f"{ORDERS + 2} in 30 days"  # one is cancelled, and one is rejected
STEPS = cycle(([], ["shipped"], ["shipped", "delivered"], ["shipped"]))


class Picture(NamedTuple):
    """A page, as `who` sees it: anyone, or staff at the desk. `{order}` is an order that was shipped, `{trace}` its trace."""

    name: str
    service: str
    path: str
    who: str = "anyone"
    size: tuple[int, int] = (1280, 800)
    dark: bool = False
    shows: str = ""  # a text that a script brings in late
    counted: str = ""  # a text that the page has when the worker has counted; the page is loaded again until then


PHONE = (390, 760)
ALL = (
    Picture("desk-sign-in", "order", "/admin/login/"),
    Picture("desk-dashboard", "order", "/admin/", "staff", counted=COUNTED),
    Picture("desk-dashboard-dark", "order", "/admin/", "staff", dark=True, counted=COUNTED),
    Picture("desk-orders", "order", "/admin/orders/order/", "staff"),
    Picture("desk-orders-phone", "order", "/admin/orders/order/", "staff", PHONE),
    Picture("desk-order", "order", "/admin/orders/order/{order}/change/", "staff"),
    Picture("browsable-api", "order", "/orders", "staff"),
    Picture("api-documents", "product", "/docs", shows="Add a product."),
    Picture("reset-password", "user", "/password-reset?token=sample", size=(600, 560)),
    Picture("mails", "order", "/admin/emails/?kind=order-shipped", "staff"),
    Picture("mail", "order", "/admin/emails/order-shipped/", "staff", (720, 760)),
    Picture("mail-dark", "order", "/admin/emails/order-shipped/?scheme=dark", "staff", (720, 760)),
    Picture("mail-phone", "order", "/admin/emails/order-shipped/", "staff", PHONE),
    Picture("mail-phone-dark", "order", "/admin/emails/order-rejected/?scheme=dark", "staff", PHONE),
    Picture("trace", "zipkin", "/zipkin/traces/{trace}", size=(1280, 1260), shows="order-placed"),
)


def main(names: list[str]) -> None:
    """Take the pictures. Ends with one line on stderr when that does not work."""
    wanted = [picture for picture in ALL if not names or picture.name in names]
    shutil.rmtree(DIRECTORY, ignore_errors=True)
    DIRECTORY.mkdir(parents=True)
    install_zipkin()
    (zipkin,) = pick_free(1)
    traces = f"http://{LOOPBACK}:{zipkin}"
    settings = {"OTEL_EXPORTER_ZIPKIN_ENDPOINT": f"{traces}/api/v2/spans", "OTEL_TRACES_SAMPLER_ARG": "1"}
    settings["TRACE_URL"] = f"{traces}/zipkin/traces/{{traceId}}"
    shop = make_shop(DIRECTORY, UNVERIFIED_OPEN_PIECES="off", **settings)
    aside = State(DIRECTORY / "observe")  # a start of the shop ends what is left over in its own
    aside.make()
    try:
        with running(Zipkin(aside, zipkin), aside):
            with step("starting a shop"):
                started = shop.command("up")
            if started.returncode:
                raise LocalError(started.stderr.strip())
            with step("filling it"):
                order, trace = fill(town := Town(shop))
            PICTURES.mkdir(exist_ok=True)
            with open_chromium() as browser:
                take(browser, town, wanted, traces, {"order": order, "trace": trace})
    except LocalError as error:
        sys.exit(f"error: {error}")
    finally:
        shop.command("down")
        shutil.rmtree(DIRECTORY, ignore_errors=True)


def fill(town: Town) -> tuple[str, str]:
    """Place orders and bring them on their way; return the ids of one that was shipped, and of its trace."""
    staff = town.staff()
    products = staff.call("product", "GET", "/products?limit=100&inStock=true").json["results"]
    customers = [enter(town.shop, name) for name in CUSTOMERS]
    shipped, owner = "", customers[0]
    for number, steps in enumerate(islice(STEPS, ORDERS)):
        customer = customers[number % len(customers)]
        order = customer.order(products[number * 7 % len(products)], quantity=1 + number % 3, shippingAddress=ADDRESS)
        wait_for(lambda who=customer, placed=order: who.status_of(placed) != "pending", "decided")
        for status in steps:
            assert staff.call("order", "PUT", f"/orders/{order['id']}/status", {"status": status}).status == 200
        shipped, owner = (order["id"], customer) if steps == ["shipped"] else (shipped, owner)
    assert customers[0].call("order", "POST", f"/orders/{customers[0].order(products[1])['id']}/cancel").status == 200
    customers[1].order(products[2], quantity=1000)
    return shipped, str(town.mail(owner, f"#{shipped} is reserved").trace_id)


def enter(shop: Shop, name: str) -> Person:
    """A new customer of this name."""
    person = Person(shop, name, f"{name}@example.com", "Correct-horse-battery")
    fields = {"username": name, "email": person.email, "password": person.password}
    assert person.call("user", "POST", "/register", fields).status == 201
    person.log_in()
    return person


def take(browser: Browser, town: Town, pictures: list[Picture], zipkin: str, ids: Mapping[str, str]) -> None:
    """Write each picture. `ids`: for the paths. Raises LocalError when one is too large for a document."""
    contexts: dict[tuple[str, bool], BrowserContext] = {}
    for picture in pictures:
        key = picture.who, picture.dark
        if key not in contexts:
            contexts[key] = open_context(browser, town, *key)
        page = contexts[key].new_page()
        width, height = picture.size
        page.set_viewport_size({"width": width, "height": height})
        with step(picture.name):
            place = zipkin if picture.service == "zipkin" else town.shop.url(picture.service)
            page.goto(place + picture.path.format_map(ids), wait_until="networkidle")
            if picture.counted:
                wait_for(lambda page=page, text=picture.counted: shows(page, text), "counted", 90)
            if picture.shows:
                page.get_by_text(picture.shows).first.wait_for()
            path = PICTURES / f"{picture.name}.png"
            page.screenshot(path=path, animations="disabled", caret="hide")
        page.close()
        check_size(path)


def shows(page: Page, text: str) -> bool:
    """Whether the page has the text. It is loaded again when not."""
    if page.get_by_text(text).count():
        return True
    page.reload(wait_until="networkidle")
    return False


def open_context(browser: Browser, town: Town, who: str, dark: bool) -> BrowserContext:
    """A browser of `who`."""
    staff = town.staff()
    context = browser.new_context(color_scheme="dark" if dark else "light")
    if who == "staff":
        sign_in(context.new_page(), staff)
    return context


def check_size(path: Path) -> None:
    """Raises LocalError when the file is too large."""
    if path.stat().st_size > MOST_BYTES:
        raise LocalError(f"{path.name} has {path.stat().st_size // 1024} KiB, and {MOST_BYTES // 1024} are enough")
    say(f"  {path.relative_to(ROOT)}: {path.stat().st_size // 1024} KiB")


if __name__ == "__main__":
    main(sys.argv[1:])
