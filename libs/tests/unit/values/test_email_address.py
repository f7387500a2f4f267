"""E-mail addresses: one form decides whose an address is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.values.email_address import EmailAddress, email_key, mailbox_key, spellings

ADA = "ada@example.com"
BOOKS = "ada@bücher.example"


def test_an_address_is_shown_as_given_and_compared_by_its_key():
    given, other = EmailAddress.of(" Ada@Example.com "), EmailAddress.of("ada@example.com")
    assert (given.text, given.key) == ("Ada@Example.com", "ada@example.com")
    assert given == other
    assert hash(given) == hash(other)
    assert given != EmailAddress.of("bob@example.com")
    assert given != "ada@example.com"


@pytest.mark.parametrize(
    ("text", "key"),
    [
        (" ada@example.com", ADA),
        ("ada@example.com\r\n", ADA),
        ("\u00a0\u3000\tADA@EXAMPLE.COM\u00a0", ADA),
        ("ada@example\uff0ecom", ADA),  # full-width dot
        ("ada@example\u3002com", ADA),  # ideographic full stop
        ("ada@\uff45\uff58ample.com", ADA),
        ("ada@xn--bcher-kva.example", BOOKS),
        ("Ada@XN--BCHER-KVA.Example", BOOKS),
        ("ada@BÜCHER.example", BOOKS),
        ("ada@bu\u0308cher.example", BOOKS),  # NFD
        ("ada@straße.example", "ada@straße.example"),
        ("ada@STRAẞE.example", "ada@straße.example"),
        ("ada@xn--strae-oqa.example", "ada@straße.example"),
        ("ada@strasse.example", "ada@strasse.example"),
        ("STRASSE@example.com", "strasse@example.com"),
        ("straße@example.com", "straße@example.com"),
        ("STRAẞE@example.com", "straße@example.com"),
        ("e\u0301va@example.com", "éva@example.com"),
        ("\u00c9VA@example.com", "éva@example.com"),
    ],
)
def test_one_mailbox_has_one_key(text, key):
    assert email_key(text) == key


@pytest.mark.parametrize(
    "text",
    [
        "ada@example.com.",  # RFC 5321 has no dot at the end
        "Ada <ada@example.com>",
        '"ada"@example.com',
        "ada@[192.0.2.1]",
        "ada.@example.com",
        "ada+x@example.com",
        "ada@my_host.example",
        "ada@xn--a.example",
        "ada@",
        "ada",
        "",
    ],
)
def test_other_texts_are_other_keys(text):
    assert email_key(text) != ADA
    assert email_key(email_key(text)) == email_key(text)


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("Ada+lists@Example.com", ADA),
        ("ada+a+b@example\u3002com", ADA),
        ("ada@example.com", ADA),
        ("+ada@example.com", "+ada@example.com"),
        ("ada+x", "ada+x"),
        ("ada@a+b", "ada@a+b"),
    ],
)
def test_a_tag_behind_a_plus_sign_makes_no_other_mailbox(text, key):
    assert mailbox_key(text) == key


@pytest.mark.parametrize("length", range(len(BOOKS) + 1))
def test_the_beginning_of_an_address_is_the_beginning_of_its_key(length):
    assert email_key(BOOKS).startswith(email_key(BOOKS[:length]))


@given(st.text(max_size=30), st.text(max_size=30))
def test_a_key_is_its_own_key(local, domain):
    key = email_key(f"{local}@{domain}")
    assert email_key(key) == key
    assert key == key.strip()


def test_an_address_without_a_key_is_searched_by_its_spellings():
    assert spellings(" Ada@BÜCHER.example ") == ["ada@bücher.example", "ada@xn--bcher-kva.example"]
    assert spellings("Ada@Example.com") == ["ada@example.com"]
    assert spellings("ada@example\uff0ecom") == ["ada@example.com", "ada@example\uff0ecom"]
    assert spellings("Ada") == ["ada"]
