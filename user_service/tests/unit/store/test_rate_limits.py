"""What the rate limits do when MongoDB refuses an operation."""

import pytest
from pymongo.errors import NotPrimaryError, OperationFailure

from user_service.store.limits.rate_limits import Limiter


@pytest.fixture
def limiter():
    """Without a database: `apply` gets its operation."""
    limiter = Limiter.__new__(Limiter)
    limiter._shared, limiter._local = "shared", "local"
    return limiter


def refuse(error):
    def operation(counts):
        if counts == "shared":
            raise error
        return counts

    return operation


@pytest.mark.parametrize(
    "error", [OperationFailure("Authentication failed.", 18), NotPrimaryError("read-only")], ids=repr
)
def test_while_the_database_is_unavailable_nothing_is_counted(limiter, error):
    with pytest.raises(type(error)):
        limiter.apply(refuse(error))


def test_while_it_takes_no_writes_the_process_counts(limiter):
    assert limiter.apply(refuse(OperationFailure("no room", 14031))) == "local"
