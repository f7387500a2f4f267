"""Rules for passwords."""

import pytest
from pydantic import TypeAdapter, ValidationError

from libs.values.email_address import EmailAddress
from libs.values.errors import Invalid
from user_service.domain import passwords
from user_service.domain.passwords import Password, is_common, password_forms, refuse_guessable


@pytest.mark.parametrize("password", ["password", "PASSWORD", "12345678", "iloveyou", "qwerty123"])
def test_the_commonest_passwords_are_known_in_any_case(password):
    assert is_common(password)


@pytest.mark.parametrize(
    "password", ["pass word", " password ", "\uff50\uff41\uff53\uff53\uff57\uff4f\uff52\uff44", "Q W E R T Y 1 2 3"]
)
def test_the_commonest_passwords_are_known_in_any_width_and_with_spaces(password):
    assert is_common(password)


def test_the_list_holds_three_thousand_that_are_long_enough_to_be_tried():
    commonest = passwords._most_common()
    assert len(commonest) == 3000
    assert min(map(len, commonest)) >= 8
    assert not is_common("Correct-horse-battery")


@pytest.mark.parametrize(
    ("typed", "set_as"),
    [
        ("Correct horse", "Correct horse"),
        ("Correct\u00a0horse", "Correct horse"),
        ("Correct\u3000horse", "Correct horse"),
        ("Gro\u0308sse-horse", "Grösse-horse"),
        ("\u212bngstrom-horse", "\u00c5ngstrom-horse"),
        ("  spaces at the ends  ", "  spaces at the ends  "),
        ("\uff57ide-horse", "\uff57ide-horse"),
    ],
)
def test_a_password_is_set_as_an_opaque_string(typed, set_as):
    assert TypeAdapter(Password).validate_python(typed) == set_as
    assert password_forms(typed) == tuple(dict.fromkeys((set_as, typed)))


@pytest.mark.parametrize(
    "password",
    ["Correct\thorse", "Correct\nhorse", "Correct\x00horse", "Correct\u200bhorse", "Correct\uffffhorse", "a\u0308" * 4],
)
def test_what_is_no_opaque_string_of_eight_characters_is_refused(password):
    with pytest.raises(ValidationError):
        TypeAdapter(Password).validate_python(password)


NAMES = {
    "username": "ada.lovelace",
    "email": EmailAddress.of("Ada.King@xn--bcher-kva.example"),
    "shop_name": "Micro Shop",
}


@pytest.mark.parametrize(
    "password",
    [
        "ada.lovelace",
        "ADA.Lovelace",
        " ada.love lace ",
        "Ada.King",
        "ADA.KING@XN--BCHER-KVA.EXAMPLE",
        "ada.king@bücher.example",
        "MicroShop",
        "micro shop",
        "M I C R O S H O P",
        "\uff4dicroshop",
    ],
)
def test_names_of_the_account_and_of_the_shop_are_no_passwords(password):
    with pytest.raises(Invalid) as refused:
        refuse_guessable(password, **NAMES, field="new")
    assert [(e["field"], e["code"]) for e in refused.value.errors] == [("new", "guessable-password")]


@pytest.mark.parametrize(
    "password",
    [
        "ada.king@bücher.example",
        "ada.king@xn--bcher-kva.example",
        "ada.king+shop@xn--bcher-kva.example",
        "ada.king",
        "Ada.King+Shop",
    ],
)
def test_an_address_is_no_password_in_any_spelling(password):
    with pytest.raises(Invalid):
        refuse_guessable(password, username="al", email=EmailAddress.of("Ada.King+Shop@Bücher.example"), shop_name="x")


def test_a_password_that_contains_a_name_is_accepted():
    refuse_guessable("ada.lovelace-and-more", **NAMES)
