"""Sample data of each kind of mail, for its preview."""

from collections.abc import Mapping
from typing import Any

from notification_service.mails import KINDS

ORDER = {
    "order_id": "01K00000000000000000000000",
    "username": "ada",
    "currency": "USD",
    "total": "91.70",
    "reason": None,
    "items": [
        {"name": "Field Notebook, dotted, 3-pack", "quantity": 3, "unit_price": "12.90", "line_total": "38.70"},
        {"name": "Brass pencil sharpener", "quantity": 1, "unit_price": "9.50", "line_total": "9.50"},
        {"name": "Desk lamp “Lumen” with a rather long name & a dimmer", "quantity": 1}
        | {"unit_price": "43.50", "line_total": "43.50"},
    ],
}

LINK = {"username": "ada", "token": "A-sample-token-that-opens-nothing", "expires": "31 January 2026, 13:00 UTC"}

SAMPLES: dict[str, Mapping[str, Any]] = {
    kind: LINK if KINDS[kind].action else ORDER | ({"reason": "out_of_stock"} if kind == "order-rejected" else {})
    for kind in KINDS
}
