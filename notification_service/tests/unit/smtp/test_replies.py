"""What a server's reply means for the mail."""

import smtplib
import ssl

import pytest

from libs.messaging.failures import PermanentFailure, TransientFailure
from notification_service.domain.failures import InDoubt
from notification_service.smtp.replies import SmtpDown, classify, classify_answer


def recipient(code):
    return smtplib.SMTPRecipientsRefused({"ada@example.com": (code, b"no ada@example.com")})


def sender(code):
    return smtplib.SMTPSenderRefused(code, b"no", "shop@example.com")


def message(code):
    return smtplib.SMTPDataError(code, b"no ada@example.com")


ENDED = [
    smtplib.SMTPServerDisconnected("no"),
    smtplib.SMTPResponseException(500, "line too long"),
    ConnectionResetError(),
    TimeoutError(),
    OSError(113, "no route to ada@example.com"),
]
SESSION = [
    smtplib.SMTPConnectError(421, b"no"),
    smtplib.SMTPHeloError(500, b"no"),
    smtplib.SMTPAuthenticationError(535, b"no"),
    smtplib.SMTPNotSupportedError("no"),
    ssl.SSLCertVerificationError("no"),
    ConnectionRefusedError(),
]


@pytest.mark.parametrize(
    ("error", "phase", "outcome"),
    [
        *((recipient(code), "recipient", TransientFailure) for code in (421, 450, 451, 452, 454, -1)),
        *((recipient(code), "recipient", PermanentFailure) for code in (550, 552, 553, 554)),
        *((message(code), "message", TransientFailure) for code in (421, 450, 451, 452, 454, -1)),
        *((message(code), "message", PermanentFailure) for code in (550, 552, 554)),
        (recipient(530), "recipient", SmtpDown),
        (message(530), "message", SmtpDown),
        *((sender(code), "session", SmtpDown) for code in (421, 450, 451, 452, 530, 550, 553, -1)),
        (sender(552), "session", PermanentFailure),  # the size that MAIL FROM announces
        *((error, "session", SmtpDown) for error in SESSION + ENDED),
        *((error, "recipient", TransientFailure) for error in ENDED),
        *((error, "message", TransientFailure) for error in ENDED),
        *((error, "answer", InDoubt) for error in ENDED),
    ],
    ids=repr,
)
def test_each_failure_has_an_outcome_and_a_text_without_an_address(error, phase, outcome):
    failure = classify(error, phase)
    assert type(failure) is outcome
    assert str(failure).startswith("the SMTP server")
    assert "@" not in str(failure)


@pytest.mark.parametrize(
    ("code", "outcome"),
    [
        (250, None),
        *((code, TransientFailure) for code in (421, 450, 451, 452)),
        *((code, PermanentFailure) for code in (530, 550, 552, 554)),
        *((code, InDoubt) for code in (100, 354)),
    ],
)
def test_the_answer_to_the_final_dot_decides_about_the_mail(code, outcome):
    failure = classify_answer(code)
    assert (failure and type(failure)) == outcome
