"""The route of the feed of changes."""

from urllib.parse import urlencode

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from libs.values.errors import Invalid
from libs.values.pages import page_request
from libs.values.schema import validated
from libs.web.drf_views import StrictView, request_query
from order_service.api import responses, schemas
from order_service.api.openapi import parameters_of
from order_service.api.permissions import IsViewer
from order_service.use_cases.orders.follow_changes import follow_changes

MAX_CURSOR = 2**63 - 1


class OrderChanges(StrictView):
    """The changes of all orders."""

    permission_classes = [IsViewer]

    @extend_schema(
        operation_id="list_order_changes",
        parameters=parameters_of(schemas.ChangesQuery),
        responses={200: schemas.ChangesPage},
    )
    def get(self, request: Request) -> Response:
        """List the changes of all orders, the oldest first, each once.

        Each change of a status is one entry, with the order as it is now. `next` is always there: follow it, and ask it again later
        when there are no results. A change appears at the end of the feed, however late its transaction committed, so a client
        that follows `next` misses none. Without `after` the feed begins with the first order.
        """
        query = validated(schemas.ChangesQuery, request_query(request))
        limit = page_request(sort="changes", key_types=(), limit=query.limit, cursor=None).limit
        after = _number(query.after)
        entries = follow_changes(after=after, limit=limit)
        last = entries[-1].number if entries else after
        link = f"{request.path}?{urlencode({'after': last, 'limit': limit})}"
        return Response(responses.to_changes(entries, link))


def _number(cursor: str | None) -> int:
    """The number in a cursor, 0 without one. Raises Invalid."""
    if cursor is None:
        return 0
    if not (cursor.isascii() and cursor.isdigit() and len(cursor) <= 19 and int(cursor) <= MAX_CURSOR):
        raise Invalid.field("after", "invalid-cursor", "Enter the cursor from `next` of another page")
    return int(cursor)
