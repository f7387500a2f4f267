"""The desk's template filters."""

from decimal import Decimal

from django.template import Library

register = Library()


@register.filter
def grouped(number: int | Decimal) -> str:
    """1234567 as 1,234,567. Django's own grouping would also group versions and sequences."""
    return f"{number:,}"
