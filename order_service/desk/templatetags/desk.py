"""The desk's template filters and tags."""

from decimal import Decimal
from uuid import uuid4

from django.template import Library
from django.utils.html import format_html
from django.utils.safestring import SafeString

from order_service.desk import zone
from order_service.desk.once import KEY
from order_service.queries.figures import MAX_COUNTED

register = Library()


@register.filter
def grouped(number: int | Decimal) -> str:
    """1234567 as 1,234,567. Django's own grouping would also group versions and sequences."""
    return f"{number:,}"


@register.filter
def counted(number: int) -> str:
    """As `grouped`, for a count that ends at MAX_COUNTED."""
    return f"{number:,}{' or more' if number >= MAX_COUNTED else ''}"


@register.simple_tag
def shop_zone() -> str:
    """The name of the time zone of the page's times."""
    return zone.shop_zone()


@register.simple_tag
def form_key() -> SafeString:
    """The hidden field by which a form acts once (desk/once.py)."""
    return format_html('<input type="hidden" name="{}" value="{}">', KEY, uuid4())
