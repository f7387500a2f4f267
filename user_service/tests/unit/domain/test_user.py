"""Accounts: how they change."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from libs.values.email_address import EmailAddress
from user_service.domain.second_factor import SecondFactor
from user_service.domain.user import User

AT = datetime(2026, 1, 31, 12, tzinfo=UTC)
FACTOR = SecondFactor(secret="A" * 32, last_step=1, recovery_hashes=("hash",))
ADA = User(
    id="0" * 24,
    username="Ada",
    email=EmailAddress.of("Ada@example.com"),
    password_hash="hash",
    roles=("staff",),
    email_verified=True,
    created_at=AT,
    updated_at=AT,
)


def test_another_address_is_not_verified():
    changed = ADA.with_email(EmailAddress.of("ada@example.org"))
    assert (changed.email.text, changed.email_verified) == ("ada@example.org", False)


def test_a_confirmed_authenticator_is_no_longer_offered():
    changed = replace(ADA, offered_secret="A" * 32).with_second_factor(FACTOR)
    assert (changed.second_factor, changed.offered_secret) == (FACTOR, None)


def test_a_lock_ends_the_offer_and_the_approval_of_an_authenticator():
    offered = replace(ADA, offered_secret="A" * 32, offer_expires_at=AT).with_approval(at=AT)
    locked = offered.disabled()
    assert (locked.offered_secret, locked.offer_expires_at, locked.approved_until) == (None, None, None)
    assert replace(locked, active=True).needs_approval(second_factor_required=True, at=AT)
    assert ADA.with_second_factor(FACTOR).disabled().second_factor == FACTOR


def test_an_erased_account_keeps_its_id_and_its_times_only():
    erased = ADA.with_second_factor(FACTOR).erased(at=AT)
    assert (erased.id, erased.created_at, erased.deleted_at) == (ADA.id, AT, AT)
    assert (erased.active, erased.email_verified, erased.roles, erased.second_factor) == (False, False, (), None)
    assert (erased.email.text, erased.password_hash) == ("", "")
    assert "Ada" not in str(erased)


@pytest.mark.parametrize(
    ("factor", "required", "roles"),
    [(None, False, ("staff",)), (None, True, ()), (FACTOR, True, ("staff",)), (FACTOR, False, ("staff",))],
)
def test_where_a_second_factor_is_required_roles_count_only_with_one(factor, required, roles):
    user = replace(ADA, second_factor=factor)
    assert user.effective_roles(second_factor_required=required) == roles
