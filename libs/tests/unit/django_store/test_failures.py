"""What the errors of MySQL and MariaDB mean."""

import pytest
from django.db import DataError, IntegrityError, InterfaceError, InternalError, OperationalError, ProgrammingError

from libs.django_store.connection import UNAVAILABLE_CODES
from libs.django_store.failures import CONFLICT_CODES, LIMIT_CODES, LOST_CODES, DjangoFailures, is_temporary
from libs.messaging.failures import FailureKind

KINDS = [
    *((OperationalError(code, "refused"), FailureKind.UNAVAILABLE) for code in sorted(UNAVAILABLE_CODES)),
    *((OperationalError(code, "later"), FailureKind.CONFLICT) for code in sorted(CONFLICT_CODES)),
    *((OperationalError(code, "slow"), FailureKind.LIMIT) for code in sorted(LIMIT_CODES | LOST_CODES)),
    (ProgrammingError(1142, "no right"), FailureKind.UNAVAILABLE),
    (OperationalError(2002, "no server"), FailureKind.UNAVAILABLE),
    (OperationalError(2003, "no server"), FailureKind.UNAVAILABLE),
    (InterfaceError(0, "closed"), FailureKind.UNAVAILABLE),
    (InterfaceError("connection already closed"), FailureKind.UNAVAILABLE),
    (OperationalError(1054, "unknown column"), FailureKind.OWN),
    (OperationalError(), FailureKind.OWN),
    (IntegrityError(1062, "twice"), FailureKind.OWN),
    (DataError(1406, "too long"), FailureKind.OWN),
    (InternalError(1815, "a bug"), FailureKind.OWN),
    (KeyError("a bug"), FailureKind.OWN),
]


@pytest.mark.parametrize(("error", "kind"), KINDS, ids=lambda value: getattr(value, "name", repr(value)))
def test_the_kind_of_an_error(error, kind):
    assert DjangoFailures().kind_of(error) is kind


@pytest.mark.parametrize(("error", "kind"), KINDS, ids=lambda value: getattr(value, "name", repr(value)))
def test_relay_and_tasks_go_on_after_what_may_pass_and_after_every_operational_error(error, kind):
    assert is_temporary(error) is (kind is not FailureKind.OWN or isinstance(error, OperationalError))
