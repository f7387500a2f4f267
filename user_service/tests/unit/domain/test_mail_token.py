"""Tokens of mail links."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from libs.values.email_address import EmailAddress
from user_service.domain.mail_token import MailToken, token_hash
from user_service.tests.unit.domain.test_user import ADA

AT = datetime(2026, 1, 31, 12, tzinfo=UTC)


def issue(kind="reset"):
    return MailToken.issue(kind, user_id=ADA.id, email_key=ADA.email.key, at=AT)


def test_a_token_holds_the_hash_of_its_text_only():
    token, text = issue()
    assert token.hash == token_hash(text)
    assert text not in str(token)


@pytest.mark.parametrize(("kind", "lifetime"), [("reset", timedelta(hours=1)), ("verify", timedelta(days=1))])
def test_a_token_expires(kind, lifetime):
    token, _ = issue(kind)
    assert token.expires_at == AT + lifetime


def test_a_token_is_for_its_account_at_its_address_while_it_is_active():
    token, _ = issue()
    assert token.matches(ADA)
    assert not token.matches(ADA.disabled())
    assert not token.matches(replace(ADA, id="1" * 24))
    assert not token.matches(ADA.with_email(EmailAddress.of("ada@example.org")))
