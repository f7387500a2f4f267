"""The mailer against a real SMTP server that fails in every way it can."""

import ssl
import time
from contextlib import suppress
from dataclasses import replace
from email.utils import parsedate_to_datetime

import pytest
from aiosmtpd.smtp import AuthResult

from libs.messaging.failures import PermanentFailure, ServerUnavailable, TransientFailure
from libs.runtime.health import CheckFailed
from notification_service.domain.failures import Fenced, InDoubt
from notification_service.smtp import mailer as mailer_module
from notification_service.smtp.client import Smtp
from notification_service.smtp.mailer import AnswerOutstanding
from notification_service.smtp.replies import SessionRefused, SmtpDown
from notification_service.tests.integration.world import compose
from notification_service.worker.process import make_mailer
from tests.smtp_sink import SmtpSink


def test_a_mail_arrives_with_both_parts_and_the_headers_it_should_have(mailer, mail, smtp_sink, config):
    mailer.send(mail)
    (got,) = smtp_sink.to(mail.recipient)
    assert got.message.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in got.message.iter_parts()] == ["text/plain", "text/html"]
    assert got.part("plain").strip() == mail.text.strip()
    assert "Desk lamp “Lumen” with a rather long name &amp; a dimmer" in got.part("html")
    assert (got.id, got.subject, got.message["To"]) == (mail.message_id, mail.subject, mail.recipient)
    assert got.message["From"] == f"MicroShop <{config.from_email}>"
    assert got.sender == config.from_email
    assert abs(parsedate_to_datetime(got.message["Date"]).timestamp() - time.time()) < 60
    assert mailer.status()["status"] == "ok"


@pytest.mark.parametrize(
    ("mode", "outcome", "reason"),
    [
        ("refuse", ServerUnavailable, "refused the connection"),
        ("421", ServerUnavailable, "ended the connection (421)"),
        ("450", TransientFailure, "deferred the recipient (450)"),
        ("rcpt-421", TransientFailure, "deferred the recipient (421)"),
        ("rcpt-drop", TransientFailure, "closed the connection"),
        ("dot-450", TransientFailure, "deferred the message (450)"),
        ("dot-421", TransientFailure, "deferred the message (421)"),
        ("530", ServerUnavailable, "requires a login (530)"),
        ("550", PermanentFailure, "refused the recipient (550)"),
        ("554", PermanentFailure, "refused the message (554)"),
        ("black-hole", ServerUnavailable, "does not reply in time"),
    ],
)
@pytest.mark.parametrize("pipelining", [False, True])
def test_a_failure_is_classified_and_the_mail_can_be_sent_later(
    mailer, mail, smtp_sink, mode, outcome, reason, pipelining
):
    smtp_sink.pipelining = pipelining
    smtp_sink.behave(mode)
    with pytest.raises(outcome) as error:
        mailer.send(mail, seconds=0.5)
    assert reason in str(error.value)
    assert mail.recipient not in str(error.value)
    assert smtp_sink.to(mail.recipient) == []
    smtp_sink.behave("ok")
    mailer.send(mail)
    assert len(smtp_sink.to(mail.recipient)) == 1


def test_commands_go_together_to_a_server_that_takes_them_so(mailer, mail, smtp_sink, monkeypatch):
    sent = []
    send = Smtp.send
    monkeypatch.setattr(Smtp, "send", lambda self, data: (sent.append(data), send(self, data)))
    smtp_sink.pipelining = True
    for mode in ("ok", "550", "554", "ok"):
        smtp_sink.behave(mode)
        with suppress(PermanentFailure):
            mailer.send(mail)
    together = [data for data in sent if isinstance(data, bytes) and data.startswith(b"MAIL ")]
    assert [data.count(b"\r\n") for data in together] == [3] * 4
    assert (len(smtp_sink.to(mail.recipient)), smtp_sink.connections) == (2, 1)


def test_a_mail_that_may_not_be_sent_any_more_ends_its_session_without_the_dot(mailer, mail, smtp_sink):
    def refuse():
        raise Fenced("it moved")

    with pytest.raises(Fenced):
        mailer.send(mail, before_dot=refuse)
    assert (smtp_sink.to(mail.recipient), mailer.answers) == ([], 0)
    mailer.send(mail)
    assert (len(smtp_sink.to(mail.recipient)), smtp_sink.connections) == (1, 2)


def test_a_header_that_cannot_be_sent_takes_no_place_of_other_mails(config, mail, smtp_sink, monkeypatch):
    monkeypatch.setattr(mailer_module, "MAX_LATE_ANSWERS", 0)
    monkeypatch.setattr(mailer_module, "ROOM_SECONDS", 0.05)
    mailer = make_mailer(config.model_copy(update={"mail_concurrency": 1}))
    for _ in range(3):
        with pytest.raises(ValueError):
            mailer.send(replace(mail, subject="a\r\nBcc: eve@example.com"))
    mailer.send(mail)
    mailer.close()


def test_a_session_that_is_refused_while_others_work_is_no_outage(config, mailer, mail, smtp_sink):
    smtp_sink.behave("421")
    with pytest.raises(SmtpDown) as alone:
        mailer.send(mail)
    assert not isinstance(alone.value, SessionRefused)
    smtp_sink.behave("ok")

    def send_another():
        smtp_sink.behave("421")
        mailer.send(compose(config, "other@example.com"))

    with pytest.raises(SessionRefused):
        mailer.send(mail, before_dot=send_another)


