"""Sample content of each kind of mail for its preview: usual values, and values as large as they may be."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Literal

from libs.values.money import Money
from notification_service.domain.mail import (
    AccountContent,
    LinkContent,
    MailContent,
    NoticeContent,
    OrderContent,
    OrderLine,
    Shortage,
)
from notification_service.domain.mail_kinds import KINDS

Size = Literal["usual", "large"]


def _line(name: str, quantity: int, unit_price: str) -> OrderLine:
    price = Money.parse(unit_price, "USD")
    return OrderLine(name=name, quantity=quantity, unit_price=price, line_total=price * quantity)


def _order(username: str, *lines: OrderLine) -> OrderContent:
    total = Money.sum((line.line_total for line in lines), "USD")
    return OrderContent(order_id="01K8ZC4M7RXW2Q5T9V3B6H1N0D", username=username, total=total, lines=lines)


ORDER = _order(
    "ada",
    _line("Field Notebook, dotted, 3-pack", 3, "12.90"),
    _line("Brass pencil sharpener", 1, "9.50"),
    _line("Desk lamp “Lumen” with a rather long name & a dimmer", 1, "43.50"),
)
NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
LINK = LinkContent(username="ada", token="A-sample-token-that-opens-nothing", expires_at=NOW + timedelta(hours=1))

NAMES = (
    ("Walnut desk organiser with a pen tray, " * 6)[:200],
    "Unbroken" * 25,
    "<b>Bold</b> & <script>alert('no')</script> \"quoted\" {{ 7 * 7 }}",
    "Schreibtischlampe für Größe 7½, naïve café 🪔💡👩🏽‍💻",
    "Настольная лампа с регулировкой яркости",  # noqa: RUF001 -- Cyrillic on purpose
    "مصباح مكتب قابل للتعتيم 12 واط",
    "調光できる木製のデスクランプ",
)
"""Product names: of the maximum length, without a place to break, with markup, and in other scripts, one from right to left."""

LARGE_USERNAME = "a-user.name_with-30-characters"
LARGE_ORDER = _order(LARGE_USERNAME, *(_line(NAMES[n % len(NAMES)], 1000, "99999.99") for n in range(50)))
LARGE_LINK = replace(LINK, username=LARGE_USERNAME, token=f"{LINK.token}-" * 3)


def _reject(order: OrderContent) -> OrderContent:
    """The order, rejected because each line but every third is short."""
    short = [line for number, line in enumerate(order.lines) if number % 3]
    shortages = (Shortage(name=line.name, wanted=line.quantity, available=number) for number, line in enumerate(short))
    return replace(order, reason="out_of_stock", shortages=tuple(shortages))


def _content(kind: str, order: OrderContent, link: LinkContent) -> MailContent:
    match KINDS[kind].template:
        case "order":
            return _reject(order) if kind == "order-rejected" else order
        case "link":
            return link
        case "notice":
            return NoticeContent(username=order.username, occurred_at=NOW)
    return AccountContent(username=order.username)


SAMPLES: dict[Size, dict[str, MailContent]] = {
    "usual": {kind: _content(kind, ORDER, LINK) for kind in KINDS},
    "large": {kind: _content(kind, LARGE_ORDER, LARGE_LINK) for kind in KINDS},
}
