"""Which errors of Django mean that MySQL does not serve now."""

import pytest
from django.db import DataError, IntegrityError, InterfaceError, InternalError, OperationalError, ProgrammingError
from django.db.transaction import TransactionManagementError

from libs.django_store.connection import is_unavailable


def after(cause):
    """What Django raises for a statement in a transaction that `cause` has broken."""
    error = TransactionManagementError("You can't execute queries until the end of the 'atomic' block.")
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    "error",
    [
        OperationalError(2006, "Server has gone away"),
        OperationalError(1290, "running with --read-only"),
        OperationalError(1040, "Too many connections"),
        InterfaceError(0, ""),
        ProgrammingError(2014, "Commands out of sync"),
        InternalError(2000, "unknown"),
        OperationalError(1045, "Access denied"),
        ProgrammingError(1142, "UPDATE command denied"),
        InternalError(1836, "running in read-only mode"),
        after(OperationalError(2013, "Lost connection")),
    ],
    ids=repr,
)
def test_a_state_of_the_server_or_the_way_to_it(error):
    assert is_unavailable(error)


@pytest.mark.parametrize(
    "error",
    [
        None,
        ValueError("x"),
        ProgrammingError(1064, "syntax"),
        ProgrammingError(),
        IntegrityError(1062, "Duplicate entry"),
        DataError(1406, "Data too long"),
        after(IntegrityError(1062, "Duplicate entry")),
        after(None),
    ],
    ids=repr,
)
def test_a_fault_of_ours_or_of_the_input(error):
    assert not is_unavailable(error)
