"""The shop's time zone on the pages of the desk: Django shows each time in the zone that is active in the request."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from libs.values.time_zone import zone_name
from order_service.desk.once import DESK


class ShopTimeZoneMiddleware:
    """Activates the zone for the desk alone. The API and its pages keep to UTC."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path.startswith(DESK):
            return self._get_response(request)
        with timezone.override(settings.SHOP_TIME_ZONE):
            return self._get_response(request)


def shop_zone() -> str:
    """The name of the shop's time zone."""
    return zone_name(settings.SHOP_TIME_ZONE)
