"""The routes of orders, for clients and for the pages of the browsable API."""

from django.conf import settings
from django.http import HttpResponseBase
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import MethodNotAllowed
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response

from libs.values.idempotency import IdempotencyHeaders, IdempotentRequest, key_of
from libs.values.pages import Page
from libs.values.schema import validated
from libs.web.drf import prefers_html
from libs.web.drf_views import request_body
from order_service.api import responses, schemas
from order_service.api.authentication import caller_of
from order_service.api.browsable.pages import ListPage, OrderPage, body_of, is_form
from order_service.api.filters import OrderFilters, StaffOrderFilters, fields_of, form_of, plain_page
from order_service.api.openapi import parameters_of, parameters_of_form
from order_service.api.permissions import IsCustomer, IsSignedIn, IsStaff
from order_service.domain.order_status import Status
from order_service.queries import order_json
from order_service.queries import orders as queries
from order_service.queries.offers import OfferReader
from order_service.queries.order_json import JsonObject
from order_service.queries.order_ranges import OrderFilter
from order_service.use_cases.orders.cancel_order import cancel_order
from order_service.use_cases.orders.idempotency import respond_once
from order_service.use_cases.orders.place_order import place_order
from order_service.use_cases.orders.set_order_status import set_order_status

offers = OfferReader(lambda: settings.PRODUCT_SERVICE_URL)
"""Asks product_service for orders that differ from the replica of the catalogue."""


def _page(page: Page[JsonObject], request: Request) -> Response:
    return Response(page.render(request.get_full_path(), lambda order: order))


class Orders(ListPage):
    """Orders: your own, or all for staff."""

    def get_permissions(self) -> list[BasePermission]:
        """Customers and staff may read. Only customers may order."""
        return [IsCustomer() if self.request.method == "POST" else IsSignedIn()]

    @extend_schema(
        operation_id="list_orders", parameters=parameters_of_form(StaffOrderFilters), responses={200: schemas.OrderPage}
    )
    def get(self, request: Request) -> Response:
        """List orders, by the time of ordering: your own, or all for staff.

        A page with several filters may have fewer orders than `limit`, or none: follow `next` until it is null.
        """
        caller, is_page = caller_of(request), prefers_html(request)
        fields = fields_of(request.query_params, from_page=is_page)
        if not is_page and (plain := plain_page(fields)):  # a form takes as long as the rest of the request
            own = None if caller.has_role("viewer") else caller.user_id
            return _page(order_json.list_orders(OrderFilter(user_id=own), plain), request)
        kind = StaffOrderFilters if caller.has_role("viewer") else OrderFilters
        self.filters = form_of(kind)(fields)
        self.filters.require_valid()
        if found := self.filters.as_filter(caller):
            return _page(order_json.list_orders(found, self.filters.page), request)
        page = queries.list_orders(self.filters.narrow(queries.orders_of(caller)), self.filters.page)
        return Response(responses.to_page(page, request.get_full_path()))

    @extend_schema(
        operation_id="place_order",
        parameters=parameters_of(IdempotencyHeaders, "header"),
        request=schemas.PlaceOrder,
        responses={201: schemas.PlacedOut, 409: None, 422: None},
    )
    def post(self, request: Request) -> Response:
        """Place an order of one product or of several, at the catalogue's prices.

        `productPrice` is only compared: 409 `price-changed` when the catalogue has another one. 422 for a product that is not
        sold. Both have `stale: true` when the catalogue could not be asked, so that the price may be out of date.

        With an `Idempotency-Key` one order is placed, however often the request is sent: 409 `idempotency-key-in-flight` while the
        first is being answered, 422 `idempotency-key-reused` for another body.
        """
        key = key_of(request.headers)
        sent = request_body(request)
        body: schemas.OneItem | schemas.ManyItems = (
            validated(schemas.ManyItems, sent) if "items" in sent else validated(schemas.OneItem, sent)
        )
        caller, items, address = caller_of(request), body.requested_items(), body.address()

        def place() -> dict[str, object]:
            limit = settings.UNVERIFIED_OPEN_PIECES
            order = place_order(
                caller=caller,
                items=items,
                shipping_address=address,
                read_offers=offers.read,
                unverified_open_pieces=limit,
            )
            return responses.to_placed(order)

        if key is None:
            return Response(place(), 201)
        sent_body = body.model_dump(mode="json", by_alias=True)
        keyed = IdempotentRequest(user_id=caller.user_id, route="POST /orders", key=key, body=sent_body)
        return Response(respond_once(keyed, place), 201)


class OneOrder(OrderPage):
    """One order."""

    @extend_schema(operation_id="read_order", responses={200: schemas.OrderOut})
    def get(self, request: Request, order_id: str) -> Response:
        """Read an order."""
        return Response(order_json.get_order(caller_of(request), order_id))


class Cancellation(OrderPage):
    """Cancels an order."""

    form = "cancel"

    @extend_schema(
        operation_id="cancel_order",
        parameters=parameters_of(IdempotencyHeaders, "header"),
        request=None,
        responses={200: schemas.OrderOut, 400: None, 409: None, 413: None, 415: None, 422: None},
    )
    def post(self, request: Request, order_id: str) -> HttpResponseBase:
        """Cancel an order, while it is pending or confirmed.

        With an `Idempotency-Key` a repeated request gets the first 200 again: 409 `idempotency-key-in-flight` while the first is
        being answered, 422 `idempotency-key-reused` for another order.
        """
        key = key_of(request.headers)
        validated(schemas.Nothing, body_of(request))
        caller = caller_of(request)

        def cancel() -> dict[str, object]:
            return responses.to_public(cancel_order(caller=caller, order_id=order_id))

        if key is None:
            return self.changed(request, cancel())
        route = "POST /orders/{id}/cancel"
        body = {"orderId": order_id, "body": {}}
        keyed = IdempotentRequest(user_id=caller.user_id, route=route, key=key, body=body)
        return self.changed(request, respond_once(keyed, cancel, order_id=order_id))


class OrderStatusView(OrderPage):
    """An order's status, for staff."""

    permission_classes = [IsStaff]
    form = "status"

    @extend_schema(
        operation_id="set_order_status", request=schemas.SetStatus, responses={200: schemas.OrderOut, 409: None}
    )
    def put(self, request: Request, order_id: str) -> HttpResponseBase:
        """Move an order on: shipped, delivered or cancelled.

        Whether it is confirmed or rejected, the stock alone decides.
        """
        sent = body_of(request) if is_form(request) else request_body(request)
        status = Status(validated(schemas.SetStatus, sent).status)
        result = set_order_status(caller=caller_of(request), order_id=order_id, status=status)
        return self.changed(request, responses.to_public(result.order))

    @extend_schema(exclude=True)
    def post(self, request: Request, order_id: str) -> HttpResponseBase:
        """The same for the form of a page: a form can't PUT. Raises MethodNotAllowed for clients."""
        if not is_form(request):
            raise MethodNotAllowed("POST")
        return self.put(request, order_id)
