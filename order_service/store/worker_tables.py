"""The tables that connect the worker to the web processes: its status, and revocations of tokens."""

from libs.django_store.revocations import DjangoRevocations
from libs.django_store.worker_status import DjangoWorkerStatus
from order_service.store import models

worker_status = DjangoWorkerStatus(models.WorkerState)
stored_revocations = DjangoRevocations(models.RevocationRow)
