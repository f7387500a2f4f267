"""The tables between the orders and their stock: requests that product_service has not replied to, and differences."""

from django.db import models

from libs.django_store.bytewise import BYTEWISE
from libs.django_store.models import StoredEvent


class ReservationRequest(StoredEvent):
    """The order-placed event of a pending order, which product_service replies to. It is kept to be resent unchanged."""

    published_at = models.DateTimeField(null=True)  # when the broker acknowledged it for the first time
    last_published_at = models.DateTimeField(null=True)  # when the broker acknowledged it for the last time
    resend_at = models.DateTimeField(null=True, db_column="ask_at")  # null while the event is in the outbox
    resends = models.PositiveSmallIntegerField(default=0, db_column="asks")

    class Meta:
        db_table = "pending_orders"
        constraints = [models.UniqueConstraint(fields=["aggregate_id"], name="question_of_order")]
        indexes = [
            models.Index(fields=["resend_at"], name="pending_orders_to_ask"),
            models.Index(fields=["published_at"], name="pending_orders_by_age"),
        ]


class ReleaseRequest(StoredEvent):
    """The order-cancelled event of an order, kept to be resent unchanged until product_service has replied to it."""

    resend_at = models.DateTimeField(null=True)  # null while the event is in the outbox
    resends = models.PositiveSmallIntegerField(default=0)

    class Meta:
        db_table = "release_requests"
        constraints = [models.UniqueConstraint(fields=["aggregate_id"], name="release_of_order")]
        indexes = [models.Index(fields=["resend_at"], name="release_requests_to_resend")]


class StockDifference(models.Model):
    """An order and its stock that did not agree in the last round of comparisons."""

    order_id = models.CharField(primary_key=True, max_length=26, db_collation=BYTEWISE)  # it may not exist
    kind = models.CharField(max_length=10)
    status = models.CharField(max_length=10, null=True)  # of the order; null: there is none
    ordered = models.JSONField()  # {product id: quantity}
    held = models.JSONField()
    found_at = models.DateTimeField()  # when it was found first
    asks = models.PositiveSmallIntegerField(default=0)  # how often product_service was asked to repair it

    class Meta:
        db_table = "stock_differences"


class ReconciliationState(models.Model):
    """One row: the last page of reservations that was compared, and when the last complete round began."""

    round = models.CharField(max_length=26, db_collation=BYTEWISE)
    until = models.CharField(max_length=26, null=True, db_collation=BYTEWISE)
    is_whole = models.BooleanField()  # all pages of the round so far were compared
    as_of = models.DateTimeField()
    checked_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "reconciliation_state"
