"""Sessions: which use of a refresh token may be repeated."""

from datetime import UTC, datetime, timedelta

import pytest

from user_service.domain.refresh_token import RefreshToken
from user_service.domain.session import Device, Session, TokenUse

AT = datetime(2026, 1, 1, 12, tzinfo=UTC)
GRACE = timedelta(seconds=10)


@pytest.fixture
def session():
    uses = (TokenUse(rotation=1, at=AT), TokenUse(rotation=2, at=AT + timedelta(seconds=5)))
    return Session(
        id="0" * 26,
        user_id="0" * 24,
        rotation=3,
        device=Device(address="127.0.0.1", agent=""),
        created_at=AT,
        refreshed_at=AT,
        expires_at=AT + timedelta(days=1),
        uses=uses,
    )


@pytest.mark.parametrize(
    ("rotation", "seconds", "successor"),
    [(1, 0, 2), (1, 9.999, 2), (1, 10, None), (2, 14.999, 3), (2, 15, None), (3, 5, None), (4, 5, None)],
)
def test_a_token_that_was_used_within_the_grace_has_the_same_successor(session, rotation, seconds, successor):
    token = RefreshToken(sid=session.id, rotation=rotation)
    after = session.after_use_of(token, since=AT + timedelta(seconds=seconds) - GRACE)
    assert (after and after.refresh_token.rotation) == successor
