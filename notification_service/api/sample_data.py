"""Sample data of each kind of mail, for its preview: such as is usual, and such as strains the layout."""

from collections.abc import Mapping
from typing import Any, Literal

from notification_service.domain.mail_kinds import KINDS

Size = Literal["usual", "large"]

ORDER = {
    "order_id": "01K8ZC4M7RXW2Q5T9V3B6H1N0D",
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
REASON = {"order-rejected": {"reason": "out_of_stock"}}

NAMES = (
    ("Walnut desk organiser with a pen tray, " * 6)[:200],
    "Unbroken" * 25,
    "<b>Bold</b> & <script>alert('no')</script> \"quoted\" {{ 7 * 7 }}",
    "Schreibtischlampe für Größe 7½, naïve café 🪔💡👩🏽‍💻",
    "Настольная лампа с регулировкой яркости",  # noqa: RUF001 -- meant so
    "مصباح مكتب قابل للتعتيم 12 واط",
    "調光できる木製のデスクランプ",
)
"""As long as a product's name may be; with nowhere to break it; with markup; in other letters, some from right to left."""

LARGE_ORDER = ORDER | {
    "username": "a-user.name_with-30-characters",
    "total": "4999999500.00",
    "items": [
        {"name": NAMES[n % len(NAMES)], "quantity": 1000, "unit_price": "99999.99", "line_total": "99999990.00"}
        for n in range(50)
    ],
}
LARGE_LINK = LINK | {"username": LARGE_ORDER["username"], "token": "A-sample-token-that-opens-nothing-" * 3}

SIZES: dict[Size, tuple[Mapping[str, Any], Mapping[str, Any]]] = {
    "usual": (ORDER, LINK),
    "large": (LARGE_ORDER, LARGE_LINK),
}
SAMPLES: dict[Size, dict[str, Mapping[str, Any]]] = {
    size: {kind: link if KINDS[kind].action else {**order, **REASON.get(kind, {})} for kind in KINDS}
    for size, (order, link) in SIZES.items()
}
