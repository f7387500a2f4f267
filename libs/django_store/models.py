"""Abstract tables: a service's Django app declares its own tables from them. Ids are compared byte by byte."""

from django.db import models

from libs.django_store.bytewise import BYTEWISE


class StoredEvent(models.Model):
    """The columns of an event, as `libs.messaging.envelope.OutboxRow` has them."""

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


class OutboxTable(StoredEvent):
    """Events that are stored with their change and not published yet. The concrete table is unique by aggregate and sequence."""

    class Meta:
        abstract = True


class DeadEventTable(StoredEvent):
    """Events that Kafka refused for good."""

    reason = models.CharField(max_length=200)
    died_at = models.DateTimeField()

    class Meta:
        abstract = True


class RelayLeaseTable(models.Model):
    """One row: which worker's relay publishes, and until when by the database's clock."""

    name = models.CharField(primary_key=True, max_length=40, db_collation=BYTEWISE)
    owner = models.CharField(max_length=26, db_collation=BYTEWISE)
    expires_at = models.DateTimeField()

    class Meta:
        abstract = True


class ClusterTable(models.Model):
    """One row: the Kafka cluster that the service knows."""

    id = models.PositiveSmallIntegerField(primary_key=True)  # 1
    cluster_id = models.CharField(max_length=64, db_collation=BYTEWISE)

    class Meta:
        abstract = True


class RevocationTable(models.Model):
    """Revocations: a user's tokens, or those of one session (`sid`), that were issued before `not_before` are void."""

    user_id = models.CharField(max_length=64, db_collation=BYTEWISE)
    sid = models.CharField(max_length=64, null=True, db_collation=BYTEWISE)
    not_before = models.BigIntegerField()  # ms since the epoch
    stored_at = models.DateTimeField()

    class Meta:
        abstract = True


class WorkerStatusTable(models.Model):
    """The last status of each worker process."""

    worker = models.CharField(primary_key=True, max_length=255)
    beat = models.FloatField()  # seconds since the epoch
    state = models.JSONField()

    class Meta:
        abstract = True
