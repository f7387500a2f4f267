"""Password hashes."""

from user_service.passwords import hash_password, verify_password


def test_a_password_fits_its_own_hash_only():
    stored = hash_password("correct horse")
    assert verify_password("correct horse", stored)
    assert not verify_password("Correct horse", stored)


def test_the_hash_is_argon2id_with_the_recommended_cost():
    assert hash_password("correct horse").startswith("$argon2id$v=19$m=19456,t=2,p=1$")


def test_nobody_has_no_password_not_even_the_stand_in():
    assert not verify_password("nobody", None)


def test_a_damaged_hash_fits_nothing():
    assert not verify_password("correct horse", "not a hash")
