"""The tables of the worker: its status and revocations of tokens, which web processes read, and the known Kafka cluster."""

from libs.django_store.cluster import DjangoCluster
from libs.django_store.revocations import DjangoRevocations
from libs.django_store.worker_status import DjangoWorkerStatus
from order_service.store import models

worker_status = DjangoWorkerStatus(models.WorkerState)
known_cluster = DjangoCluster(models.KafkaCluster)
stored_revocations = DjangoRevocations(models.RevocationRow)
