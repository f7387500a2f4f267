"""The mailer against a real SMTP server that misbehaves."""

import ssl
import time
from email.utils import parsedate_to_datetime

import pytest
from aiosmtpd.smtp import AuthResult

from libs.messaging.failures import PermanentFailure, ServerUnavailable, TransientFailure
from libs.runtime.health import CheckFailed
from notification_service.smtp.mailer import Mailer
from notification_service.tests.integration.world import compose
from tests.smtp_sink import SmtpSink


def test_a_mail_arrives_with_both_parts_and_the_headers_it_should_have(mailer, mail, smtp_sink, config):
    mailer.send(mail)
    (got,) = smtp_sink.to(mail.to)
    assert got.message.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in got.message.iter_parts()] == ["text/plain", "text/html"]
    assert got.part("plain").strip() == mail.text.strip()
    assert "Desk lamp “Lumen” with a rather long name &amp; a dimmer" in got.part("html")
    assert (got.id, got.subject, got.message["To"]) == (mail.message_id, mail.subject, mail.to)
    assert got.message["From"] == f"MicroShop <{config.from_email}>"
    assert got.sender == config.from_email
    assert abs(parsedate_to_datetime(got.message["Date"]).timestamp() - time.time()) < 60
    assert mailer.status()["status"] == "ok"


@pytest.mark.parametrize(
    ("mode", "outcome", "reason"),
    [
        ("refuse", ServerUnavailable, "refused the connection"),
        ("421", ServerUnavailable, "turned us away (421)"),
        ("450", TransientFailure, "puts the recipient off (450)"),
        ("530", ServerUnavailable, "turned us away (530)"),
        ("550", PermanentFailure, "refused the recipient (550)"),
        ("554", PermanentFailure, "refused the message (554)"),
        ("black-hole", ServerUnavailable, "does not answer in time"),
    ],
)
def test_an_unsent_mail_is_kept_or_refused_as_the_server_says(mailer, mail, smtp_sink, mode, outcome, reason):
    smtp_sink.behave(mode)
    with pytest.raises(outcome) as error:
        mailer.send(mail, seconds=0.5)
    assert reason in str(error.value)
    assert mail.to not in str(error.value)
    assert smtp_sink.to(mail.to) == []
    smtp_sink.behave("ok")
    mailer.send(mail)
    assert len(smtp_sink.to(mail.to)) == 1


def test_a_good_bye_that_fails_is_no_failure(mailer, mail, smtp_sink):
    smtp_sink.behave("quit-drop")
    mailer.send(mail)
    assert len(smtp_sink.to(mail.to)) == 1
    assert mailer.status()["status"] == "ok"


def test_after_a_lost_acknowledgement_the_mail_is_repeated_under_the_same_id(mailer, mail, smtp_sink):
    smtp_sink.behave("ack-lost")
    with pytest.raises(ServerUnavailable, match="hung up"):
        mailer.send(mail)
    smtp_sink.behave("ok")
    mailer.send(mail)
    assert [got.id for got in smtp_sink.to(mail.to)] == [mail.message_id] * 2


def test_health_tells_how_the_last_mail_went(mailer, mail, smtp_sink):
    assert mailer.check() == {"lastMailAt": None}
    smtp_sink.behave("refuse")
    with pytest.raises(ServerUnavailable):
        mailer.send(mail)
    with pytest.raises(CheckFailed, match="refused the connection"):
        mailer.check()
    smtp_sink.behave("550")
    with pytest.raises(PermanentFailure):
        mailer.send(mail)
    assert mailer.check()["lastMailAt"]


def test_an_international_address_is_for_servers_that_take_one(mailer, config, smtp_sink):
    with pytest.raises(PermanentFailure, match="international"):
        mailer.send(compose(config, "josé@example.com"))
    able = SmtpSink(enable_SMTPUTF8=True)
    able.start()
    try:
        other = Mailer(config.model_copy(update={"smtp_port": able.port}))
        other.send(compose(config, "josé@example.com"))
        other.close()
        assert len(able.to("josé@example.com")) == 1
    finally:
        able.close()


class Secure:
    """A sink with STARTTLS and a login, and a mailer that uses both."""

    def __init__(self, config, certificate):
        self.accepts = True
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificate / "cert.pem", certificate / "key.pem")
        self.sink = SmtpSink(
            tls_context=context, require_starttls=True, auth_required=True, authenticator=self._authenticate
        )
        self.sink.start()
        self.mailer = Mailer(config.model_copy(update={"smtp_port": self.sink.port, "smtp_security": "starttls"}))

    def _authenticate(self, _server, _session, _envelope, _mechanism, login):
        self.login = login
        return AuthResult(success=self.accepts, handled=False)


@pytest.fixture
def secure(config, certificate):
    secure = Secure(config, certificate)
    yield secure
    secure.mailer.close()
    secure.sink.close()


def test_with_starttls_the_login_goes_over_a_verified_connection(secure, mail, config, certificate, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate / "cert.pem"))
    secure.mailer.send(mail)
    assert len(secure.sink.to(mail.to)) == 1
    assert secure.login.password.decode() == config.smtp_password.get_secret_value()


def test_a_refused_login_is_told_and_keeps_the_mail(secure, mail, certificate, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate / "cert.pem"))
    secure.accepts = False
    with pytest.raises(ServerUnavailable, match="refused the login"):
        secure.mailer.send(mail)


def test_a_server_whose_certificate_is_not_known_gets_neither_login_nor_mail(secure, mail):
    with pytest.raises(ServerUnavailable, match="certificate is not valid"):
        secure.mailer.send(mail)
    assert not hasattr(secure, "login")


def test_a_server_without_starttls_gets_neither_login_nor_mail(config, mail, smtp_sink):
    with pytest.raises(ServerUnavailable, match="no STARTTLS"):
        Mailer(config.model_copy(update={"smtp_security": "starttls"})).send(mail)
    assert smtp_sink.mails == []
