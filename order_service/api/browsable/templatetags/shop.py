"""Tags and filters that several templates use."""

import re

from django import template
from django.conf import settings

register = template.Library()


@register.simple_tag
def shop_name() -> str:
    """The name of the shop. Error pages have no request, so a context processor can't provide it."""
    return str(settings.SHOP_NAME)


@register.filter
def minute(moment: str) -> str:
    """A time of the JSON, to the minute: 2026-01-31 12:00 UTC."""
    return f"{moment[:10]} {moment[11:16]} UTC"


@register.filter
def page_of(path: str) -> str:
    """The address of the page that has the form of an address: /orders/ID for /orders/ID/status. A sign-in leads back to it."""
    return re.sub(r"^(/orders/[^/?]+)/(?:status|cancel)/?(?:\?.*)?$", r"\1", path)
