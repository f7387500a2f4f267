"""E-mail addresses: shown as given, compared by their key."""

from libs.values.email_address import EmailAddress


def test_an_address_is_shown_as_given_and_compared_by_its_key():
    given, other = EmailAddress.of("Ada@Example.com"), EmailAddress.of("ada@example.com")
    assert given.text == "Ada@Example.com"
    assert given == other
    assert len({given, other}) == 1
    assert given != EmailAddress.of("bob@example.com")
    assert given != "ada@example.com"
