"""The tables of the service and their invariants. Ids are compared byte by byte; money is DECIMAL(12,2); times are UTC.

Those of the stock's requests and comparisons are in stock_models.py, those of the sales figures in sales_models.py. The other
modules of this room convert rows to the types of `domain/` and back.
"""

from typing import Any

from django.db import models

from libs.django_store.bytewise import BYTEWISE
from libs.django_store.models import (
    ClusterTable,
    DeadEventTable,
    OutboxTable,
    RelayLeaseTable,
    RevocationTable,
    WorkerStatusTable,
)
from order_service.domain.order_status import Status
from order_service.store.sales_models import SalesPeriod as SalesPeriod
from order_service.store.sales_models import SalesState as SalesState
from order_service.store.stock_models import ReconciliationState as ReconciliationState
from order_service.store.stock_models import ReleaseRequest as ReleaseRequest
from order_service.store.stock_models import ReservationRequest as ReservationRequest
from order_service.store.stock_models import StockDifference as StockDifference


def _amount() -> Any:
    return models.DecimalField(max_digits=12, decimal_places=2)


class Customer(models.Model):
    """An account that orders, or that was deleted. store/customers.py says how its row guards personal data.

    `email` is the address as user_service published it last, for the time `email_at`. It is null while it is not known.
    """

    user_id = models.CharField(primary_key=True, max_length=64, db_collation=BYTEWISE)
    deleted = models.BooleanField(default=False)  # the account was deleted, for good
    email = models.CharField(max_length=254, null=True)
    email_verified = models.BooleanField(null=True)
    email_at = models.DateTimeField(null=True)
    ask_at = models.DateTimeField(null=True)  # when user_service is asked for the address next; null: it is not asked
    asks = models.PositiveIntegerField(default=0)  # how often it was asked: the counter of these events

    class Meta:
        db_table = "customers"
        indexes = [models.Index(fields=["ask_at"], name="customers_to_ask")]

    def __str__(self) -> str:
        return self.user_id


class Order(models.Model):
    """An order. store/orders.py changes its status by a guarded UPDATE, never by save()."""

    id = models.CharField(primary_key=True, max_length=26, db_collation=BYTEWISE)  # ULID: the order of lists
    user_id = models.CharField(max_length=64, db_collation=BYTEWISE)
    account = models.ForeignObject(  # no column and no constraint: the join to `customers`
        Customer, models.DO_NOTHING, from_fields=["user_id"], to_fields=["user_id"], null=True, related_name="+"
    )
    user_email = models.CharField("e-mail", max_length=254)  # the account's address at the time `email_at`
    email_verified = models.BooleanField(null=True)
    email_at = models.DateTimeField(null=True)
    username = models.CharField(max_length=64)
    status = models.CharField(max_length=10, choices=[(status.value, status.label) for status in Status])
    total = _amount()
    currency = models.CharField(max_length=3)
    # Its lines as JSON, as clients see them. Lines never change. Null: the order is older than the column. The type is text,
    # because MySQL's JSON type sorts the keys.
    items = models.TextField(null=True, editable=False)
    shipping_address = models.JSONField(null=True)
    reason = models.CharField(max_length=200, null=True)
    # The id of its order-placed event, which is also its reservation request. Null: the order is older than the column.
    request_id = models.CharField(max_length=26, null=True, db_collation=BYTEWISE)
    rejection = models.JSONField(null=True)  # {"shortages": […], "prices": […]}, as stock replied
    sequence = models.PositiveIntegerField()  # the order's event counter
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        db_table = "orders"
        indexes = [
            models.Index(fields=["user_id", "id"], name="orders_of_user"),
            models.Index(fields=["user_id", "status", "id"], name="orders_of_user_status"),
            models.Index(fields=["status", "id"], name="orders_of_status"),
            models.Index(fields=["user_email"], name="orders_of_email"),
            models.Index(fields=["username"], name="orders_of_username"),
            models.Index(fields=["updated_at"], name="orders_by_change"),
        ]

    def __str__(self) -> str:
        return self.id


class OrderLine(models.Model):
    """One product of an order, with the catalogue's name and price at that time."""

    order = models.ForeignKey(Order, models.CASCADE, related_name="lines", db_index=False)
    position = models.PositiveSmallIntegerField()
    product_id = models.CharField(max_length=64, db_collation=BYTEWISE)
    name = models.CharField(max_length=200)
    quantity = models.PositiveIntegerField()
    unit_price = _amount()
    line_total = _amount()
    product_version = models.PositiveIntegerField()

    class Meta:
        db_table = "order_lines"
        ordering = ["position"]
        constraints = [models.UniqueConstraint(fields=["order", "position"], name="line_of_order")]
        indexes = [
            models.Index(fields=["product_id", "order"], name="lines_of_product"),
            models.Index(fields=["name", "order"], name="lines_by_name"),
        ]


class OrderChange(models.Model):
    """A change of an order's status, and who made it. Rows are only added."""

    order = models.ForeignKey(Order, models.CASCADE, related_name="changes")
    from_status = models.CharField("from", max_length=10, null=True)  # null: it was placed
    to_status = models.CharField("to", max_length=10)
    actor = models.CharField(max_length=200)  # customer:ID, staff:ID or saga
    reason = models.CharField(max_length=200, null=True)
    at = models.DateTimeField()
    number = models.BigIntegerField(null=True, unique=True)  # in the feed; null until it is given after the commit

    class Meta:
        db_table = "order_changes"
        ordering = ["id"]


