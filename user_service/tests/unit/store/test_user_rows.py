"""Accounts as documents, without a server."""

from dataclasses import fields, replace

import pytest
from mongoengine import ValidationError

from libs.mongo_store.validation import validate_document
from user_service.domain.user import User
from user_service.store import documents, user_rows
from user_service.tests.unit.domain.test_user import ADA, AT, FACTOR

ACCOUNTS = [
    ADA,
    replace(ADA, roles=(), offered_secret="B" * 32),
    ADA.with_second_factor(FACTOR),
    ADA.with_second_factor(replace(FACTOR, recovery_hashes=())),
    ADA.erased(at=AT),
]


@pytest.mark.parametrize("user", ACCOUNTS)
def test_an_account_is_read_as_it_was_written(user):
    row = user_rows.to_bson(user)
    validate_document(documents.User, row)
    read = user_rows.from_bson(row)
    assert {f.name: getattr(read, f.name) for f in fields(User)} == {
        f.name: getattr(user, f.name) for f in fields(User)
    }


def test_an_erased_account_has_no_entry_in_the_unique_indexes():
    row = user_rows.to_bson(ADA.with_second_factor(FACTOR).erased(at=AT))
    assert not {"username_key", "email_key", "email", "password_hash", "totp_secret"} & row.keys()


def test_a_document_outside_its_limits_is_refused():
    with pytest.raises(ValidationError):
        validate_document(documents.User, user_rows.to_bson(replace(ADA, roles=("king",))))
    with pytest.raises(ValidationError):
        validate_document(documents.User, user_rows.to_bson(replace(ADA, username="a" * 31)))


def test_a_change_outside_its_limits_is_refused():
    with pytest.raises(ValidationError):
        user_rows.difference(ADA, replace(ADA, username="a" * 31))
    with pytest.raises(ValidationError):
        user_rows.difference(ADA, replace(ADA, roles=("king",)))


def test_a_change_holds_what_differs_only():
    change = user_rows.difference(ADA.with_second_factor(FACTOR), replace(ADA, username="Countess"))
    assert change["$set"] == {"username": "Countess", "username_key": "countess"}
    assert set(change["$unset"]) == {"totp_secret", "totp_step", "recovery_hashes"}
