"""The tables and their invariants. Ids are compared byte by byte; money is DECIMAL(12,2); times are UTC."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from django.db import models
from ulid import ULID

MAX_AMOUNT = Decimal("9999999999.99")  # DECIMAL(12,2)
BYTEWISE = "utf8mb4_bin"  # known to MySQL and MariaDB alike
RawOrder = dict[str, Any]  # the columns of an order by name, and "lines": the columns of its lines


def now() -> datetime:
    """The present in milliseconds: what an order's id and its answers hold."""
    moment = datetime.now(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def new_id(moment: datetime) -> str:
    """The id of an order placed at `moment`; ids sort by time."""
    return str(ULID.from_datetime(moment))


def first_id(moment: datetime) -> str:
    """The smallest id of an order placed at `moment` or later."""
    milliseconds = max(0, -(-int(moment.timestamp() * 1_000_000) // 1000))
    return str(ULID.from_bytes(milliseconds.to_bytes(6, "big") + bytes(10)))


class Status(models.TextChoices):
    """transitions.py tells which may follow which."""

    PENDING = "pending"
    CONFIRMED = "confirmed"
    REJECTED = "rejected"
    SHIPPED = "shipped"
    DELIVERED = "delivered"
    CANCELLED = "cancelled"


def _amount() -> Any:
    return models.DecimalField(max_digits=12, decimal_places=2)


class Order(models.Model):
    """An order as it was placed. Only its status changes, by a guarded UPDATE, never by save()."""

    id = models.CharField(primary_key=True, max_length=26, db_collation=BYTEWISE)  # ULID: the order of lists
    user_id = models.CharField(max_length=64, db_collation=BYTEWISE)
    user_email = models.CharField("e-mail", max_length=254)
    username = models.CharField(max_length=64)
    status = models.CharField(max_length=10, choices=Status.choices)
    total = _amount()
    currency = models.CharField(max_length=3)
    shipping_address = models.JSONField(null=True)
    reason = models.CharField(max_length=200, null=True)
    sequence = models.PositiveIntegerField()  # the order's event counter
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        db_table = "orders"
        indexes = [
            models.Index(fields=["user_id", "id"], name="orders_of_user"),
            models.Index(fields=["status", "id"], name="orders_of_status"),
            models.Index(fields=["user_email"], name="orders_of_email"),
            models.Index(fields=["username"], name="orders_of_username"),
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
    """What happened to an order and by whom; rows are only ever added."""

    order = models.ForeignKey(Order, models.CASCADE, related_name="changes")
    from_status = models.CharField("from", max_length=10, null=True)  # null: it was placed
    to_status = models.CharField("to", max_length=10)
    actor = models.CharField(max_length=200)  # customer:ID, staff:ID or saga
    reason = models.CharField(max_length=200, null=True)
    at = models.DateTimeField()

    class Meta:
        db_table = "order_changes"
        ordering = ["id"]


class OrderNote(models.Model):
    """What staff tell each other about an order. No customer sees it, and it goes with the customer's account."""

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
    """Who asked to send the mail of one of an order's steps again; rows are only ever added."""

    event_id = models.CharField(primary_key=True, max_length=26, db_collation=BYTEWISE)  # of mail-resend-requested
    order = models.ForeignKey(Order, models.CASCADE, related_name="mail_requests")
    kind = models.CharField(max_length=64)  # the topic of the step, such as order-shipped
    actor = models.CharField(max_length=200)  # staff:ID
    at = models.DateTimeField()

    class Meta:
        db_table = "mail_requests"

    def __str__(self) -> str:
        return f"{self.kind} {self.event_id}"


class SentMail(models.Model):
    """A mail about an order that went out, as topic mail-sent tells."""

    event_id = models.CharField(primary_key=True, max_length=26, db_collation=BYTEWISE)  # of the event that was mailed
    kind = models.CharField(max_length=64)
    order_id = models.CharField(max_length=26, db_collation=BYTEWISE)  # no foreign key: topics have no common order
    sent_at = models.DateTimeField()

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
    """One row: how far the replica's first fill must read, and since when it has."""

    ends = models.JSONField()  # {"topic/partition": offset}, noted at the first start of a worker
    ready_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "catalogue_state"


class PendingEvent(models.Model):
    """Columns of an event that waits for the relay, or waits no more."""

    event_id = models.CharField(max_length=26, unique=True, db_collation=BYTEWISE)
    topic = models.CharField(max_length=120)
    aggregate_id = models.CharField(max_length=64, db_collation=BYTEWISE)
    sequence = models.PositiveIntegerField()
    payload = models.TextField()
    headers = models.TextField()
    created_at = models.DateTimeField()

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.topic} {self.event_id}"


class Outbox(PendingEvent):
    """Events stored with their change and not published yet."""

    class Meta:
        db_table = "outbox"
        verbose_name_plural = "outbox"
        constraints = [models.UniqueConstraint(fields=["aggregate_id", "sequence"], name="outbox_sequence")]


class OutboxDead(PendingEvent):
    """Events that Kafka will never take."""

    reason = models.CharField(max_length=200)
    died_at = models.DateTimeField()

    class Meta:
        db_table = "outbox_dead"
        verbose_name_plural = "dead events"
        indexes = [models.Index(fields=["aggregate_id"], name="dead_of_aggregate")]


class PendingOrder(PendingEvent):
    """The question that an undecided order asks the stock: its order-placed event, kept so that it can be asked again unchanged."""

    published_at = models.DateTimeField(null=True)  # when the broker had it for the first time
    ask_at = models.DateTimeField(null=True)  # when to ask again; null while the event is in the outbox
    asks = models.PositiveSmallIntegerField(default=0)  # how often it was asked again

    class Meta:
        db_table = "pending_orders"
        constraints = [models.UniqueConstraint(fields=["aggregate_id"], name="question_of_order")]
        indexes = [
            models.Index(fields=["ask_at"], name="pending_orders_to_ask"),
            models.Index(fields=["published_at"], name="pending_orders_by_age"),
        ]


class IdempotencyKey(models.Model):
    """A key that a customer sent with an order, and the 201 that answered it; stored with the order or not at all."""

    user_id = models.CharField(max_length=64, db_collation=BYTEWISE)
    key = models.CharField(max_length=128, db_collation=BYTEWISE)
    body_hash = models.CharField(max_length=64, db_collation=BYTEWISE)  # SHA-256 in hex
    response = models.TextField()  # JSON
    created_at = models.DateTimeField()

    class Meta:
        db_table = "idempotency_keys"
        constraints = [models.UniqueConstraint(fields=["user_id", "key"], name="key_of_user")]
        indexes = [models.Index(fields=["created_at"], name="idempotency_keys_by_age")]


class RevocationRow(models.Model):
    """Tokens and sessions of a user, or those of one login, that began before `not_before` are void; see revocations.py."""

    user_id = models.CharField(max_length=64, db_collation=BYTEWISE)
    sid = models.CharField(max_length=64, null=True, db_collation=BYTEWISE)
    not_before = models.BigIntegerField()  # ms since the epoch
    stored_at = models.DateTimeField()

    class Meta:
        db_table = "revocations"
        indexes = [models.Index(fields=["stored_at"], name="revocations_by_age")]


class RelayLease(models.Model):
    """One row: which worker's relay publishes, and until when by the database's clock."""

    name = models.CharField(primary_key=True, max_length=40, db_collation=BYTEWISE)
    owner = models.CharField(max_length=26, db_collation=BYTEWISE)
    expires_at = models.DateTimeField()

    class Meta:
        db_table = "relay_lease"


class WorkerState(models.Model):
    """What a worker process last said of itself."""

    worker = models.CharField(primary_key=True, max_length=255)
    beat = models.FloatField()  # epoch seconds
    state = models.JSONField()

    class Meta:
        db_table = "worker_states"
