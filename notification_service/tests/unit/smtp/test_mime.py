"""The bytes of a mail: the standard library reads them back as they were meant."""

import email.policy
import re
from dataclasses import replace
from email import message_from_bytes
from email.header import decode_header, make_header
from email.utils import parseaddr, parsedate_to_datetime

import pytest

from notification_service.api.sample_data import SAMPLES
from notification_service.domain.mail_kinds import KINDS
from notification_service.smtp.mime import sender_header, to_bytes

SENDER = "MicroShop <shop@example.com>"


@pytest.fixture
def mail(composer):
    return composer.compose(
        "order-placed", event_id="e1", recipient="ada@example.com", content=SAMPLES["usual"]["order-placed"]
    )


def read(mail, sender=SENDER):
    return message_from_bytes(to_bytes(mail, sender), policy=email.policy.default)


@pytest.mark.parametrize("kind", KINDS)
def test_every_mail_is_read_back_as_it_was_composed(composer, kind):
    mail = composer.compose(kind, event_id="e1", recipient="ada@example.com", content=SAMPLES["large"][kind])
    got = read(mail)
    assert (got["Subject"], got["To"], got["Message-ID"]) == (mail.subject, mail.recipient, mail.message_id)
    assert (got["From"], got["Auto-Submitted"]) == (SENDER, "auto-generated")
    assert parsedate_to_datetime(got["Date"]).tzinfo is not None
    assert got.get_content_type() == "multipart/alternative"
    plain, html = got.iter_parts()
    assert (plain.get_content_type(), html.get_content_type()) == ("text/plain", "text/html")
    assert plain.get_content() == mail.text.replace("\n", "\r\n")
    assert html.get_content() == mail.html.replace("\n", "\r\n")
    assert got.defects == plain.defects == html.defects == []


def test_any_text_comes_through(mail):
    texts = ["", "\n.\n..\n", "From me\n", "trailing \n", "=_=\n", "é☕" * 200, "x" * 2000 + "\n"]
    for text in texts:
        got = read(replace(mail, text=text, html=text))
        assert [part.get_content().replace("\r\n", "\n") for part in got.iter_parts()] == [text, text]


def test_subject_and_sender_may_be_in_any_language(mail):
    sender = sender_header("Käsehaus ☕", "shop@example.com")
    got = read(replace(mail, subject="Grüße aus dem Käsehaus, " * 9 + "ada!"), sender)
    assert got["Subject"] == "Grüße aus dem Käsehaus, " * 9 + "ada!"
    assert got["From"].addresses[0].display_name == "Käsehaus ☕"


@pytest.mark.parametrize(
    "name",
    [
        "Käsehaus am Bahnhof, Feinkost, Wein und alles, was der Mensch zum Frühstück braucht",
        "ü" * 100,
        "🧀" * 60,
        "株式会社" * 25,
        "plain words " * 12 + "é",
        'MicroShop "Ltd" <no>',
        "a" * 100,
        "Shop =?utf-8?q?eve?= and more",
        "A, B; C: D @ E (F)",
        "Only ASCII, but long: " + "word " * 15,
        "M",
    ],
)
def test_the_shops_name_is_folded_into_encoded_words_of_75_characters(mail, name):
    """RFC 2047, 2: an encoded word has at most 75 characters, and a line with one at most 76."""
    name = name.strip()
    content = to_bytes(mail, sender_header(name, "shop@example.com"))
    head = content.split(b"\r\n\r\n")[0].decode("ascii")
    encoded = [line for line in head.split("\r\n") if "=?utf-8?" in line]
    assert max(map(len, encoded), default=0) <= 76
    assert max((len(word) for line in encoded for word in re.findall(r"=\?\S+", line)), default=0) <= 75
    sender, address = parseaddr(
        message_from_bytes(content)["From"]
    )  # email.policy.default adds spaces between the words
    assert (str(make_header(decode_header(sender))), address) == (name, "shop@example.com")


@pytest.mark.parametrize("subject", ["Welcome to =?utf-8?q?eve?=, ada!", "Welcome to " + "a" * 1200, "é" * 300])
def test_a_subject_is_read_back_whatever_the_name_of_the_shop_is(mail, subject):
    content = to_bytes(replace(mail, subject=subject), SENDER)
    assert max(map(len, content.split(b"\r\n"))) <= 998
    assert str(make_header(decode_header(message_from_bytes(content)["Subject"]))) == subject


def test_lines_are_as_long_and_end_as_smtp_requires(mail):
    content = to_bytes(replace(mail, html="x" * 5000 + "\n" + mail.html), SENDER)
    assert not re.search(rb"[^\r]\n|\r[^\n]", content)
    assert max(map(len, content.split(b"\r\n"))) <= 998  # RFC 5322 2.1.1
    assert content.isascii()


@pytest.mark.parametrize("field", ["recipient", "subject"])
@pytest.mark.parametrize("breaks", ["\r\nBcc: eve@example.com", "\nBcc: eve@example.com", "\r"])
def test_a_line_break_never_gets_into_a_header(mail, field, breaks):
    with pytest.raises(ValueError):
        to_bytes(replace(mail, **{field: getattr(mail, field) + breaks}), SENDER)


@pytest.mark.parametrize("sender", [("Shop\nBcc: eve@example.com", "a@example.com"), ("Shop", "a@example.com\r\nX: y")])
def test_a_line_break_never_gets_into_the_sender(sender):
    with pytest.raises(ValueError):
        sender_header(*sender)


def test_a_mail_names_its_trace_and_a_preview_has_none(mail):
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    assert read(replace(mail, trace_id=trace))["X-Trace-Id"] == trace
    assert read(mail)["X-Trace-Id"] is None
