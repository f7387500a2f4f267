"""The periodic tasks, while the database does not serve."""

from unittest.mock import Mock

import pytest
from confluent_kafka import KafkaError, KafkaException
from django.db import OperationalError, ProgrammingError

from order_service.worker import address_requests, catalogue_load, reservation_requests, retention
from order_service.worker.reconciliation import make_reconciliation_status

TASKS = {
    "addresses": (address_requests, "request_addresses", lambda: address_requests.make_address_requests()),
    "asking": (
        reservation_requests,
        "resend_reservation_requests",
        lambda: reservation_requests.make_reservation_requests(60, lambda: None),
    ),
    "housekeeping": (retention.idempotency_keys, "purge", lambda: retention.make_retention()),
    "first-fill": (catalogue_load, "is_loaded", lambda: catalogue_load.CatalogueLoad("nowhere").task()),
}
AWAY = [
    OperationalError(1045, "Access denied"),
    OperationalError(1290, "running with --read-only"),
    ProgrammingError(1142, "UPDATE command denied"),
]


@pytest.mark.parametrize("error", AWAY, ids=repr)
@pytest.mark.parametrize("name", TASKS)
def test_a_refused_login_and_a_read_only_server_postpone_a_task(monkeypatch, name, error):
    module, work, make = TASKS[name]
    monkeypatch.setattr(module, work, Mock(side_effect=error))
    task = make()
    assert task.name == name
    assert task._run_once() == 0.0  # due again with the next turn
    assert getattr(module, work).call_count == 1


@pytest.mark.parametrize("name", TASKS)
def test_a_defect_ends_a_task(monkeypatch, name):
    module, work, make = TASKS[name]
    monkeypatch.setattr(module, work, Mock(side_effect=KeyError("a bug")))
    with pytest.raises(KeyError):
        make()._run_once()


def test_the_load_of_the_catalogue_waits_for_kafka_too(monkeypatch):
    monkeypatch.setattr(
        catalogue_load, "is_loaded", Mock(side_effect=KafkaException(KafkaError(KafkaError._TRANSPORT)))
    )
    assert catalogue_load.CatalogueLoad("nowhere").task()._run_once() == 0.0


@pytest.mark.parametrize("error", AWAY, ids=repr)
def test_the_task_that_only_shows_a_status_takes_the_same_for_an_outage(error):
    assert make_reconciliation_status()._is_temporary(error)
