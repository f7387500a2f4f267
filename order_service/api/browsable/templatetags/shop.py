"""What the pages' templates say in more than one place."""

from django import template
from django.conf import settings

register = template.Library()


@register.simple_tag
def shop_name() -> str:
    """The shop's name; pages of errors have no request, so it comes from no context processor."""
    return str(settings.SHOP_NAME)


@register.filter
def minute(moment: str) -> str:
    """A time of an answer, for people: 2026-01-31 12:00 UTC."""
    return f"{moment[:10]} {moment[11:16]} UTC"
