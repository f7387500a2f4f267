"""The revocations that web processes read from the database."""

from datetime import timedelta

import pytest

from libs.access.revocations import Revocation
from order_service.store.worker_tables import stored_revocations

pytestmark = pytest.mark.django_db


def test_a_stored_revocation_is_read_from_then_on():
    at, none = stored_revocations.read(None)
    assert none == []
    one = Revocation("7" * 24, "session", 1_800_000_000)
    stored_revocations.add([one])
    assert stored_revocations.read(None)[1] == [one]
    assert stored_revocations.read(at - timedelta(seconds=1))[1] == [one]
    assert stored_revocations.read(at + timedelta(minutes=1))[1] == []
