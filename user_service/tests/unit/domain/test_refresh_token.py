"""Refresh tokens: signed and verified."""

import pytest
from pydantic import SecretStr

from user_service.domain.errors import SessionEnded
from user_service.domain.refresh_token import RefreshToken

KEY = SecretStr("k" * 32)
TOKEN = RefreshToken(sid="0" * 26, rotation=7)


def test_a_signed_token_is_verified():
    assert RefreshToken.verify(TOKEN.sign(KEY), KEY) == TOKEN


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        TOKEN.sign(SecretStr("x" * 32)),
        TOKEN.sign(KEY).replace(".7.", ".8."),
        TOKEN.sign(KEY).replace(".7.", ".07."),
        TOKEN.sign(KEY) + "x",
        TOKEN.sign(KEY)[:-1],
    ],
)
def test_any_other_text_is_refused(text):
    with pytest.raises(SessionEnded):
        RefreshToken.verify(text, KEY)