def test_a_mail_whose_quit_fails_counts_as_sent(mailer, mail, smtp_sink):
    smtp_sink.behave("quit-drop")
    mailer.send(mail)
    assert len(smtp_sink.to(mail.recipient)) == 1
    assert mailer.status()["status"] == "ok"


def test_after_a_lost_acknowledgement_the_mail_is_repeated_under_the_same_id(mailer, mail, smtp_sink):
    smtp_sink.behave("ack-lost")
    with pytest.raises(InDoubt, match="closed the connection"):
        mailer.send(mail)
    smtp_sink.behave("ok")
    mailer.send(mail)
    assert [got.id for got in smtp_sink.to(mail.recipient)] == [mail.message_id] * 2


@pytest.mark.parametrize("security", ["none", "tls"])
def test_a_late_answer_is_awaited_without_the_sender(config, mail, certificate, monkeypatch, security):
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate / "cert.pem"))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate / "cert.pem", certificate / "key.pem")
    tls = {"ssl": context, "auth_require_tls": False, "authenticator": lambda *_: AuthResult(success=True)}
    sink = SmtpSink(**(tls if security == "tls" else {}))
    sink.start()
    mailer = make_mailer(config.model_copy(update={"smtp_port": sink.port, "smtp_security": security}))
    sink.seconds_a_mail = 0.5
    try:
        with pytest.raises(AnswerOutstanding) as late:
            mailer.send(mail, patience=0.05)
        assert sink.to(mail.recipient) == []
        late.value.answer.wait()
        assert len(sink.to(mail.recipient)) == 1
        sink.seconds_a_mail = 0
        mailer.send(mail)
        assert (len(sink.to(mail.recipient)), sink.connections) == (2, 1)
    finally:
        mailer.close()
        sink.close()


def test_an_answer_that_never_comes_leaves_the_mail_in_doubt(config, mail, smtp_sink):
    smtp_sink.seconds_a_mail = 60
    mailer = make_mailer(config.model_copy(update={"mail_answer_seconds": 0.3}))
    with pytest.raises(AnswerOutstanding) as late:
        mailer.send(mail, patience=0.05)
    with pytest.raises(InDoubt, match="in time"):
        late.value.answer.wait()


def test_mails_wait_while_too_many_answers_are_outstanding(config, mail, smtp_sink, monkeypatch):
    monkeypatch.setattr(mailer_module, "MAX_LATE_ANSWERS", 1)
    monkeypatch.setattr(mailer_module, "ROOM_SECONDS", 0.05)
    mailer = make_mailer(config.model_copy(update={"mail_concurrency": 1}))
    smtp_sink.seconds_a_mail = 60
    late = []
    for _ in range(2):
        with pytest.raises(AnswerOutstanding) as outstanding:
            mailer.send(mail, patience=0.05)
        late.append(outstanding.value.answer)
    with pytest.raises(ServerUnavailable, match="not answered many mails"):
        mailer.send(mail)
    smtp_sink.seconds_a_mail = 0
    late[0].abandon()
    mailer.send(mail)
    late[1].abandon()


def test_a_server_that_puts_off_five_recipients_in_a_row_refuses_everybody_until_it_takes_a_mail(
    config, mailer, mail, smtp_sink
):
    smtp_sink.behave("450")
    people = [compose(config, f"p{number}@example.com") for number in range(5)]
    for person in [mail] * 5 + people[:4]:
        assert not mailer.refuses_everybody
        assert mailer.check()
        with pytest.raises(TransientFailure):
            mailer.send(person)
    assert mailer.refuses_everybody
    with pytest.raises(CheckFailed, match=r"puts off every recipient.*450"):
        mailer.check()
    smtp_sink.modes[mail.recipient] = "ok"
    mailer.send(mail)
    assert not mailer.refuses_everybody
    assert mailer.check()


def test_health_shows_the_result_of_the_last_mail(mailer, mail, smtp_sink):
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


def test_an_international_address_needs_a_server_that_takes_one(mailer, config, smtp_sink):
    international = config.model_copy(update={"smtp_utf8": True})
    for sender in (mailer, make_mailer(international)):
        with pytest.raises(PermanentFailure, match="international"):
            sender.send(compose(config, "josé@example.com"))
        sender.close()
    capable = SmtpSink(enable_SMTPUTF8=True)
    capable.start()
    try:
        other = make_mailer(international.model_copy(update={"smtp_port": capable.port}))
        other.send(compose(config, "josé@example.com"))
        other.close()
        assert len(capable.to("josé@example.com")) == 1
    finally:
        capable.close()


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
        self.mailer = make_mailer(config.model_copy(update={"smtp_port": self.sink.port, "smtp_security": "starttls"}))

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
    assert len(secure.sink.to(mail.recipient)) == 1
    assert secure.login.password.decode() == config.smtp_password.get_secret_value()


def test_a_refused_login_is_reported_as_an_unavailable_server(secure, mail, certificate, monkeypatch):
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
        make_mailer(config.model_copy(update={"smtp_security": "starttls"})).send(mail)
    assert smtp_sink.mails == []
