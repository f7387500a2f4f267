"""The periodic tasks, while the database does not serve."""

from unittest.mock import Mock

import pytest
from pymongo.errors import NotPrimaryError, OperationFailure

from product_service.worker import held_stock, retention

TASKS = {
    "held-stock": (held_stock, "publish_next_page", held_stock.make_held_stock),
    "housekeeping": (retention.old_stock, "purge_reservations", retention.make_retention),
}
AWAY = [OperationFailure("Authentication failed.", 18), NotPrimaryError("read-only"), OperationFailure("no", 13)]


@pytest.mark.parametrize("error", AWAY, ids=repr)
@pytest.mark.parametrize("name", TASKS)
def test_a_refused_login_and_a_read_only_server_postpone_a_task(monkeypatch, name, error):
    module, work, make = TASKS[name]
    monkeypatch.setattr(module, work, Mock(side_effect=error))
    task = make("USD")
    assert task.name == name
    assert task._run_once() == 0.0  # due again with the next turn
    assert getattr(module, work).call_count == 1


@pytest.mark.parametrize("name", TASKS)
def test_a_defect_ends_a_task(monkeypatch, name):
    module, work, make = TASKS[name]
    monkeypatch.setattr(module, work, Mock(side_effect=OperationFailure("validation", 121)))
    with pytest.raises(OperationFailure):
        make("USD")._run_once()
