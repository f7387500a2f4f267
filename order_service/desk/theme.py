"""Settings of django-unfold: titles, links and styles of the desk. Colours are in static/desk/desk.css."""

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse_lazy

Link = dict[str, object]


def unfold_settings(shop_name: str) -> dict[str, object]:
    """The value of UNFOLD."""
    return {
        "SITE_TITLE": f"{shop_name} desk",
        "SITE_HEADER": f"{shop_name} desk",
        "SITE_SYMBOL": "storefront",
        "SITE_URL": "/orders",
        "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": lambda _: static("desk/icon.svg")}],
        "SHOW_HISTORY": False,
        "SHOW_VIEW_ON_SITE": False,
        "SHOW_BACK_BUTTON": True,
        "STYLES": [lambda _: static("desk/desk.css")],
        "SCRIPTS": [lambda _: static("desk/desk.js")],
        "GLOBAL_CALLBACK": "order_service.desk.theme.plain_colours",
        "DASHBOARD_CALLBACK": "order_service.desk.operations.dashboard.dashboard_context",
        "SIDEBAR": {"navigation": NAVIGATION},
    }


def plain_colours(_request: HttpRequest) -> dict[str, object]:
    """Switch off unfold's inline style with colours, which the Content-Security-Policy forbids."""
    return {"colors": None}


def _link(title: str, icon: str, page: str, permission: str) -> Link:
    return {
        "title": title,
        "icon": icon,
        "link": reverse_lazy(page if page.startswith("desk-") else f"admin:{page}"),
        "permission": lambda request: request.user.has_perm(permission),
    }


NAVIGATION: list[Link] = [
    {
        "items": [
            {"title": "Overview", "icon": "monitoring", "link": reverse_lazy("admin:index")},
            _link("Orders", "shopping_bag", "orders_order_changelist", "orders.view_order"),
            _link("Stock", "inventory_2", "desk-products", "orders.view_order"),
            _link("Customers", "group", "desk-users", "orders.view_order"),
            _link("Mails", "mail", "desk-emails", "orders.view_order"),
        ]
    },
    {
        "title": "Events",
        "separator": True,
        "items": [
            _link("Catalogue", "menu_book", "orders_catalogueproduct_changelist", "orders.view_catalogueproduct"),
            _link("Outbox", "outbox", "orders_outbox_changelist", "orders.view_outbox"),
            _link("Dead events", "report", "orders_outboxdead_changelist", "orders.view_outboxdead"),
        ],
    },
    {
        "title": "Staff",
        "separator": True,
        "items": [
            _link("Accounts", "badge", "auth_user_changelist", "auth.view_user"),
            _link("Groups", "groups", "auth_group_changelist", "auth.view_group"),
            _link("Failed sign-ins", "lock_clock", "axes_accessattempt_changelist", "axes.view_accessattempt"),
        ],
    },
]
"""A link is shown to accounts that may see its page."""
