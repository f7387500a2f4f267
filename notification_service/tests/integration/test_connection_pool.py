"""SMTP connections are kept. The end of one never sends a mail twice, and never delays it for long."""

import ssl
import time

import pytest
from aiosmtpd.smtp import AuthResult

from libs.messaging.failures import PermanentFailure, ServerUnavailable, TransientFailure
from notification_service.domain.failures import InDoubt
from notification_service.smtp import connection_pool
from notification_service.smtp import mailer as mailer_module
from notification_service.smtp.mailer import AnswerOutstanding
from notification_service.tests.integration.world import wait_until
from notification_service.worker.process import make_mailer
from tests.smtp_sink import SmtpSink


def test_one_connection_takes_many_mails(mailer, mail, smtp_sink):
    for _ in range(5):
        mailer.send(mail)
    assert (len(smtp_sink.to(mail.recipient)), smtp_sink.connections) == (5, 1)


def test_a_refused_mail_does_not_end_the_connection(mailer, mail, smtp_sink):
    for mode, outcome in (("450", TransientFailure), ("550", PermanentFailure), ("554", PermanentFailure)):
        smtp_sink.behave(mode)
        with pytest.raises(outcome):
            mailer.send(mail)
    smtp_sink.behave("ok")
    mailer.send(mail)
    assert (len(smtp_sink.to(mail.recipient)), smtp_sink.connections) == (1, 1)


def test_a_connection_is_replaced_after_its_maximum_of_mails(mailer, mail, smtp_sink, monkeypatch):
    monkeypatch.setattr(connection_pool, "MAX_MAILS", 2)
    for _ in range(5):
        mailer.send(mail)
    assert (len(smtp_sink.to(mail.recipient)), smtp_sink.connections) == (5, 3)


def test_an_idle_connection_is_closed(mailer, mail, smtp_sink, monkeypatch):
    monkeypatch.setattr(connection_pool, "IDLE_SECONDS", 0.1)
    mailer.send(mail)
    wait_until(lambda: not mailer._pool._idle, 5)
    mailer.send(mail)
    assert (len(smtp_sink.to(mail.recipient)), smtp_sink.connections) == (2, 2)


def test_a_connection_that_the_server_ended_is_replaced_and_the_mail_is_sent_once(mailer, mail, smtp_sink):
    mailer.send(mail)
    smtp_sink.behave("refuse")  # ends all connections
    smtp_sink.behave("ok")
    mailer.send(mail)
    assert (len(smtp_sink.to(mail.recipient)), smtp_sink.connections) == (2, 2)


def test_a_mail_that_the_server_may_have_is_not_sent_again_in_the_same_attempt(mailer, mail, smtp_sink):
    mailer.send(mail)
    smtp_sink.behave("ack-lost")
    with pytest.raises(InDoubt, match="closed the connection"):
        mailer.send(mail)
    assert (len(smtp_sink.to(mail.recipient)), smtp_sink.connections) == (2, 1)


@pytest.mark.parametrize("mode", ["tarpit", "black-hole"])
@pytest.mark.parametrize("kept", [False, True])
def test_an_attempt_ends_in_time_whatever_the_server_does(mailer, mail, smtp_sink, mode, kept):
    if kept:
        mailer.send(mail)
    smtp_sink.behave(mode)
    began = time.monotonic()
    if mode == "black-hole" and kept:
        smtp_sink.seconds_a_mail = 60  # a kept connection has its greeting already, so it hangs at the final dot
    with pytest.raises((ServerUnavailable, AnswerOutstanding)) as failure:
        mailer.send(mail, seconds=2.5, patience=2.5)
    assert 2.3 < time.monotonic() - began < 10
    if isinstance(failure.value, AnswerOutstanding):
        failure.value.answer.abandon()
    assert len(smtp_sink.to(mail.recipient)) == kept


def test_an_attempt_ends_in_time_over_tls_too(config, mail, certificate, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate / "cert.pem"))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate / "cert.pem", certificate / "key.pem")
    sink = SmtpSink(ssl=context, auth_require_tls=False, authenticator=lambda *_: AuthResult(success=True))
    sink.start()
    mailer = make_mailer(config.model_copy(update={"smtp_port": sink.port, "smtp_security": "tls"}))
    try:
        mailer.send(mail)
        sink.behave("tarpit")
        began = time.monotonic()
        with pytest.raises(ServerUnavailable, match="in time"):
            mailer.send(mail, seconds=2.5)
        assert 2.3 < time.monotonic() - began < 10
        assert (len(sink.to(mail.recipient)), sink.connections) == (1, 1)
    finally:
        mailer.close()
        sink.close()


def test_an_attempt_ends_before_a_consumer_gives_up_a_lost_partition():
    assert mailer_module.SMTP_SECONDS + mailer_module.PATIENCE_SECONDS < 20
