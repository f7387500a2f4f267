"""Sessions."""

from datetime import UTC, datetime, timedelta

from user_service.domain.refresh_token import RefreshToken
from user_service.domain.session import Device, Session
from user_service.tests.unit.domain.test_user import ADA

AT = datetime(2026, 1, 31, 12, tzinfo=UTC)


def test_a_session_begins_with_its_first_refresh_token():
    device = Device(address="192.0.2.1", agent="Browser")
    session = Session.begin(ADA, device, at=AT, lifetime=timedelta(days=1))
    assert (session.user_id, session.created_at, session.refreshed_at) == (ADA.id, AT, AT)
    assert session.expires_at == AT + timedelta(days=1)
    assert session.refresh_token == RefreshToken(sid=session.id, rotation=1)