class ChangeFeed(models.Model):
    """One row, which is locked while changes get their numbers. `last_number` is the highest that was given."""

    last_number = models.BigIntegerField()

    class Meta:
        db_table = "change_feed"


class OrderNote(models.Model):
    """A note of staff about an order. No customer sees it. It is deleted with the customer's account."""

    order = models.ForeignKey(Order, models.CASCADE, related_name="notes")
    author = models.CharField(max_length=200)  # staff:ID
    author_name = models.CharField("author", max_length=150)
    text = models.TextField(max_length=2000)
    at = models.DateTimeField()

    class Meta:
        db_table = "order_notes"
        ordering = ["id"]
        indexes = [models.Index(fields=["author"], name="notes_of_author")]


class MailRequest(models.Model):
    """A request of staff to resend the mail of one of an order's changes. Rows are only added."""

    event_id = models.CharField(primary_key=True, max_length=26, db_collation=BYTEWISE)  # of mail-resend-requested
    order = models.ForeignKey(Order, models.CASCADE, related_name="mail_requests")
    kind = models.CharField(max_length=64)  # the topic of the change's event, such as order-shipped
    actor = models.CharField(max_length=200)  # staff:ID
    at = models.DateTimeField()

    class Meta:
        db_table = "mail_requests"

    def __str__(self) -> str:
        return f"{self.kind} {self.event_id}"


class SentMail(models.Model):
    """What became of a mail about an order, as topic mail-sent reports."""

    event_id = models.CharField(
        primary_key=True, max_length=26, db_collation=BYTEWISE
    )  # of the event that the mail is for
    kind = models.CharField(max_length=64)
    order_id = models.CharField(max_length=26, db_collation=BYTEWISE)  # no foreign key: topics have no common order
    sent_at = models.DateTimeField()
    outcome = models.CharField(max_length=32, db_default="sent")  # or suppressed: no mail went out
    trace_id = models.CharField(max_length=32, db_default="")  # of the request that the mail comes from

    class Meta:
        db_table = "sent_mails"
        indexes = [models.Index(fields=["order_id"], name="mails_of_order")]


class CatalogueProduct(models.Model):
    """The replica of a product, as product_service published it last. Deleted ones stay, inactive."""

    product_id = models.CharField(primary_key=True, max_length=64, db_collation=BYTEWISE)
    name = models.CharField(max_length=200)
    price = _amount()
    currency = models.CharField(max_length=3)
    active = models.BooleanField()
    version = models.PositiveIntegerField()
    updated_at = models.DateTimeField()

    class Meta:
        db_table = "catalogue_products"
        indexes = [
            models.Index(fields=["name"], name="catalogue_by_name"),
            models.Index(fields=["active"], name="catalogue_by_active"),
        ]

    def __str__(self) -> str:
        return self.name


class CatalogueState(models.Model):
    """One row: up to which offsets the catalogue must be read before the service takes orders, and when it was."""

    end_offsets = models.JSONField(db_column="ends")  # {"topic/partition": offset} at the first start of a worker
    ready_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "catalogue_state"


class Outbox(OutboxTable):
    """Events that are stored with their change and not published yet."""

    class Meta:
        db_table = "outbox"
        verbose_name_plural = "outbox"
        constraints = [models.UniqueConstraint(fields=["aggregate_id", "sequence"], name="outbox_sequence")]


class OutboxDead(DeadEventTable):
    """Events that Kafka refused for good."""

    class Meta:
        db_table = "outbox_dead"
        verbose_name_plural = "dead events"
        indexes = [models.Index(fields=["aggregate_id"], name="dead_of_aggregate")]


class IdempotencyKey(models.Model):
    """A key that a user sent with a request, and the 2xx response to it, stored in the transaction of the change."""

    user_id = models.CharField(max_length=64, db_collation=BYTEWISE)
    route = models.CharField(max_length=64, db_default="POST /orders", db_collation=BYTEWISE)
    key = models.CharField(max_length=128, db_collation=BYTEWISE)
    order_id = models.CharField(max_length=26, null=True, db_collation=BYTEWISE)  # whose customer the response is about
    body_hash = models.CharField(max_length=64, db_collation=BYTEWISE)  # SHA-256 in hex
    response = models.TextField()  # JSON
    created_at = models.DateTimeField()

    class Meta:
        db_table = "idempotency_keys"
        constraints = [models.UniqueConstraint(fields=["user_id", "route", "key"], name="key_of_user_and_route")]
        indexes = [
            models.Index(fields=["created_at"], name="idempotency_keys_by_age"),
            models.Index(fields=["order_id"], name="idempotency_keys_of_order"),
        ]


class RevocationRow(RevocationTable):
    """Revocations of tokens, as topic user-revocations reports them."""

    class Meta:
        db_table = "revocations"
        indexes = [models.Index(fields=["stored_at"], name="revocations_by_age")]


class RelayLease(RelayLeaseTable):
    """The lease of the relay."""

    class Meta:
        db_table = "relay_lease"


class KafkaCluster(ClusterTable):
    """The Kafka cluster that the service knows."""

    class Meta:
        db_table = "kafka_cluster"


class WorkerState(WorkerStatusTable):
    """The last status of each worker process."""

    class Meta:
        db_table = "worker_states"
