"""A use case that is repeated while another transaction is first."""

import pytest
from pymongo.errors import ExecutionTimeout

from libs.mongo_store import transactions
from libs.mongo_store.transactions import until_written


def test_an_attempt_is_repeated_until_it_returns_a_result():
    results = iter([None, None, "written"])

    @until_written
    def attempt(*, name: str) -> str | None:
        assert name == "ada"
        return next(results)

    assert attempt(name="ada") == "written"
    assert next(results, "no more") == "no more"


def test_attempts_end_with_the_time_of_a_transaction(monkeypatch):
    monkeypatch.setattr(transactions, "TIMEOUT_MS", 0)
    with pytest.raises(ExecutionTimeout):
        until_written(lambda: None)()
