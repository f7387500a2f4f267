"""What a server's reply means for the mail."""

import smtplib
import ssl

import pytest

from libs.messaging.failures import PermanentFailure, ServerUnavailable, TransientFailure
from notification_service.smtp.replies import classify


def recipient(code):
    return smtplib.SMTPRecipientsRefused({"ada@example.com": (code, b"no ada@example.com")})


def sender(code):
    return smtplib.SMTPSenderRefused(code, b"no", "shop@example.com")


def message(code):
    return smtplib.SMTPDataError(code, b"no ada@example.com")


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        *((kind(code), TransientFailure) for kind in (recipient, message) for code in (450, 451, 452)),
        *((kind(code), PermanentFailure) for kind in (recipient, message) for code in (550, 552, 554)),
        *((kind(code), ServerUnavailable) for kind in (recipient, message, sender) for code in (421, 530, -1)),
        *((sender(code), ServerUnavailable) for code in (450, 451, 550, 553)),
        (sender(552), PermanentFailure),  # the size that MAIL FROM announces
        (smtplib.SMTPConnectError(421, b"no"), ServerUnavailable),
        (smtplib.SMTPHeloError(500, b"no"), ServerUnavailable),
        (smtplib.SMTPAuthenticationError(535, b"no"), ServerUnavailable),
        (smtplib.SMTPNotSupportedError("no"), ServerUnavailable),
        (smtplib.SMTPServerDisconnected("no"), ServerUnavailable),
        (ssl.SSLCertVerificationError("no"), ServerUnavailable),
        (ConnectionRefusedError(), ServerUnavailable),
        (TimeoutError(), ServerUnavailable),
        (OSError(113, "no route to ada@example.com"), ServerUnavailable),
    ],
    ids=repr,
)
def test_each_failure_has_an_outcome_and_a_text_without_an_address(error, outcome):
    failure = classify(error)
    assert type(failure) is outcome
    assert str(failure).startswith("the SMTP server")
    assert "@" not in str(failure)
